"""What the shadow phase compared, by its last look: numbers and names of fields. No value of an answer is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossfade.journal.port import Entry
from crossfade.model.comparing import Agreement, FieldFinding, FieldJudged, ShadowReading
from crossfade.model.events import AnswersCompared, GatePassed, GateWaits, MigrationPlanned
from crossfade.report.summary import Tile
from crossfade.report.telling import clause
from crossfade.report.units import say_count, say_number, say_percent
from crossfade.runbook.phases import Gate

_MOODS = {Agreement.AGREES: "good", Agreement.UNCLEAR: "back", Agreement.REGRESSION: "bad"}
_WORDS = {
    Agreement.AGREES: "The answers agree",
    Agreement.UNCLEAR: "It stayed unclear",
    Agreement.REGRESSION: "The answers differ",
}
_FINDINGS = {FieldFinding.TOLERATED: "too seldom to count"}
_LARGEST_TOLD = 1e6  # an e-value beyond it is overwhelming, whatever its digits


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferingField:
    """A field's line. `differ` and `noise` are numbers of pairs, with their part of those that could show it."""

    path: str
    differ: str
    noise: str
    e_value: str
    finding: str
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedAnswers:
    """`sentence` says what came of it, `mood` is good, back or bad; `fields` are those that differed, worst first.

    `threshold` is the e-value of a regression, empty where there is no field to hold against it.
    """

    sentence: str
    mood: str
    tiles: tuple[Tile, ...] = ()
    fields: tuple[DifferingField, ...] = ()
    threshold: str = ""


def compared_answers(entries: Sequence[Entry]) -> ComparedAnswers | None:
    """None where the plan compares no answers."""
    plan = next((e.event.plan for e in entries if isinstance(e.event, MigrationPlanned)), None)
    if plan is None or not plan.mirror_percent:
        return None
    looks = [e.event for e in entries if isinstance(e.event, AnswersCompared)]
    if not looks:
        return ComparedAnswers(sentence=_why_nothing(entries), mood="back")
    last = looks[-1]
    begun_anew = len({look.reading.boot for look in looks}) > 1
    return ComparedAnswers(
        sentence=f"{_WORDS[last.verdict]}: {clause(last.reason)}.{_by_override(entries)}",
        mood=_MOODS[last.verdict],
        tiles=tuple(_tiles(last.reading, begun_anew)),
        fields=tuple(_field(field, last.reading) for field in last.fields),
        threshold=say_number(last.threshold) if last.fields else "",
    )


def _why_nothing(entries: Sequence[Entry]) -> str:
    waits = [e.event for e in entries if isinstance(e.event, GateWaits) and e.event.gate == Gate.ANSWERS_AGREE]
    said = f"No look at the answers was taken: {clause(waits[-1].reason)}." if waits else "No answers were compared."
    return said + _by_override(entries)


def _by_override(entries: Sequence[Entry]) -> str:
    passed = [e.event for e in entries if isinstance(e.event, GatePassed) and e.event.gate == Gate.ANSWERS_AGREE]
    return " A person's override let it go on." if passed and passed[-1].facts.get("override") else ""


def _tiles(reading: ShadowReading, begun_anew: bool) -> Iterator[Tile]:
    note = f"the legacy side was asked twice in {say_count(reading.repeated)}"
    if begun_anew:
        note += "; counted since the collector last began anew"
    yield Tile(label="Pairs compared", value=say_count(reading.pairs), note=note)
    yield Tile(label="Matched", value=say_count(reading.matched), note="pairs without any difference")
    yield _latency(reading)
    note = "calls that the modern side alone did not answer in time"
    yield Tile(label="Unanswered", value=say_count(reading.unanswered), note=note)
    by_guard, by_database = reading.refused_by_guard, reading.refused_by_database
    note = f"{say_count(by_guard)} by the guard, {say_count(by_database)} by the database"
    yield Tile(label="Refused writes", value=say_count(by_guard + by_database), note=note)
    left = {
        "too many in flight": reading.dropped,
        "read from different databases": reading.apart,
        "unanswered by the legacy side": reading.control_unanswered,
        "not free of side effects": reading.unsafe,
    }
    note = ", ".join(f"{say_count(count)} {why}" for why, count in left.items() if count)
    yield Tile(label="Not compared", value=say_count(sum(left.values())), note=note)


def _latency(reading: ShadowReading) -> Tile:
    ratio, low, high = reading.latency_ratio, reading.latency_low, reading.latency_high
    if ratio is None or low is None or high is None:
        return Tile(label="Latency ratio", value="not measured")
    note = f"times as long as the legacy side takes ({low:.3g} to {high:.3g})"
    return Tile(label="Latency ratio", value=f"{ratio:.3g}", note=note)


def _field(field: FieldJudged, reading: ShadowReading) -> DifferingField:
    many = field.e_value >= _LARGEST_TOLD
    return DifferingField(
        path=field.path,
        differ=_of(field.differ, reading.pairs),
        noise=_of(field.noise, reading.repeated),
        e_value=f"over {say_count(_LARGEST_TOLD)}" if many else say_number(field.e_value),
        finding=_FINDINGS.get(field.finding, str(field.finding)),
        look=str(field.finding),
    )


def _of(count: int, pairs: int) -> str:
    return f"{say_count(count)} ({say_percent(100 * count / pairs)})" if pairs else "unknown"
