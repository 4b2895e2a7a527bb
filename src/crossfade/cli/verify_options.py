"""What `crossfade verify` and `crossfade chunks` are both asked: which servers, which tables, compared how."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from crossfade.cli.dsns import unreadable
from crossfade.cli.output import Exit, complain
from crossfade.cli.verify_rules import rules_of
from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Side
from crossfade.verify.distributed import ChunksOfOther
from crossfade.verify.errors import DsnUnreadable, RulesUnfit, TableMissing
from crossfade.verify.lines import LinesUnreadable
from crossfade.verify.load import LoadLimits
from crossfade.verify.rules import TableRule
from crossfade.verify.shared_manifest import ManifestOfOther

Source = Annotated[str, typer.Option(metavar="DSN", help="Connection string of the source.")]
Target = Annotated[str, typer.Option(metavar="DSN", help="Connection string of the target.")]
Tables = Annotated[
    list[str] | None, typer.Option(metavar="T", help="Only this table, as schema.table or table; may be repeated.")
]
Exclude = Annotated[list[str] | None, typer.Option(metavar="T", help="Not this table; may be repeated.")]
Live = Annotated[bool, typer.Option("--live", help="One side takes writes and replicates them to the other.")]
Strict = Annotated[bool, typer.Option("--strict", help="Compare texts: 1.10 is not 1.1. Four times as slow.")]
Rules = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Other names on the target, columns to ignore, filters; YAML.")
]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write each difference with its values, as JSON Lines.")]
ShowValues = Annotated[bool, typer.Option("--show-values", help="Tell values as they are, instead of masks of them.")]
Repair = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write SQL that would repair the differences. Nothing runs it.")
]
Workers = Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Chunks compared at the same time.")]
MaxStatements = Annotated[
    float | None, typer.Option("--max-statements", metavar="N", min=0.1, help="Statements a second on either server.")
]
MaxReplicationLag = Annotated[
    int | None, typer.Option(metavar="BYTES", min=0, help="Wait while a receiver of the source is further behind.")
]
Slowdown = Annotated[
    float | None, typer.Option(metavar="X", min=1.1, help="Rest when the source takes X times as long as at its best.")
]
ChunkRows = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Rows compared at once; 200,000, or 5,000 with --live.")
]
Reconnect = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Try a server again that was lost in the middle.")
]
MaxShare = Annotated[
    float | None,
    typer.Option(metavar="PERCENT", min=0.1, max=100, help="Of the time, to have a statement running on a server."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")]


def readable_or_stop(source: str, target: str, rules: Path | None) -> dict[str, TableRule]:
    """The rules. What is wrong with them and with either DSN is told together and ends the command."""
    wrong = unreadable({Side.SOURCE: source, Side.TARGET: target})
    for fault in wrong:
        complain(fault)
    ruled = rules_of(rules) if rules else {}
    if wrong or ruled is None:
        raise typer.Exit(Exit.BAD_INPUT)
    return ruled


def limits(
    max_statements: float | None, max_replication_lag: int | None, slowdown: float | None, max_share: float | None
) -> LoadLimits:
    """Limits of the load as options say them; `max_share` in percent."""
    return LoadLimits(
        statements_per_second=max_statements,
        replication_lag_bytes=max_replication_lag,
        slowdown=slowdown,
        share=max_share / 100 if max_share is not None else None,
    )


@contextmanager
def told() -> Iterator[None]:
    """What keeps a verification from being made, as an exit code: 2 for what was asked, 1 for what went wrong."""
    try:
        yield
    except (DsnUnreadable, TableMissing, RulesUnfit, ManifestOfOther, ChunksOfOther, LinesUnreadable) as failure:
        complain(failure)
        raise typer.Exit(Exit.BAD_INPUT) from None
    except CrossfadeError as failure:
        complain(failure)
        raise typer.Exit(Exit.FAILED) from None
