"""What the report says first: how it ended, and the numbers that show whether the promises were kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from crossfade.journal.port import Entry
from crossfade.model import events as happened
from crossfade.model.terms import Outcome
from crossfade.report.telling import OUTCOMES, tell
from crossfade.report.units import say_count, say_duration, say_milliseconds

NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number. `kept` tells whether a promise was kept; None where there is none."""

    label: str
    value: str
    note: str = ""
    kept: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`mood` is good, back or bad: the outcome's colour, beside its words."""

    migration: str
    outcome: str
    mood: str
    sentence: str
    tiles: tuple[Tile, ...]


def summarize(entries: Sequence[Entry], result: Mapping[str, object]) -> Summary:
    """`result` is what `rehearse --json` prints; a key that is missing is shown as not recorded."""
    migration = next((e.event.plan.migration for e in entries if isinstance(e.event, happened.MigrationPlanned)), "")
    ended = next((entry for entry in reversed(entries) if isinstance(entry.event, happened.MigrationEnded)), None)
    outcome = ended.event.outcome if ended and isinstance(ended.event, happened.MigrationEnded) else None
    tiles = _tiles(result)
    mood = {Outcome.COMPLETED: "good", Outcome.ROLLED_BACK: "back", Outcome.FAILED_BACK: "back"}
    broken = any(tile.kept is False for tile in tiles)
    return Summary(
        migration=migration or "migration",
        outcome="Not ended" if outcome is None else OUTCOMES[outcome],
        mood="bad" if broken or outcome is None else mood.get(outcome, "bad"),
        sentence=_sentence(ended, result),
        tiles=tiles,
    )


def _tiles(result: Mapping[str, object]) -> tuple[Tile, ...]:
    seconds = _number(result, "seconds")
    took = NOT_RECORDED if seconds is None else say_duration(timedelta(seconds=seconds))
    resumes = _number(result, "resumes")
    return (
        Tile(label="Final primary", value=str(result.get("final_primary", NOT_RECORDED))),
        Tile(label="Duration", value=took, note=_interrupted(resumes, result.get("engine_log"))),
        Tile(label="Requests", value=_count(result, "requests")),
        _none_wanted("Failed requests", result, "failed_requests"),
        Tile(label="Acknowledged writes", value=_count(result, "acknowledged_writes")),
        _none_wanted("Lost writes", result, "lost_writes"),
        _none_wanted("Duplicate writes", result, "duplicate_writes"),
        _windows(result.get("write_unavailable_ms")),
        Tile(label="Verified rows", value=_count(result, "verified_rows")),
        _none_wanted("Differing rows", result, "differing_rows"),
        *_rules(result),
        *_regression(result),
    )


def _interrupted(times: float | None, engine_log: object) -> str:
    if times is None:
        return ""
    said = {0: "never interrupted", 1: "resumed once"}.get(int(times), f"resumed {say_count(times)} times")
    return f"{said}; the engine's log lies beside this report" if engine_log else said


def _sentence(ended: Entry | None, result: Mapping[str, object]) -> str:
    if ended is None:
        return "The journal ends before the migration does."
    lost, doubled = _number(result, "lost_writes"), _number(result, "duplicate_writes")
    writes = _number(result, "acknowledged_writes")
    if lost is None or doubled is None or writes is None:
        return tell(ended).text
    how = f"{say_count(lost) if lost else 'none'} lost, {say_count(doubled) if doubled else 'none'} doubled"
    return f"{tell(ended).text} Of {say_count(writes)} writes that users got acknowledged, {how}."


def _windows(found: object) -> Tile:
    """All write windows, the longest first in mind; an empty list means that writes never moved."""
    if not isinstance(found, Sequence) or isinstance(found, str):
        return Tile(label="Writes unavailable", value=NOT_RECORDED)
    windows = [float(ms) for ms in found if isinstance(ms, int | float)]
    if not windows:
        return Tile(label="Writes unavailable", value="never", note="writes did not move")
    each = ", ".join(say_milliseconds(ms) for ms in windows)
    note = "longest time without an acknowledged write"
    note += ", one switch" if len(windows) == 1 else f", each switch: {each}"
    return Tile(label="Writes unavailable", value=say_milliseconds(max(windows)), note=note)


def _rules(result: Mapping[str, object]) -> list[Tile]:
    """Whether the journal, replayed, shows a rule of the runbook broken; nothing where it was not replayed."""
    found = result.get("violations")
    if not isinstance(found, Sequence) or isinstance(found, str):
        return []
    return [Tile(label="Rules broken", value=say_count(len(found)), note="; ".join(map(str, found)), kept=not found)]


def _regression(result: Mapping[str, object]) -> list[Tile]:
    """Only where there was something to detect or to undo."""
    detection, rollback = _number(result, "detection_requests"), _number(result, "rollback_ms")
    tiles = []
    if detection is not None:
        tiles.append(Tile(label="Detected after", value=f"{say_count(detection)} requests"))
    if rollback is not None:
        note = "from the decision to the last canary request"
        tiles.append(Tile(label="Rolled back in", value=say_milliseconds(rollback), note=note))
    return tiles


def _none_wanted(label: str, result: Mapping[str, object], key: str) -> Tile:
    number = _number(result, key)
    return Tile(label=label, value=_count(result, key), kept=None if number is None else number == 0)


def _count(result: Mapping[str, object], key: str) -> str:
    number = _number(result, key)
    return NOT_RECORDED if number is None else say_count(number)


def _number(result: Mapping[str, object], key: str) -> float | None:
    found = result.get(key)
    return float(found) if isinstance(found, int | float) else None
