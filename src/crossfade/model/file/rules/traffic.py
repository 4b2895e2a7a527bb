"""Rules of the ladder, the limits and the times."""

from collections.abc import Iterator

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.ladder import rises
from crossfade.model.file.quantities import duration_text
from crossfade.model.file.rules.finding import Finding, unique
from crossfade.model.file.traffic import Strategy

MAX_STOPS = 200
LEAST_STEP = 0.5
"""With this step the ladder still ends within `MAX_STOPS`."""

_LADDER = ("traffic", "ladder")


def ladder_rises(file: MigrationFile) -> Iterator[Finding]:
    """No rise passes `max_step`, the first included. Source: REQUIREMENTS B2."""
    ladder, most = file.traffic.ladder, file.traffic.ladder.max_step
    max_step = (*_LADDER, "max_step")
    if ladder.stops:
        yield from _listed_stops(file)
        return
    for name, value in (("start", ladder.start), ("step", ladder.step)):
        if value > most:
            yield Finding(
                places=((*_LADDER, name), max_step),
                problem=f"{value:g} passes max_step {most:g}",
                remedy=f"set {name} to {most:g} or less",
            )
    if (100 - ladder.start) / ladder.step > MAX_STOPS - 2:
        yield Finding(
            places=((*_LADDER, "step"), (*_LADDER, "start")),
            problem=f"{ladder.step:g} makes more than {MAX_STOPS} stops",
            remedy=f"set step{' and max_step' if most < LEAST_STEP else ''} to {LEAST_STEP} or more",
        )


def _listed_stops(file: MigrationFile) -> Iterator[Finding]:
    ladder, path = file.traffic.ladder, (*_LADDER, "stops")
    for name in sorted({"start", "step"} & ladder.model_fields_set):
        yield Finding(
            places=((*_LADDER, name), path), problem="has no meaning beside stops", remedy=f"remove {name} or stops"
        )
    if list(ladder.stops) != sorted(set(ladder.stops)):
        yield Finding(places=(path,), problem="does not rise", remedy="list the shares in rising order, each once")
        return
    for before, after in rises(ladder.shares()):
        if round(after - before, 6) > ladder.max_step:
            yield Finding(
                places=(path, (*_LADDER, "max_step")),
                problem=f"rises from {before:g} to {after:g}, which passes max_step {ladder.max_step:g}",
                remedy="add stops between",
            )


def bake_times(file: MigrationFile) -> Iterator[Finding]:
    """The stop at 90 bakes longest, warming up leaves time to judge, and baking has time to verify."""
    traffic, ladder = file.traffic, file.traffic.ladder
    bake = (*_LADDER, "bake")
    if ladder.long_bake < ladder.bake:
        yield Finding(
            places=((*_LADDER, "long_bake"), bake),
            problem=f"long_bake {duration_text(ladder.long_bake)} is shorter than bake {duration_text(ladder.bake)}",
            remedy=f"set long_bake to {duration_text(ladder.bake)} or longer",
        )
    if traffic.strategy is Strategy.CANARY and traffic.warm_up >= ladder.bake:
        warm_up, held = duration_text(traffic.warm_up), duration_text(ladder.bake)
        yield Finding(
            places=(("traffic", "warm_up"), bake),
            problem=f"warm_up {warm_up} leaves nothing to judge of bake {held}",
            remedy="set traffic.warm_up shorter than traffic.ladder.bake",
        )
    if traffic.strategy is Strategy.BLUE_GREEN and traffic.keep_warm < traffic.blue_green.watch:
        yield Finding(
            places=(("traffic", "keep_warm"), ("traffic", "blue_green", "watch")),
            problem="keep_warm ends before the new side has been watched",
            remedy="keep the old side warm for traffic.blue_green.watch or longer",
        )
    written = "verification_interval" in file.bake.model_fields_set
    if written and file.bake.verification_interval > file.bake.duration:
        yield Finding(
            places=(("bake", "verification_interval"), ("bake", "duration")),
            problem="is longer than the bake itself",
            remedy="set it to bake.duration or shorter",
        )


def judgement(file: MigrationFile) -> Iterator[Finding]:
    """Promotion asks for less than what aborts allow for, or nothing could ever be shown. Source: docs/judge.md."""
    judge, path = file.limits.judge, ("limits", "judge")
    margin, tolerance = judge.latency_margin_percent, judge.latency_tolerance_percent
    if margin >= tolerance:
        yield Finding(
            places=((*path, "latency_margin_percent"), (*path, "latency_tolerance_percent")),
            problem=f"latency_margin_percent {margin:g} is not below latency_tolerance_percent {tolerance:g}",
            remedy="set the margin lower or the tolerance higher",
        )
    windows = ("limits", "burn_rate", "windows")
    yield from unique(windows, "length", (window.length for window in file.limits.burn_rate.windows))


ALL = (ladder_rises, bake_times, judgement)
