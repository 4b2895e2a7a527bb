from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from crossfade.journal.port import Entry
from crossfade.model import ends, events
from crossfade.model.comparing import ShadowReading
from crossfade.model.plan import CountedLimits
from crossfade.model.terms import Outcome, Phase, Side, Suite
from crossfade.report.end_words import aim, reached
from crossfade.report.plan_words import plan_in_words
from crossfade.report.telling import Importance, Narrator, Told, narrate, tell, threshold
from crossfade.runbook.phases import Gate
from tests.report import sample

EVENTS = get_args(get_args(events.Event)[0])
ENDS = get_args(get_args(ends.End)[0])
_VALUES: dict[str, Any] = {
    "plan": sample.PLAN,
    "phase": Phase.CUTOVER,
    "end": ends.WriterIs(side=Side.TARGET, epoch=2),
    "reason": "a reason.",
    "remedy": "do this",
    "retryable": False,
    "facts": {"lag_bytes": 2048},
    "subject": "link",
    "gate": "caught_up",
    "cause": "lag",
    "reading": sample.READING,
    "step": 1,
    "share": 0.05,
    "duration": timedelta(seconds=2),
    "baseline": sample.NO_COUNTS,
    "canary": sample.NO_COUNTS,
    "verdict": "hold",
    "threshold": 40.0,
    "fields": (),
    "metric": "latency",
    "e_value": 1.5,
    "until": datetime(2031, 5, 4, 10, tzinfo=UTC),
    "request": "rollback",
    "outcome": Outcome.COMPLETED,
    "suite": Suite.TARGET,
    "primary": Side.TARGET,
    "side": Side.TARGET,
    "to": Side.TARGET,
    "epoch": 2,
    "percent": 10.0,
    "canary_percent": 25.0,
}


_OF_ONE_KIND: dict[Any, dict[str, Any]] = {events.AnswersCompared: {"reading": ShadowReading(boot="1", pairs=5)}}


def made(kind: Any, **given: Any) -> Any:
    """An event or end with a value for each field that needs one."""
    given = _OF_ONE_KIND.get(kind, {}) | given
    needed = {f.name for f in fields(kind) if f.default is MISSING} - given.keys()
    return kind(**given, **{name: _VALUES[name] for name in needed})


def entry(event: Any, position: int = 7, by: str = "engine") -> Entry:
    return Entry(position=position, at=sample.START, by=by, event=event, hash="0" * 64)


def told(kind: Any, **given: Any) -> Told:
    return tell(entry(made(kind, **given), by="Ada"))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_is_one_sentence_of_its_own_when_an_event_of_any_kind_is_told(kind: Any) -> None:
    said = told(kind)
    assert said.text[0].isupper() or said.text.startswith("Ada ")
    assert said.text.endswith(".")
    assert ".." not in said.text
    assert kind.__name__ not in said.text, "told by the fallback"
    assert "{" not in said.text
    assert "None" not in said.text
    assert said.at == sample.START


@pytest.mark.parametrize("kind", ENDS, ids=lambda kind: kind.__name__)
def test_has_words_of_its_own_when_an_end_of_any_kind_is_wanted_or_reached(kind: Any) -> None:
    end = made(kind)
    for words in (aim(end), reached(end)):
        assert words
        assert "{" not in words
        assert "None" not in words
        assert not words.endswith(".")
    assert aim(end)[0].islower()
    assert reached(end)[0].isupper() or reached(end)[0].isdigit()


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (made(events.EndReached, end=ends.SharesAre(canary_percent=25), facts={}), "Share is 25 %."),
        (
            made(events.EndReached, end=ends.WriterIs(side=Side.TARGET, epoch=2), facts={"write_window_ms": 41.3}),
            "The target takes writes, epoch 2 (write window 41.3 ms).",
        ),
        (
            made(events.GateWaits, gate="caught_up", reason="lag is 7.0 s"),
            "Waits for replication to catch up: lag is 7.0 s.",
        ),
        (made(events.GateWaits, gate="held", reason="held by Ada: lunch"), "Waits: held by Ada: lunch."),
        (
            made(events.GatePassed, gate="judged:2", facts={"share": 0.25}),
            "Step 3 of the ladder is passed (share 25 %).",
        ),
        (
            made(events.EndMissed, end=ends.WayBackEnded(), reason="no answer", remedy="Look at the log", facts={}),
            "Could not end the way back: no answer. Look at the log.",
        ),
        (
            made(events.EndMissed, end=ends.WayBackEnded(), reason="no answer", retryable=True, facts={}),
            "Could not end the way back: no answer. Will try again.",
        ),
    ],
)
def test_says_how_things_are_when_told(event: Any, text: str) -> None:
    assert tell(entry(event)).text == text


