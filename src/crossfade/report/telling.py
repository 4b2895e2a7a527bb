"""Each event of a journal as one clear sentence; live view, plain lines, report and notices all say the same."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import singledispatch

from crossfade.journal.port import Entry
from crossfade.model import events as happened
from crossfade.model.comparing import Agreement
from crossfade.model.plan import Plan
from crossfade.model.terms import Outcome, Phase
from crossfade.report.end_words import aim, reached
from crossfade.report.units import Scalar, say_fact, say_percent
from crossfade.runbook.judging import judge_settings


class Importance(StrEnum):
    """How much a person needs to see it. A `PROBLEM` always shows; a `DETAIL` only to those who look closely."""

    DETAIL = "detail"
    STEP = "step"
    MILESTONE = "milestone"
    PROBLEM = "problem"


class Matter(StrEnum):
    """What a sentence is about."""

    PHASE = "phase"
    STEP = "step"
    GATE = "gate"
    JUDGEMENT = "judgement"
    PERSON = "person"
    RETREAT = "retreat"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One sentence about one event: one line of printable characters; escape it where it becomes HTML.

    `text` closes with the evidence, `bare` is without it; `evidence` holds it as labels and texts.
    """

    at: datetime
    importance: Importance
    topic: Matter
    text: str
    bare: str
    evidence: tuple[tuple[str, str], ...]


def tell(entry: Entry) -> Told:
    """The sentence for any event. Pure; never raises for an event of the union."""
    importance, topic, said = _say(entry.event, entry)
    bare, facts = _one_line(said), _evidence(entry.event)
    evidence = tuple((_one_line(label), _one_line(text)) for label, text in (say_fact(*fact) for fact in facts.items()))
    shown = evidence[:1] if isinstance(entry.event, happened.Looked) else evidence
    closing = ", ".join(f"{label} {value}" for label, value in shown)
    text = f"{bare.removesuffix('.')} ({closing})." if closing else bare
    return Told(at=entry.at, importance=importance, topic=topic, text=text, bare=bare, evidence=evidence)


class Narrator:
    """Tells a journal in order, leaving out looks that say what the look before said."""

    def __init__(self) -> None:
        self._verdict: tuple[str, str | None] | None = None

    def hear(self, entry: Entry) -> Told | None:
        event = entry.event
        if isinstance(event, happened.CountingStarted):
            self._verdict = None
        if isinstance(event, happened.Looked):
            verdict = (event.verdict, event.guard)
            if verdict == self._verdict and event.verdict != "abort":
                return None
            self._verdict = verdict
        return tell(entry)


def narrate(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Told]]:
    """Every entry worth telling, with its sentence."""
    narrator = Narrator()
    for entry in entries:
        told = narrator.hear(entry)
        if told is not None:
            yield entry, told


def threshold(plan: Plan) -> float:
    """The e-value at which the judge aborts: alpha is shared by errors, latency and the metrics of the business."""
    return judge_settings(plan).threshold


Saying = tuple[Importance, Matter, str]


@singledispatch
def _say(event: object, entry: Entry) -> Saying:
    return Importance.DETAIL, Matter.STEP, f"{type(event).__name__} (entry {entry.position})."


@_say.register
def _(event: happened.MigrationPlanned, _: Entry) -> Saying:
    ladder = ", ".join(f"{step.percent:g}" for step in event.plan.ladder)
    how = f"ladder {ladder} %" if event.plan.preview is None else "blue-green"
    what = f"Migration {event.plan.migration} is planned"
    if event.after is not None:
        what = f"A later cutover of {event.plan.migration} is planned, after the fail back (epoch {event.after.epoch})"
    return Importance.MILESTONE, Matter.PHASE, f"{what}: {how}."


@_say.register
def _(_event: happened.EngineStarted, entry: Entry) -> Saying:
    # The plan is entry 1 and the first engine follows it; any later one takes over what another left.
    if entry.position <= 2:
        return Importance.DETAIL, Matter.STEP, "The engine has started."
    return Importance.MILESTONE, Matter.STEP, "The engine has started again and resumes where the journal ends."


@_say.register
def _(event: happened.PhaseEntered, _: Entry) -> Saying:
    return Importance.MILESTONE, Matter.PHASE, f"Phase {event.phase}: {_PHASES[event.phase]}."


@_say.register
def _(event: happened.EndWanted, _: Entry) -> Saying:
    return Importance.DETAIL, Matter.STEP, f"Sets out to {aim(event.end)}."


