"""The schedule as a Gantt chart in SVG: no script, no request, light and dark, and on paper."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from crossfade.model.terms import Phase
from crossfade.planning.schedule.records import Schedule, Stage, WaveSchedule

_LEFT, _WIDTH, _TOP, _ROW, _BAR, _FOOT, _MARGIN = 190, 900, 92, 30, 16, 44, 24
_LEAST = 2.0  # units: minutes between weeks are still seen
_LETTERS = 24
_STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 364)
_MOST_TICKS = 12
STYLE = """\
.gantt { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.gantt text { fill: #1c2126; } .gantt .quiet { fill: #5a636c; font-size: 11px; } .gantt .head { font-size: 17px; font-weight: 600; }
.gantt .page { fill: #f6f6f3; } .gantt .odd { fill: #eeefeb; } .gantt .rule { stroke: #d9dad5; } .gantt .deadline { stroke: #b3261e; stroke-width: 2; stroke-dasharray: 6 3; }
.gantt .prepare { fill: #a9b0b6; } .gantt .replicate { fill: #0062a8; } .gantt .validate { fill: #00775a; } .gantt .shadow { fill: #8a3f88; }
.gantt .canary { fill: #cc5200; } .gantt .cutover { fill: #b3261e; } .gantt .bake { fill: #d9a441; } .gantt .finalize { fill: #3a4148; }
.gantt .window { fill: none; stroke: #1c2126; stroke-width: 1.2; } .gantt .warns { fill: #b3261e; font-weight: 700; }
@media screen and (prefers-color-scheme: dark) {
  .gantt text { fill: #e9ebec; } .gantt .quiet { fill: #a3abb3; } .gantt .page { fill: #14171a; } .gantt .odd { fill: #1c2024; } .gantt .rule { stroke: #343a40; }
  .gantt .prepare { fill: #6b747c; } .gantt .replicate { fill: #62b5f5; } .gantt .validate { fill: #3fcf9f; } .gantt .shadow { fill: #e09add; }
  .gantt .canary { fill: #ff9d4d; } .gantt .cutover { fill: #ff8078; } .gantt .bake { fill: #e2bd6f; } .gantt .finalize { fill: #cfd4d8; }
  .gantt .window { stroke: #e9ebec; } .gantt .warns { fill: #ff8078; } .gantt .deadline { stroke: #ff8078; }
}
"""  # noqa: E501  # a style sheet reads best with a rule in a line


def as_svg(schedule: Schedule, *, title: str, deadline: date | None = None, styled: bool = True) -> str:
    """A row for each wave. `styled`: with its own style sheet, to stand alone. The same schedule, the same bytes."""
    zone = ZoneInfo(schedule.time_zone)
    scale = _Scale(schedule, zone, deadline)
    bottom = _TOP + len(schedule.waves) * _ROW
    width, height = _LEFT + _WIDTH + _MARGIN, bottom + _FOOT
    said = f"{len(schedule.waves):,} waves. Phases last as nine of ten trials; times are those of {schedule.time_zone}."
    parts = [
        _opening(width, height, title),
        *([f"<style>\n{STYLE}</style>"] if styled else []),
        f'<rect class="page" width="{width}" height="{height}"/>',
        f'<text class="head" x="{_MARGIN}" y="30">{escape(_visible(title))}</text>',
        f'<text class="quiet" x="{_MARGIN}" y="48">{escape(said)}</text>',
    ]
    parts += [
        f'<rect class="odd" x="{_MARGIN}" y="{_TOP + n * _ROW}" width="{width - 2 * _MARGIN}" height="{_ROW}"/>'
        for n in range(0, len(schedule.waves), 2)
    ]
    parts += _axis(scale, bottom)
    if deadline is not None:
        x = scale.x(datetime.combine(deadline + timedelta(days=1), datetime.min.time(), zone))
        parts.append(
            f'<path class="deadline" d="M{x:.1f} {_TOP - 14}V{bottom}"><title>deadline {deadline}</title></path>'
        )
    warned = {remark.wave for remark in schedule.remarks}
    for n, wave in enumerate(schedule.waves):
        parts += _row(wave, _TOP + n * _ROW, scale, warns=wave.wave in warned)
    parts += _legend(schedule, bottom + 26)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _opening(width: int, height: int, title: str) -> str:
    said = escape(_visible(title), {'"': "&quot;"})
    box = f'viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" class="gantt" {box} role="img" aria-label="{said}">'


class _Scale:
    """From times to places. A day more on either side than is needed."""

    def __init__(self, schedule: Schedule, zone: ZoneInfo, deadline: date | None) -> None:
        fallback = datetime(2000, 1, 1, tzinfo=UTC)
        first, last = schedule.begins or fallback, schedule.ends or fallback
        self.zone = zone
        self.first = first.astimezone(zone).date()
        self.last = max(last.astimezone(zone).date() + timedelta(days=1), deadline or date.min)
        if deadline is not None and (deadline - self.first).days > 1.5 * (last - first).days + 14:
            self.last = last.astimezone(zone).date() + timedelta(days=1)  # a far deadline would squeeze all else
        self.last = max(self.last, self.first + timedelta(days=2))
        self._from = self._midnight(self.first)
        self._span = (self._midnight(self.last + timedelta(days=1)) - self._from).total_seconds()

    def x(self, at: datetime) -> float:
        part = (at - self._from).total_seconds() / self._span
        return _LEFT + _WIDTH * min(1.0, max(0.0, part))

    def ticks(self) -> Iterator[tuple[float, str]]:
        """At most twelve, of whole days or weeks; weeks begin on Monday."""
        days = (self.last - self.first).days + 1
        step = next((each for each in _STEPS if days / each <= _MOST_TICKS), _STEPS[-1])
        day = self.first + timedelta(days=-self.first.weekday() % 7 if step >= 7 else 0)
        while day <= self.last:
            yield self.x(self._midnight(day)), f"{day.day} {day:%b %Y}" if step > 28 else f"{day.day} {day:%b}"
            day += timedelta(days=step)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, datetime.min.time(), self.zone)


def _axis(scale: _Scale, bottom: int) -> Iterator[str]:
    for x, words in scale.ticks():
        yield f'<path class="rule" d="M{x:.1f} {_TOP - 6}V{bottom}"/>'
        yield f'<text class="quiet" x="{x + 3:.1f}" y="{_TOP - 10}">{words}</text>'


def _row(wave: WaveSchedule, top: int, scale: _Scale, *, warns: bool) -> Iterator[str]:
    names = wave.applications
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    label = _visible(names[0] if names else "")
    label = label if len(label) + len(more) <= _LETTERS - 4 else f"{label[: _LETTERS - 5 - len(more)]}…"
    middle = top + _ROW // 2
    mark = '<tspan class="warns">! </tspan>' if warns else ""
    title = escape(f"wave {wave.wave} on {wave.day}: {_visible(', '.join(names[:20]))}")
    yield f'<g><title>{title}</title><text x="{_MARGIN + 4}" y="{middle + 4}">{mark}{wave.wave}'
    yield f'<tspan class="quiet" dx="6">{escape(label + more)}</tspan></text></g>'
    for stage in wave.stages:
        yield _bar(stage, middle, scale)
    if wave.window is not None:
        left, right = scale.x(wave.window.opens), scale.x(wave.window.closes)
        wide = max(right - left, _LEAST)
        words = f"change window until {wave.window.closes.astimezone(scale.zone):%Y-%m-%d %H:%M}"
        yield (
            f'<rect class="window" x="{left:.1f}" y="{middle - _BAR / 2 - 3:.1f}" width="{wide:.1f}"'
            f' height="{_BAR + 6}"><title>{words}</title></rect>'
        )


def _bar(stage: Stage, middle: int, scale: _Scale) -> str:
    left, right = scale.x(stage.begins), scale.x(stage.ends)
    begins, ends = stage.begins.astimezone(scale.zone), stage.ends.astimezone(scale.zone)
    high = _BAR if stage.phase not in {Phase.BAKE, Phase.PREPARE} else _BAR // 2
    words = escape(f"{stage.phase}, {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}: {stage.says}")
    wide = max(right - left, _LEAST)
    return (
        f'<rect class="{stage.phase}" x="{left:.1f}" y="{middle - high / 2:.1f}" width="{wide:.1f}"'
        f' height="{high}"><title>{words}</title></rect>'
    )


def _legend(schedule: Schedule, y: int) -> Iterator[str]:
    shown = [phase for phase in Phase if any(wave.stage(phase) for wave in schedule.waves)]
    for place, phase in enumerate(shown):
        x = _MARGIN + 4 + place * 92
        yield f'<rect class="{phase}" x="{x}" y="{y - 10}" width="12" height="12"/>'
        yield f'<text class="quiet" x="{x + 17}" y="{y}">{phase}</text>'
    x = _MARGIN + 4 + len(shown) * 92
    if any(wave.window for wave in schedule.waves):
        yield f'<rect class="window" x="{x}" y="{y - 11}" width="12" height="14"/>'
        yield f'<text class="quiet" x="{x + 17}" y="{y}">change window</text>'
    if schedule.remarks:
        yield f'<text class="quiet" x="{x + 120}" y="{y}"><tspan class="warns">!</tspan> does not fit, see below</text>'


def _visible(text: str) -> str:
    """Without letters that XML cannot hold or that cannot be seen."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)
