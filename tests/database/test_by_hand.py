"""What playbooks tell people to say to the databases when no engine is left, said by psql to two real servers."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from crossfade.database.native import NativeReplication
from crossfade.model.terms import Side
from crossfade.planning.playbooks.page import as_markdown
from crossfade.planning.playbooks.records import Command, Playbooks
from crossfade.rehearsal.parts import target_postgres
from tests.database.conftest import Pair, move, traces, writer
from tests.database.shoppers import Shoppers
from tests.planning.playbooks.making import playbooks_of
from tests.planning.playbooks.shell import blocks, line

pytestmark = pytest.mark.parts

_SAID = {"psql", "crossfade"}
_END = "-- end of what is printed --"


def written() -> Playbooks:
    return playbooks_of(database__schemas=["shop"], database__switch__lock_timeout="30s")


def of_databases(commands: Iterable[Command]) -> list[Command]:
    """Those that are said to the databases; status, routers and services of AWS are no part of this."""
    return [
        c
        for c in commands
        if line(c.text).program in _SAID and "crossfade watch" not in c.text and "status" not in c.text
    ]


def procedure(key: str) -> list[Command]:
    return of_databases(next(one.steps for one in written().gone if one.key == key))


def typed(pair: Pair, commands: Iterable[Command], epoch: int) -> list[str]:
    """What each of the commands prints, typed one after the other into one shell that stops at the first failure."""
    script = [f"export EPOCH={epoch}"]
    for command in commands:
        script += [command.text, f"echo '{_END}'"]
    here = [str(target_postgres().programs), str(Path(sys.executable).parent), os.environ["PATH"]]
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(script)],
        env=os.environ
        | {"PATH": ":".join(here), "COLUMNS": "200"}
        | {side.upper(): pair.dsn(side, "crossfade") for side in Side},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return [said.strip("\n") for said in ran.stdout.split(_END)[:-1]]


def held_to_its_word(commands: list[Command], printed: list[str], epoch: int) -> None:
    """Each command printed what the playbook says."""
    for command, said in zip(commands, printed, strict=True):
        promised = re.escape(command.prints).replace("…", ".*").replace(re.escape("$EPOCH"), str(epoch))
        assert not command.prints or re.fullmatch(promised, said.strip(), re.DOTALL), (command, said)


def test_nothing_is_lost_when_people_fail_back_by_hand(fresh_pair: Pair, fresh: NativeReplication) -> None:
    move(fresh)
    with Shoppers(fresh_pair) as shoppers:
        shoppers.wait_for_purchases()
        fresh.prepare_switch(Side.TARGET)
        fresh.switch(Side.TARGET, 1)  # the engine dies here: the way back is still asleep
        shoppers.wait_for_purchases()
        fresh_pair.rows(Side.TARGET, "SELECT crossfade.fence(2)", "crossfade")  # another died in failing back
        typed(fresh_pair, procedure("gone-look"), 1)
        commands = procedure("gone-fail-back")
        compared = next(n for n, command in enumerate(commands) if command.text.startswith("crossfade verify"))
        switching, ending = commands[:compared], commands[compared:]
        held_to_its_word(switching, typed(fresh_pair, switching, 3), 3)
        shoppers.wait_for_purchases()
    held_to_its_word(ending, typed(fresh_pair, ending, 3), 3)
    assert shoppers.lost_and_doubled(Side.SOURCE) == (0, 0)
    assert traces(fresh_pair, Side.SOURCE) == traces(fresh_pair, Side.TARGET) == []
    seen = writer(fresh)
    assert (seen.source_open, seen.target_open) == (True, False)


def test_the_source_takes_writes_again_when_people_roll_back_by_hand_from_a_switch_that_broke_off(
    fresh_pair: Pair, fresh: NativeReplication
) -> None:
    move(fresh)
    fresh_pair.rows(Side.SOURCE, "SELECT crossfade.fence(1)", "crossfade")
    assert writer(fresh).side is None
    see = of_databases(command for card in written().cards.values() for command in card.see)
    typed(fresh_pair, [command for command in see if "verify" not in command.text], 1)
    commands = procedure("gone-roll-back")
    held_to_its_word(commands, typed(fresh_pair, commands, 2), 2)
    with Shoppers(fresh_pair) as shoppers:
        shoppers.wait_for_purchases()
    assert shoppers.lost_and_doubled(Side.SOURCE) == (0, 0)
    assert traces(fresh_pair, Side.SOURCE) == traces(fresh_pair, Side.TARGET) == []
    seen = writer(fresh)
    assert (seen.source_open, seen.target_open) == (True, False)


def test_every_statement_of_a_playbook_is_said_to_real_servers_above() -> None:
    playbooks = written()
    said = {c.text for key in ("gone-look", "gone-fail-back", "gone-roll-back") for c in procedure(key)}
    said |= {command.text for card in playbooks.cards.values() for command in card.see}
    shown = {block for block in blocks(as_markdown(playbooks)) if "psql " in block}
    assert shown
    assert shown <= said
