"""The write windows: each switch seen from 10 to 10 milliseconds, as the users saw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from crossfade.report.figures import stagger
from crossfade.report.plot import Band, Frame, Mark, Tick
from crossfade.report.scale import round_top, ticks
from crossfade.report.series import RESOLUTION, WriteWindow
from crossfade.report.units import say_count, say_duration, say_milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    left: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """All that a template needs to draw one switch. `quiet`: the longest stretch without an acknowledged write."""

    ident: str
    title: str
    write_window: str
    quiet: str
    summary: str
    frame: Frame
    y_ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    moments: tuple[Mark, ...]
    readouts: tuple[str, ...]


def switches(windows: Sequence[WriteWindow]) -> tuple[Switch, ...]:
    return tuple(_switch(window, number) for number, window in enumerate(windows, start=1))


def longest_quiet(window: WriteWindow) -> timedelta:
    """The longest run of 10 ms stretches without an acknowledged write, among those recorded."""
    longest = run = 0
    for count in window.acknowledged:
        run = 0 if count else run + 1
        longest = max(longest, run)
    return longest * RESOLUTION


def _switch(window: WriteWindow, number: int) -> Switch:
    frame = _frame(window)
    top = round_top(max(window.acknowledged, default=1))
    cell = 100 / max(1, len(window.acknowledged))
    bars = tuple(
        Bar(left=round(i * cell, 3), width=round(cell, 3), height=round(100 * count / top, 2))
        for i, count in enumerate(window.acknowledged)
        if count
    )
    taken = "not recorded" if window.write_window is None else say_duration(window.write_window)
    quiet = say_duration(longest_quiet(window))
    return Switch(
        ident=f"switch-{number}",
        title=f"Switch {number}: writes move to the {window.to}",
        write_window=taken,
        quiet=quiet,
        summary=(
            f"{say_count(sum(window.acknowledged))} writes acknowledged in {say_milliseconds(_width_ms(window))}; "
            f"no side took writes (fence to open) for {taken}; longest stretch without an acknowledged write: {quiet}."
        ),
        frame=frame,
        y_ticks=tuple(Tick(place=100 * y / top, label=say_count(y)) for y in ticks(top, at_most=4) if y == int(y)),
        bars=bars,
        moments=tuple(_moments(window)),
        readouts=tuple(f"{_at(frame, i)}: {count} acknowledged" for i, count in enumerate(window.acknowledged)),
    )


def _at(frame: Frame, place: int) -> str:
    return frame.say_x(frame.first + place * RESOLUTION / timedelta(milliseconds=1))


def _width_ms(window: WriteWindow) -> float:
    return len(window.acknowledged) * RESOLUTION / timedelta(milliseconds=1)


def _frame(window: WriteWindow) -> Frame:
    first = -(window.before / timedelta(milliseconds=1))
    last = first + max(10.0, _width_ms(window))
    bare = Frame(first=first, last=last, x_ticks=(), say_x=_from_fence)
    step = round_top((last - first) / 6)
    places = [i * step for i in range(int(first // step), int(last // step) + 1) if first <= i * step <= last]
    opened = window.write_window
    bands: tuple[Band, ...] = ()
    if opened is not None:
        left, right = bare.place(0.0), bare.place(opened / timedelta(milliseconds=1))
        bands = (Band(name="", look="closed", left=round(left, 2), width=round(right - left, 2)),)
    inside = [mark for mark in _moments(window) if first <= _ms_of(window, mark.letter) <= last]
    return Frame(
        first=first,
        last=last,
        x_ticks=tuple(Tick(place=round(bare.place(x), 2), label=_from_fence(x)) for x in places),
        say_x=_from_fence,
        bands=bands,
        marks=stagger(inside),
    )


def _from_fence(ms: float) -> str:
    return f"{ms:+.0f} ms" if ms else "0 ms"


def _ms_of(window: WriteWindow, letter: str) -> float:
    return window.moments[int(letter) - 1][1] / timedelta(milliseconds=1)


def _moments(window: WriteWindow) -> list[Mark]:
    """Every moment in its order, numbered; those beyond the recorded stretch have no place in the plot."""
    first = -(window.before / timedelta(milliseconds=1))
    bare = Frame(first=first, last=first + max(10.0, _width_ms(window)), x_ticks=(), say_x=_from_fence)
    return [
        Mark(
            letter=str(number),
            text=f"{name.replace('_', ' ')} {say_duration(after)}",
            look="switch",
            left=round(bare.place(after / timedelta(milliseconds=1)), 2),
        )
        for number, (name, after) in enumerate(window.moments, start=1)
    ]
