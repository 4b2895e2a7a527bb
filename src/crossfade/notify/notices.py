"""Which events people are told of, wherever they are: phase changes, errors and completion."""

from collections.abc import Iterable, Iterator

from crossfade.journal.port import Entry
from crossfade.model import events as happened
from crossfade.model.terms import Outcome
from crossfade.notify.port import Notice, Topic
from crossfade.report.telling import OUTCOMES, tell

_ENGINE = "engine"  # as `Entry.by` names it


def notices(entries: Iterable[Entry]) -> Iterator[Notice]:
    """The notices of a journal, in its order.

    `entries` begin with the first, which names the migration. The same entry always gives the same notice, so
    that a receiver can drop what it already has by `position`, which in a later cutover goes on counting.
    """
    migration, before = "", 0
    for entry in entries:
        if isinstance(entry.event, happened.MigrationPlanned):
            migration = entry.event.plan.migration
            before = entry.event.after.entries if entry.event.after else 0
        heading = _heading(entry.event, entry.by)
        if heading is not None:
            topic, title = heading
            yield Notice(
                migration=migration,
                position=before + entry.position,
                at=entry.at,
                topic=topic,
                title=f"{migration}: {title}",
                text=tell(entry).text,
            )


def _heading(event: happened.Event, by: str) -> tuple[Topic, str] | None:
    match event:
        case happened.PhaseEntered():
            return Topic.PHASE, f"phase {event.phase}"
        case happened.GateWaits() if "approv" in event.cause:
            return Topic.PHASE, "waits for approval"
        case happened.Held() if by == _ENGINE:
            return Topic.ERROR, "is held, a person must look"
        case happened.Warned():
            return Topic.ERROR, "warns"
        case happened.EndMissed() if not event.retryable:
            return Topic.ERROR, "a step failed"
        case happened.Looked() if event.verdict == "abort":
            return Topic.ERROR, "the canary is aborted"
        case happened.RollbackDecided():
            return Topic.ERROR, "rolls back"
        case happened.FailBackDecided():
            return Topic.ERROR, "fails back"
        case happened.MigrationEnded():
            topic = Topic.ERROR if event.outcome is Outcome.HALTED else Topic.COMPLETION
            return topic, OUTCOMES[event.outcome].lower()
        case _:
            return None
