"""`crossfade destroy`: the AWS side of a migration, back to nothing."""

import sys
import time
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.deployment import OUT, AsJson, File, Only, Out, pick, progress, require
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.cli.synth import templates
from crossfade.infra.deployment import actions
from crossfade.infra.deployment.commandline import command_line
from crossfade.infra.deployment.connection import connect
from crossfade.infra.deployment.readiness import left_behind, ready_to_destroy
from crossfade.model.errors import CrossfadeError


class NobodyToAsk(CrossfadeError):
    """Everything would go, and there is no terminal on which somebody could agree."""

    remedy = "Say --yes if that is what you want."

    def __init__(self) -> None:
        super().__init__("this destroys stacks with all their data, and there is no terminal to ask at")


def destroy(
    file: File,
    only: Only = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    out: Out = OUT,
    json: AsJson = False,
) -> None:
    """Destroy everything that `crossfade deploy` has made for the file, the data on AWS included.

    It asks first; where there is no terminal, it does so only with --yes. With --only, the stacks that need it go too.

    Exit code 0: nothing of it is there; 10: you said no, or stacks of this migration are left that the file no longer
    leads to.

    Example: crossfade destroy examples/ledger/migration.yaml --yes
    """
    if not yes and not sys.stdin.isatty():
        complain(NobodyToAsk())
        raise typer.Exit(Exit.BAD_INPUT)
    began = time.monotonic()
    migration, assembly, _ = templates(file, out)
    region = migration.environment.region
    line = command_line(region)
    with people.status("looking at the account …"):
        account = connect(region)
        readiness = ready_to_destroy(migration, pick(assembly, only, to_go=True), account)
    require(readiness, region)
    stacks = tuple(stack for stack in pick(assembly, only, to_go=True) if stack.name in readiness.deployed)
    if stacks:
        if not yes:
            _ask([stack.name for stack in stacks], readiness.identity.account)
        with progress("destroying …") as hear:
            actions.destroy(line, assembly, stacks, hear)
    left = () if only else left_behind(migration, account)
    for name in left:
        text = f"{name} is left: it is of this migration, and the file no longer leads to it; delete it by its name"
        people.print(Text.assemble(("! ", "yellow"), text), soft_wrap=True)
    seconds = time.monotonic() - began
    people.print(
        Text.assemble(("✓ ", "green"), f"{len(stacks)} stacks are gone, after {seconds:.1f} s"), soft_wrap=True
    )
    if json:
        answer(
            {
                "account": readiness.identity.account,
                "region": region,
                "destroyed": [stack.name for stack in stacks],
                "left": list(left),
                "seconds": round(seconds, 3),
            }
        )
    if left:
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _ask(names: list[str], account: str) -> None:
    told = f"Destroy {', '.join(names)} in account {account}, with all data in them?"
    if not typer.confirm(told, err=True):
        raise typer.Exit(Exit.ENDED_OTHERWISE)
