"""`crossfade metrics`: do the file's queries count both arms?"""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.bootstrap import source_of_counts
from crossfade.cli.migration_file import sound
from crossfade.cli.output import Exit, answer, people
from crossfade.model.counts import ArmCounts, ArmReading
from crossfade.model.terms import NoData


def metrics(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Ask the source of counts once, as the judge will, and show what it counts for each arm.

    The section `metrics` says who is asked and for what. Nothing is written anywhere. Exit code 10: it gives no counts,
    and the reason says why.

    Example: crossfade metrics examples/ledger/migration.yaml
    """
    described = sound(file)
    seen = source_of_counts(described).arms()
    if isinstance(seen, NoData):
        people.print(Text.assemble(("✗ ", "bold red"), f"no counts: {seen.reason}"), soft_wrap=True)
        people.print(
            Text.assemble(("  → ", "dim"), "docs/metrics.md says which errors look like what."), soft_wrap=True
        )
    else:
        _tell(seen)
    if json:
        answer(_as_json(seen))
    if isinstance(seen, NoData):
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _tell(seen: ArmReading) -> None:
    for name, arm in (("baseline", seen.baseline), ("canary", seen.canary)):
        people.print(Text(f"{name:9} {arm.requests} requests, {arm.errors} errors{_latency(arm)}"), soft_wrap=True)
        if arm.users_with_errors is not None:
            people.print(Text(f"{'':9} {arm.users_with_errors} users met an error"), soft_wrap=True)
        for counted in arm.counted:
            people.print(Text(f"{'':9} {counted.name}: {counted.good} of {counted.total} went well"), soft_wrap=True)
    if seen.until is not None:
        age = (datetime.now(UTC) - seen.until).total_seconds()
        people.print(Text(f"Counted until {seen.until:%Y-%m-%d %H:%M:%S} UTC, {age:.0f} s ago."), soft_wrap=True)


def _latency(arm: ArmCounts) -> str:
    median, p95 = (arm.latency and arm.latency.quantile_ms(q) for q in (0.5, 0.95))
    return f", median {median:.3g} ms, p95 {p95:.3g} ms" if median is not None and p95 is not None else ""


def _as_json(seen: ArmReading | NoData) -> dict[str, object]:
    if isinstance(seen, NoData):
        return {"counts": False, "reason": seen.reason}
    return {"counts": True, **asdict(seen), "until": seen.until.isoformat() if seen.until else None}
