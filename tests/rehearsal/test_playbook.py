"""What a playbook tells people to type first, typed into a shell while a rehearsal has users on the modern servers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.cli.playbooks import written_from
from crossfade.model.file import MigrationFile, load
from crossfade.model.terms import Side
from crossfade.planning.playbooks.records import Command
from crossfade.rehearsal.layout import Layout, read_layout_in
from crossfade.rehearsal.parts import target_postgres
from tests.rehearsal.run import PATIENCE_S, SMALL, Home, home_below, in_canary

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(1800)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_below(tmp_path) as made:
        yield made


def first_minutes() -> tuple[Command, ...]:
    """All but the last, which is for when no engine runs."""
    file = load(SMALL.read_text(encoding="utf-8"), SMALL.name)
    assert isinstance(file, MigrationFile)
    *typed, last = written_from(file).first_minutes
    assert last.text.startswith("crossfade resume")
    return tuple(typed)


def typed(command: Command, home: Home, layout: Layout) -> str:
    """What it prints, without line breaks, in a shell in which has been set what the playbook has people set once."""
    programs = (str(target_postgres().programs), str(Path(sys.executable).parent), os.environ["PATH"])
    ports = {side: layout.database_port(side, seen_from=Side.TARGET) for side in Side}
    databases = {
        side.upper(): f"host=127.0.0.1 port={port} dbname=ledger user=crossfade" for side, port in ports.items()
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command.text],
        env=os.environ
        | {"PATH": ":".join(programs), "CROSSFADE_HOME": str(home.folder), "COLUMNS": "200"}
        | {"MIGRATION": layout.migration, **databases},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, (command, ran.stdout)
    return " ".join(ran.stdout.split())


def test_the_first_five_minutes_bring_everybody_back_when_typed_as_they_stand(home: Home) -> None:
    process = home.begin_rehearsal("--speed", "0.3")  # canary lasts longer than it takes to type
    layout = read_layout_in(home.folder / home.the_only_id())
    home.wait_for(in_canary, process)
    process.send_signal(signal.SIGSTOP)  # the engine rolls back, but its journal is not taken away yet
    try:
        for command in first_minutes():
            said = typed(command, home, layout)
            promised = re.escape(command.prints).replace("…", ".*").replace("t\\ or\\ f", "[tf]")
            assert re.search(promised, said), (command, said)
    finally:
        process.send_signal(signal.SIGCONT)
    ran = home.finish(process)
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "rolled_back", "source"), ran.said
    assert (ran.result["lost_writes"], ran.result["duplicate_writes"]) == (0, 0)
