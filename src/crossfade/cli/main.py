"""The command line: one file a command, registered here."""

import sys

import typer

from crossfade.cli import words
from crossfade.cli.audit import audit
from crossfade.cli.check import check
from crossfade.cli.engine import engine
from crossfade.cli.faults import faults
from crossfade.cli.init import init
from crossfade.cli.judge import judge
from crossfade.cli.output import Exit, SystemRefused, complain
from crossfade.cli.rehearse import rehearse, resume
from crossfade.cli.status import status, watch
from crossfade.cli.verify import verify
from crossfade.model.errors import CrossfadeError

app = typer.Typer(
    help="Move a live system from your data center to AWS, and back if you must, without losing a write.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
for command in (init, check, rehearse, resume, status, watch, faults, judge, verify, audit):
    app.command()(command)
for word in (words.approve, words.hold, words.release, words.rollback, words.override):
    app.command()(word)
app.command(hidden=True)(engine)


def run() -> None:
    """The program `crossfade`. A failure that a person can do something about ends with 1 and no traceback."""
    try:
        app()
    except CrossfadeError as failure:
        complain(failure)
        sys.exit(Exit.FAILED)
    except OSError as refusal:
        complain(SystemRefused(refusal))
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
