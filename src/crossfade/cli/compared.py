"""The result of a shadow comparison, for people and for programs."""

from typing import Any

from rich.table import Table
from rich.text import Text

from crossfade.cli.output import people
from crossfade.shadow import ComparedField, Comparison, FieldVerdict

_SHOWN = 30  # fields for people; the JSON object has them all
_COLOURS = {FieldVerdict.REGRESSION: "bold red", FieldVerdict.UNCLEAR: "yellow", FieldVerdict.NOISE: "dim"}


def tell(result: Comparison) -> None:
    """A table of the fields that differ, examples of what differs beyond noise, and what follows from it."""
    if result.fields:
        people.print(_table(result))
    for field in result.fields[:_SHOWN]:
        if field.verdict is not FieldVerdict.NOISE:
            _tell_examples(field)
    if len(result.fields) > _SHOWN:
        people.print(f"… and {len(result.fields) - _SHOWN:,} more fields; the JSON object has them all")
    if result.fields_merged:
        people.print("[yellow]![/] there are too many fields: some were counted with the one they stand in; see `maps`")
    _tell_end(result)


def _table(result: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, side in (("field", "left"), ("differ", "right"), ("noise", "right"), ("e-value", "right"), ("", "left")):
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]  # the stubs want literals
    for field in result.fields[:_SHOWN]:
        table.add_row(
            Text(field.path),
            f"{field.counts.differ:,}",
            f"{field.counts.noise:,}",
            f"{field.e_value:.3g}",
            Text(field.verdict.value, style=_COLOURS[field.verdict]),
        )
    return table


def _tell_examples(field: ComparedField) -> None:
    for example in field.examples:
        line = f"  {field.path}, line {example.line}: {example.control} → {example.candidate}"
        people.print(Text(line, style="dim"), soft_wrap=True)


def _tell_end(result: Comparison) -> None:
    if not result.pairs:
        people.print("[yellow]?[/] no pair was compared")
        return
    worst = result.worst
    mark = (
        "[red]✗[/]"
        if worst is FieldVerdict.REGRESSION
        else "[yellow]?[/]"
        if worst is FieldVerdict.UNCLEAR
        else "[green]✓[/]"
    )
    regressions = sum(field.verdict is FieldVerdict.REGRESSION for field in result.fields)
    unclear = sum(field.verdict is FieldVerdict.UNCLEAR for field in result.fields)
    left_out = f", {result.left_out:,} not in the sample" if result.left_out else ""
    people.print(
        f"{mark} {result.matched:,} of {result.pairs:,} pairs match{left_out}: "
        f"{_counted(regressions)}, {unclear} unclear, a regression being an e-value of {result.threshold:,.0f}",
        soft_wrap=True,
    )
    if result.latency:
        ratio = result.latency
        people.print(f"  the candidate takes {ratio.ratio:.3g} times as long ({ratio.low:.3g} to {ratio.high:.3g})")
    if unclear and not result.repeated:
        people.print(
            "  [dim]→[/] Record a second answer of the control (`control_again`): without it noise cannot be told.",
            soft_wrap=True,
        )
    elif unclear:
        people.print(
            "  [dim]→[/] Record more pairs, with a second answer of the control: for these fields they are few."
        )


def _counted(regressions: int) -> str:
    return "1 regression" if regressions == 1 else f"{regressions:,} regressions"


def as_json(result: Comparison) -> dict[str, Any]:
    """Source: the contract of the command line; docs/shadow.md describes each key."""
    latency = result.latency
    return {
        "pairs": result.pairs,
        "matched": result.matched,
        "repeated": result.repeated,
        "left_out": result.left_out,
        "fields": [_field(field) for field in result.fields],
        "threshold": result.threshold,
        "fields_merged": result.fields_merged,
        "latency_ratio": latency.ratio if latency else None,
        "latency_ratio_interval": [latency.low, latency.high] if latency else None,
    }


def _field(field: ComparedField) -> dict[str, Any]:
    return {
        "path": field.path,
        "differ": field.counts.differ,
        "noise": field.counts.noise,
        "verdict": field.verdict.value,
        "e_value": field.e_value,
        "examples": [
            {"line": example.line, "control": example.control, "candidate": example.candidate}
            for example in field.examples
        ],
    }
