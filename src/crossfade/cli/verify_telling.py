"""What `crossfade verify` and `crossfade chunks` tell people while they run and when they have ended, and write."""

import json
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.markup import escape
from rich.table import Table

from crossfade.cli.output import SystemRefused, people
from crossfade.model.seen import Verification
from crossfade.verify.examination import Examination
from crossfade.verify.manifest import Progress
from crossfade.verify.outcome import Finding, TextValues
from crossfade.verify.repair import script
from crossfade.verify.settings import VerifySettings
from crossfade.verify.structure import StructureDifference

_SHOWN = 50  # lines for people; --json and --out have them all
_EVERY_SECONDS = 10.0


class Told:
    """A line now and then: how much is compared, and about how long the rest takes."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._done_before: int | None = None  # by others, or before we were started

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._done_before is None:
            self._done_before = progress.rows
        if now - self._last < _EVERY_SECONDS:
            return
        self._last = now
        ours = progress.rows - self._done_before
        left = (progress.of_rows - progress.rows) / ours * (now - self._began) if ours else None
        share = 100 * progress.rows / progress.of_rows if progress.of_rows else 100.0
        rest = f", about {left:.0f} s left" if left is not None else ""
        people.print(f"{share:5.1f} %  {progress.rows} rows, {progress.chunks} of {progress.of_chunks} chunks{rest}")


def tell(found: Verification, findings: Sequence[Finding]) -> None:
    """Differences with their values as a table; what is unresolved; one line at the end."""
    by_rows = {id(finding.difference): finding for finding in findings}
    table = Table("kind", "table", "key", "column", "source", "target", box=None, header_style="dim", pad_edge=False)
    for difference in found.differences[:_SHOWN]:
        finding = by_rows.get(id(difference))
        lines = _values(finding) if finding else []
        head = [difference.kind, difference.table, difference.key]
        for number, line in enumerate(lines or [(", ".join(difference.columns), "", "")]):
            table.add_row(*(escape(text) for text in ((*head, *line) if number == 0 else ("", "", "", *line))))
    if found.differences:
        people.print(table, soft_wrap=True)
    if len(found.differences) > _SHOWN:
        people.print(f"… and {len(found.differences) - _SHOWN} more; --json lists them all")
    for text in found.unresolved[:_SHOWN]:
        people.print(f"[yellow]unresolved[/] {escape(text)}", soft_wrap=True)
    if len(found.unresolved) > _SHOWN:
        people.print(f"… and {len(found.unresolved) - _SHOWN} more unresolved")
    mark = "[red]✗[/]" if found.differences else "[yellow]?[/]" if found.unresolved else "[green]✓[/]"
    people.print(
        f"{mark} {found.rows} rows in {found.tables} tables compared in {found.duration.total_seconds():.1f} s: "
        f"{len(found.differences)} differences, {len(found.unresolved)} unresolved"
    )


def tell_structure(found: Sequence[StructureDifference]) -> None:
    for each in found[:_SHOWN]:
        sides = f"source: {each.source or '–'}   target: {each.target or '–'}"
        people.print(f"{each.kind:12} {escape(f'{each.table} {each.name}'.strip())}  {escape(sides)}", soft_wrap=True)
    if len(found) > _SHOWN:
        people.print(f"… and {len(found) - _SHOWN} more; --json lists them all")
    people.print(f"{'[red]✗[/]' if found else '[green]✓[/]'} {len(found)} differences in what is not rows")


def as_json(finding: Finding) -> dict[str, object]:
    """A difference as in `--json`, and the values that were asked for, by column; null where no single row stands."""
    difference = finding.difference
    return {
        "table": difference.table,
        "key": difference.key,
        "kind": difference.kind,
        "columns": list(difference.columns),
        "source": finding.source,
        "target": finding.target,
    }


def write_lines(path: Path, findings: Sequence[Finding]) -> None:
    """JSON Lines that only their owner may read. Raises `OSError`."""
    with private(path) as file:
        for finding in findings:
            file.write(json.dumps(as_json(finding), ensure_ascii=False) + "\n")


def write_found(settings: VerifySettings, examined: Examination, *, out: Path | None, repair: Path | None) -> None:
    """The files asked for: differences with their values, and what would repair them. Raises SystemRefused."""
    try:
        if out:
            write_lines(out, examined.findings)
        if repair:
            with private(repair) as file:
                file.writelines(script(settings, examined))
    except OSError as refusal:
        raise SystemRefused(refusal) from refusal


def as_answer(found: Verification) -> dict[str, object]:
    """A verification as in `--json`."""
    return {
        "tables": found.tables,
        "rows": found.rows,
        "differences": [
            {"table": d.table, "key": d.key, "kind": d.kind, "columns": list(d.columns)} for d in found.differences
        ],
        "unresolved": list(found.unresolved),
        "seconds": round(found.duration.total_seconds(), 3),
    }


def private(path: Path) -> TextIO:
    """A text file for this user alone, emptied if it stands; what is no file, such as /dev/stdout, is written to."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        os.fchmod(handle, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8")


def _values(finding: Finding) -> list[tuple[str, str, str]]:
    here, there = finding.source, finding.target
    if here is None and there is None:
        return []
    if finding.difference.kind != "changed":
        return []  # the key says it; --out has the row
    return [(name, _text(here, name), _text(there, name)) for name in finding.difference.columns]


def _text(values: TextValues | None, name: str) -> str:
    if values is None:
        return ""
    value = values.get(name)
    return "NULL" if value is None else value