@_say.register
def _(event: happened.EndReached, _: Entry) -> Saying:
    return Importance.STEP, Matter.STEP, f"{reached(event.end)}."


@_say.register
def _(event: happened.EndMissed, _: Entry) -> Saying:
    text = f"Could not {aim(event.end)}: {clause(event.reason)}."
    if event.retryable:
        return Importance.STEP, Matter.STEP, f"{text} Will try again."
    return Importance.PROBLEM, Matter.STEP, f"{text} {_sentence(event.remedy)}".rstrip()


@_say.register
def _(event: happened.GatePassed, _: Entry) -> Saying:
    return Importance.STEP, Matter.GATE, f"{_gate_words(event.gate)[1]}."


@_say.register
def _(event: happened.GateWaits, _: Entry) -> Saying:
    waits = "Waits" if event.gate == "held" else f"Waits for {_gate_words(event.gate)[0]}"
    return Importance.STEP, Matter.GATE, f"{waits}: {clause(event.reason)}."


@_say.register
def _(event: happened.Warned, _: Entry) -> Saying:
    return Importance.PROBLEM, Matter.STEP, f"Warning: {clause(event.reason)}."


@_say.register
def _(event: happened.WarningEnded, _: Entry) -> Saying:
    eased = _EASED.get(event.subject, f"The warning of {_name(event.subject)} is over")
    return Importance.STEP, Matter.STEP, f"{eased}."


@_say.register
def _(_event: happened.CountingStarted, _: Entry) -> Saying:
    return Importance.DETAIL, Matter.JUDGEMENT, "Warm-up is over; requests count for the judge from here."


@_say.register
def _(event: happened.Looked, _: Entry) -> Saying:
    share = say_percent(event.share * 100)
    if event.guard is not None:
        return Importance.PROBLEM, Matter.JUDGEMENT, f"At {share} a guard stops the canary: {clause(event.guard)}."
    importance = {"abort": Importance.PROBLEM, "promote": Importance.STEP}.get(event.verdict, Importance.DETAIL)
    text = f"At {share} the judge says {event.verdict}: {clause(event.reason)}."
    return importance, Matter.JUDGEMENT, text


@_say.register
def _(event: happened.AnswersCompared, _: Entry) -> Saying:
    if event.verdict is Agreement.REGRESSION:
        return Importance.PROBLEM, Matter.JUDGEMENT, f"The answers differ: {clause(event.reason)}."
    return Importance.DETAIL, Matter.JUDGEMENT, f"The answers so far: {clause(event.reason)}."


@_say.register
def _(event: happened.Approved, entry: Entry) -> Saying:
    what = event.phase if event.share is None else f"{event.phase} at {say_percent(event.share)}"
    return Importance.MILESTONE, Matter.PERSON, f"{entry.by} approved {what}: {clause(event.reason)}."


@_say.register
def _(event: happened.Held, entry: Entry) -> Saying:
    return Importance.MILESTONE, Matter.PERSON, f"{entry.by} holds the migration: {clause(event.reason)}."


@_say.register
def _(event: happened.Released, entry: Entry) -> Saying:
    return Importance.MILESTONE, Matter.PERSON, f"{entry.by} released the hold: {clause(event.reason)}."


@_say.register
def _(event: happened.RollbackRequested, entry: Entry) -> Saying:
    return Importance.MILESTONE, Matter.PERSON, f"{entry.by} asks to go back: {clause(event.reason)}."


@_say.register
def _(event: happened.Overridden, entry: Entry) -> Saying:
    until = f"{event.until:%H:%M:%S %Z}".strip()
    text = f"{entry.by} overrides the judge until {until}: {clause(event.reason)}."
    return Importance.MILESTONE, Matter.PERSON, text


@_say.register
def _(event: happened.RollbackDecided, _: Entry) -> Saying:
    return Importance.PROBLEM, Matter.RETREAT, _retreat("Rolls back", event.cause, event.reason)


@_say.register
def _(event: happened.FailBackDecided, _: Entry) -> Saying:
    text = _retreat("Fails back, writes return to the source", event.cause, event.reason)
    return Importance.PROBLEM, Matter.RETREAT, text


@_say.register
def _(event: happened.RequestRefused, _: Entry) -> Saying:
    return Importance.MILESTONE, Matter.PERSON, f"Refused to {_name(event.request)}: {clause(event.reason)}."