def test_look_shows_what_it_was_judged_by_when_told() -> None:
    looked = tell(entry(made(events.Looked, verdict="promote")))
    assert looked.text == "At 5 % the judge says promote: a reason (e-value 1.5)."
    assert ("modern requests", "0") in looked.evidence
    assert looked.bare == "At 5 % the judge says promote: a reason."


@pytest.mark.parametrize("gate", [*Gate, "judged:4"])
def test_gate_has_words_of_its_own_when_it_waits_or_passes(gate: str) -> None:
    waits, passed = told(events.GateWaits, gate=gate), told(events.GatePassed, gate=gate, facts={})
    assert waits.text.startswith("Waits for ")
    if gate != "judged":
        assert "Gate passed" not in passed.text


def test_resume_is_told_as_such_when_an_engine_started_before() -> None:
    assert "resumes" not in tell(entry(events.EngineStarted(), position=2)).text
    assert "resumes" in tell(entry(events.EngineStarted(), position=40)).text


def test_is_a_problem_when_a_person_must_know() -> None:
    problems = [
        told(events.EndMissed),
        told(events.RollbackDecided),
        told(events.FailBackDecided),
        told(events.MigrationEnded, outcome=Outcome.HALTED),
        told(events.Looked, verdict="abort"),
        told(events.Looked, verdict="hold", guard="error rate 9 % is over 5 %"),
    ]
    assert {each.importance for each in problems} == {Importance.PROBLEM}
    assert told(events.EndMissed, retryable=True).importance is not Importance.PROBLEM
    assert told(events.MigrationEnded).importance is Importance.MILESTONE


def test_stays_on_one_printable_line_when_a_reason_would_steer_the_terminal() -> None:
    said = told(events.Held, reason="wait\x1b[2J\nand see\x07")
    assert said.text == "Ada holds the migration: wait?[2J and see?."


def test_looks_are_told_once_when_the_verdict_stays() -> None:
    narrator = Narrator()
    looks = [made(events.Looked, verdict=verdict) for verdict in ("hold", "hold", "promote", "hold", "abort", "abort")]
    heard = [narrator.hear(entry(look)) is not None for look in looks]
    assert heard == [True, False, True, True, True, True]


def test_first_look_of_a_step_is_told_when_counting_started_anew() -> None:
    narrator = Narrator()
    narrator.hear(entry(made(events.Looked)))
    narrator.hear(entry(made(events.CountingStarted)))
    assert narrator.hear(entry(made(events.Looked))) is not None


def test_everything_but_repeated_looks_is_told_when_a_whole_migration_is_narrated() -> None:
    story = sample.completed()
    silent = {e.position for e in story} - {e.position for e, _ in narrate(story)}
    assert silent
    assert all(isinstance(e.event, events.Looked) for e in story if e.position in silent)


@pytest.mark.parametrize(("counted", "aborts_at"), [(0, 40), (1, 60), (3, 100)])
def test_threshold_is_that_of_the_judge_when_alpha_is_split_over_its_metrics(counted: int, aborts_at: float) -> None:
    names = ("transfers", "signups", "payments")[:counted]
    limits = replace(sample.PLAN.judge, counted=tuple(CountedLimits(name=name, tolerance=1.5) for name in names))
    plan = replace(sample.PLAN, judge=limits)
    assert threshold(plan) == pytest.approx(aborts_at)
    said = dict(plan_in_words(sample.entries([(0, "engine", events.MigrationPlanned(plan=plan))])))["Judge"]
    assert said.endswith(f"aborts at an e-value of {aborts_at}")
    assert all(f"{name}: odds of going badly below 1.5 times the baseline's" in said for name in names)
