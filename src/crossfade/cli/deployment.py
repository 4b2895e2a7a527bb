"""What deploy, diff and destroy have in common: options, the account, and how people see what CloudFormation does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status
from rich.text import Text

from crossfade.cli.output import Exit as Code
from crossfade.cli.output import complain, people
from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.deployment.errors import NotReady
from crossfade.infra.deployment.readiness import Readiness
from crossfade.infra.deployment.told import StackEvent
from crossfade.infra.errors import StackUnknown

OUT = Path("cdk.out")
File = Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the templates.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="STACK", help="This stack and what must go with it; as `network` or `network-prod`."
    ),
]

_DONE = {"COMPLETE": ("✓", "green"), "FAILED": ("✗", "red")}


def pick(assembly: Assembly, only: list[str] | None, *, to_go: bool = False) -> tuple[Stack, ...]:
    """The stacks that are meant; one that the file does not lead to is bad usage."""
    try:
        return assembly.chosen_to_go(only or ()) if to_go else assembly.chosen(only or ())
    except StackUnknown as unknown:
        complain(unknown)
        raise typer.Exit(Code.BAD_INPUT) from unknown


def require(readiness: Readiness, region: str) -> None:
    """Say whose account it is, and what could not be looked at; raises NotReady for what stands in the way."""
    who = readiness.identity
    people.print(Text(f"  account {who.account}, {region}, as {who.name}"), soft_wrap=True)
    for note in readiness.notes:
        people.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)
    if readiness.obstacles:
        raise NotReady(readiness.obstacles)


class Progress:
    """Each resource in a line once it is done or has failed; on a terminal also what is being done."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def __call__(self, event: StackEvent) -> None:
        count = "" if event.done is None else f"{event.done}" + (f"/{event.total}" if event.total else "")
        told = f"{event.stack}  {count:>7}  {event.status}  {event.kind}  {event.place}"
        if not event.over:
            self._status.update(Text(told))
            return
        mark, style = _DONE.get(event.status.rpartition("_")[2], ("!", "yellow"))
        line = Text.assemble((f"{mark} ", style), told, f"  {event.reason}" if event.reason else "")
        people.print(line, soft_wrap=True)


@contextmanager
def progress(doing: str) -> Iterator[Progress]:
    """While CloudFormation works. What it has begun it goes on with when somebody interrupts: that is said."""
    try:
        with people.status(doing) as status:
            yield Progress(status)
    except KeyboardInterrupt:
        people.print(
            "[yellow]![/] interrupted; what CloudFormation has begun it brings to its end by itself: "
            "wait for it, then do the same again",
            soft_wrap=True,
        )
        raise
