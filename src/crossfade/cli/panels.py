"""The pieces of the live view. Each is a pure function of what is known, and at least 80 columns wide suffices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten
from typing import Self

from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from crossfade.model.progress import ArmRates, Progress
from crossfade.model.terms import Phase
from crossfade.report.telling import Importance, Told
from crossfade.report.units import (
    say_bytes,
    say_clock,
    say_count,
    say_duration,
    say_milliseconds,
    say_percent,
)

UNKNOWN = "unknown"
_STYLES = {
    Importance.DETAIL: "dim",
    Importance.STEP: "",
    Importance.MILESTONE: "bold",
    Importance.PROBLEM: "bold red",
}
_VERDICTS = {"promote": "green", "hold": "yellow", "abort": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """Signs that the terminal's encoding can show."""

    done: str = "✓"
    now: str = "▶"
    back: str = "◀"
    later: str = "·"
    full: str = "█"
    empty: str = "░"
    rule: str = "─"

    @classmethod
    def of(cls, console: Console) -> Self:
        if console.options.ascii_only:
            return cls(done="+", now=">", back="<", later=".", full="#", empty="-", rule="-")
        return cls()


def heading(migration: str, progress: Progress, began: datetime | None) -> RenderableType:
    """Which migration, how long it has been running and what is left."""
    line = Table.grid(expand=True)
    line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True)
    state = Text(migration or "migration", style="bold")
    if progress.course != "forward":
        state.append(f"  {progress.course.replace('_', ' ')}", style="bold red")
    if progress.held:
        state.append("  held", style="bold yellow")
    elapsed = "" if began is None else say_clock(progress.at - began)
    left = "" if progress.time_left is None else f"  waits still to come: {say_duration(progress.time_left)}"
    line.add_row(state, Text(f"{elapsed}{left}"))
    return line


def phases(progress: Progress, glyphs: Glyphs) -> Text:
    """The eight phases: done, now, to come. Going back marks the phase from which it went."""
    order = list(Phase)
    place = -1 if progress.phase is None else order.index(progress.phase)
    strip = Text(no_wrap=True, overflow="ellipsis")
    for i, phase in enumerate(order):
        if i < place:
            sign, style = glyphs.done, "green"
        elif i > place:
            sign, style = glyphs.later, "dim"
        elif progress.course == "forward":
            sign, style = glyphs.now, "bold cyan"
        else:
            sign, style = glyphs.back, "bold red"
        strip.append(f"{sign} {phase}", style=style)
        strip.append(" " if i < len(order) - 1 else "")
    return strip


def share_bar(progress: Progress, width: int, glyphs: Glyphs) -> Text:
    """How many users are on the modern servers."""
    if progress.canary_percent is None:
        return Text("share   not known", style="dim")
    room = max(10, min(width, 100) - 30)
    full = round(room * progress.canary_percent / 100)
    bar = Text("share   ", no_wrap=True)
    bar.append(glyphs.full * full, style="dark_orange")
    bar.append(glyphs.empty * (room - full), style="blue")
    return bar.append(f"  {say_percent(progress.canary_percent)} modern")


def arms(progress: Progress) -> Table:
    """Both arms side by side."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("arm", width=6)
    for title in ("requests/s", "error rate", "p50", "p95"):
        table.add_column(title, justify="right", width=11)
    for name, style, rates in (("legacy", "blue", progress.baseline), ("modern", "dark_orange", progress.canary)):
        table.add_row(Text(name, style=style), *_cells(rates))
    return table


def _cells(rates: ArmRates | None) -> tuple[str, ...]:
    if rates is None:
        return ("-",) * 4
    latencies = ("-" if ms is None else say_milliseconds(ms) for ms in (rates.p50_ms, rates.p95_ms))
    return (say_count(rates.requests_per_second), say_percent(rates.error_rate * 100), *latencies)


def facts(progress: Progress, threshold: float | None, width: int) -> Table:
    """Database, files, judge, and what is going on: a line each, two for the judge's reason."""
    reason = shorten(progress.reason or "-", 2 * width - 36, placeholder=" ...")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", min_width=6, no_wrap=True)
    table.add_column()
    table.add_row("data", _one_line(_database(progress)))
    table.add_row("back", _one_line(_way_back(progress)))
    table.add_row("judge", _one_line(_judge(progress, threshold)))
    table.add_row("why", Text(reason, style="dim"))
    table.add_row("now", _one_line(_doing(progress)))
    if progress.warnings:
        table.add_row("warns", _one_line(Text("; ".join(progress.warnings), style="bold yellow")))
    return table


def _one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _database(progress: Progress) -> Text:
    lag = UNKNOWN if progress.lag is None else say_duration(progress.lag)
    size = UNKNOWN if progress.lag_bytes is None else say_bytes(progress.lag_bytes)
    writer = "neither side known to take" if progress.writer is None else f"{progress.writer} takes"
    return Text(f"{writer} writes, replication lag {lag}, {size}")


def _way_back(progress: Progress) -> Text:
    proven = progress.way_back_proven
    said = {True: ("alive", "green"), False: ("not proven alive", ""), None: (UNKNOWN, "dim")}[proven]
    text = Text.assemble("way back ", said)
    return (
        text if progress.files_pending is None else text.append(f", files pending {say_count(progress.files_pending)}")
    )


def _judge(progress: Progress, threshold: float | None) -> Text:
    if progress.verdict is None:
        return Text("-", style="dim")
    text = Text.assemble((progress.verdict, _VERDICTS.get(progress.verdict, "")))
    if progress.e_value is not None:
        limit = "" if threshold is None else f", aborts at {threshold:g}"
        text.append(f"  e-value {progress.e_value:.3g}{limit}")
    return text


def _doing(progress: Progress) -> Text:
    if progress.doing:
        return Text(progress.doing.replace("_", " "), style="cyan")
    return Text(
        f"waits: {progress.waiting}" if progress.waiting else "-", style="yellow" if progress.waiting else "dim"
    )


def log(told: Sequence[Told], lines: int, console: Console) -> tuple[RenderableType, ...]:
    """The newest sentences, oldest first: `lines` in all, one each, but as many as it needs for a problem."""
    rule = Rule(characters=Glyphs.of(console).rule, style="dim")
    drawn = [line for each in told for line in _lines(each, console)]
    return (rule, *drawn[-lines:])


def _lines(told: Told, console: Console) -> Sequence[Text]:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{told.at.astimezone():%H:%M:%S} ", style="dim")
    line.append(told.text, style=_STYLES[told.importance])
    return [*line.wrap(console, console.width, no_wrap=False)] if told.importance is Importance.PROBLEM else [line]
