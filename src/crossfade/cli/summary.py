"""What a person reads at the end of a rehearsal."""

from rich.markup import escape
from rich.table import Table

from crossfade.cli.output import people
from crossfade.model.terms import Outcome
from crossfade.rehearsal.result import Result

_COLOURS = {
    Outcome.COMPLETED: "green",
    Outcome.ROLLED_BACK: "yellow",
    Outcome.FAILED_BACK: "yellow",
    Outcome.HALTED: "red",
}


def summarize(result: Result) -> None:
    people.print(f"\n[bold {_COLOURS[result.outcome]}]{result.outcome.value.replace('_', ' ')}[/] {result.reason}")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column()
    windows = ", ".join(f"{window:.0f} ms" for window in result.write_unavailable_ms) or "no switch"
    table.add_row("writes go to", f"the {result.final_primary.value}")
    table.add_row("requests", f"{result.requests:,}, {result.failed_requests:,} failed")
    table.add_row(
        "acknowledged writes",
        f"{result.acknowledged_writes:,}, {result.lost_writes} lost, {result.duplicate_writes} twice",
    )
    table.add_row("writes unavailable", windows)
    if result.detection_requests is not None:
        table.add_row("found after", f"{result.detection_requests:,} requests")
    if result.rollback_ms is not None:
        table.add_row("last request there", f"{result.rollback_ms:.0f} ms after the decision")
    table.add_row("verified rows", f"{result.verified_rows:,}, {result.differing_rows} differ")
    table.add_row("took", f"{result.seconds:.0f} s, {result.resumes} resumes")
    table.add_row("report", str(result.report))
    table.add_row("journal", str(result.journal))
    if result.engine_log is not None:
        table.add_row("engine's log", str(result.engine_log))
    people.print(table)
    for violation in result.violations:
        people.print(f"[bold red]✗[/] {escape(violation)}", soft_wrap=True)
    if result.violations:
        people.print(
            "  [dim]→[/] Crossfade has broken a rule of its own: keep journal and report, and tell its authors."
        )