@_say.register
def _(event: happened.MigrationEnded, _: Entry) -> Saying:
    importance = Importance.PROBLEM if event.outcome is Outcome.HALTED else Importance.MILESTONE
    return importance, Matter.END, f"{OUTCOMES[event.outcome]}: {clause(event.reason)}."


def _evidence(event: happened.Event) -> Mapping[str, Scalar]:
    if isinstance(event, happened.AnswersCompared):
        return {
            "pairs": event.reading.pairs,
            "matched": event.reading.matched,
            "fields_that_differ": len(event.fields),
            "latency_ratio": event.reading.latency_ratio,
            "unanswered": event.reading.unanswered,
        }
    if not isinstance(event, happened.Looked):
        return getattr(event, "facts", {})
    return {
        "e_value": event.e_value,
        "metric": event.metric,
        "legacy_requests": event.baseline.requests,
        "legacy_errors": event.baseline.errors,
        "modern_requests": event.canary.requests,
        "modern_errors": event.canary.errors,
        "counted_seconds": event.duration.total_seconds(),
        **_business(event),
    }


def _business(event: happened.Looked) -> Mapping[str, Scalar]:
    return {
        f"{side}_{counted.name}": f"{counted.good} of {counted.total}"
        for side, arm in (("legacy", event.baseline), ("modern", event.canary))
        for counted in arm.counted
    }


def _one_line(text: str) -> str:
    """Reasons come from people and programs: nothing in them may steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def _retreat(what: str, cause: str, reason: str) -> str:
    return f"{what} (decided by: {_name(cause)}): {clause(reason)}."


def _gate_words(gate: str) -> tuple[str, str]:
    """What one waits for, and the sentence once it is there; `judged:2` is the judge at the ladder's third step."""
    word, _, rung = gate.partition(":")
    if word == "judged" and rung.isdecimal():
        return f"the judge at step {int(rung) + 1}", f"Step {int(rung) + 1} of the ladder is passed"
    if word == "approved" and rung:
        return f"approval to send {rung} % of users", f"Approval to send {rung} % of users is given"
    return _GATES.get(word, (_name(gate), f"Gate passed: {_name(gate)}"))


def _name(word: str) -> str:
    return word.replace("_", " ")


def clause(text: str) -> str:
    """A reason without its full stop, which the sentence around it adds."""
    return text.strip().rstrip(".") or "no reason given"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


OUTCOMES = {
    Outcome.COMPLETED: "Completed",
    Outcome.ROLLED_BACK: "Rolled back",
    Outcome.FAILED_BACK: "Failed back",
    Outcome.HALTED: "Halted, a person must look",
}

_GATES = {
    "approved": ("approval", "Approval is given"),
    "full_load_done": ("the full load", "The full load is done"),
    "caught_up": ("replication to catch up", "Replication has caught up"),
    "servers_ready": ("the servers' copies", "Every server is copied"),
    "files_in_step": ("the files' copies", "The files are in step"),
    "answers_agree": ("both sides' answers", "The answers of both sides agree"),
    "drained": ("the last requests in flight", "No request is in flight any more"),
    "previewed": ("the preview of the new side", "The new side has passed its checks for the whole preview"),
    "kept_warm": ("the old side's time to be kept warm", "The old side was kept warm for as long as it had to be"),
    "link_backed": ("a backup of the link", "The link between the sites has a backup"),
    "baked": ("the bake time", "The bake time is over, with the way back alive"),
    "way_back_alive": ("the way back to be alive", "The way back is alive to its end"),
}

_EASED = {
    "link": "The link between the sites has its backup again",
    "wal": "The WAL that is kept for the migration is clearly below its limit again",
    "disk": "The source's disk has room again",
    "connections": "The source has connections to spare again",
    "load": "The source answers at once again",
    "evidence": "The share is not held for want of evidence any more",
    "return": "Nobody is on the modern servers any more",
    "override": "The override is over; the judge is heard again",
    "way_back": "The way back is not dead any more, or cannot be seen",
    "way_back_unseen": "The way back can be seen again",
}

_PHASES = {
    Phase.PREPARE: "connect the sites and see that nothing stands in the way",
    Phase.REPLICATE: "copy data, servers and files, and keep them in step",
    Phase.VALIDATE: "compare every row and try the copies",
    Phase.SHADOW: "compare answers to mirrored reads",
    Phase.CANARY: "move users to the modern servers, step by step",
    Phase.CUTOVER: "move writes to the target",
    Phase.BAKE: "run on the target, with the way back alive",
    Phase.FINALIZE: "end the way back and release the legacy side",
}
