"""What a dispatcher is given of journals that go on from one another."""

from collections.abc import Sequence
from datetime import UTC, datetime

from crossfade.journal.memory import MemoryJournal
from crossfade.model.events import Earlier, Event, MigrationEnded, MigrationPlanned, PhaseEntered
from crossfade.model.terms import Outcome, Phase
from crossfade.notify.feed import FeedInTurn, JournalFeed
from tests.engine.world import plan

ENDED = MigrationEnded(outcome=Outcome.FAILED_BACK, reason="the source takes writes again")
FIRST = (MigrationPlanned(plan=plan()), PhaseEntered(phase=Phase.PREPARE), ENDED)
SECOND = (
    MigrationPlanned(plan=plan(), after=Earlier(entries=3, head="f" * 64, epoch=2)),
    PhaseEntered(phase=Phase.PREPARE),
)


def append(journal: MemoryJournal, events: Sequence[Event]) -> None:
    journal.append(events, expected=len(journal.read()), at=datetime.now(UTC), by="engine")


def test_notices_come_once_and_in_order_when_a_later_cutover_goes_on_from_a_journal() -> None:
    first, second = MemoryJournal(), MemoryJournal()
    append(first, FIRST)
    append(second, SECOND)
    feed = FeedInTurn([JournalFeed(lambda: first), JournalFeed(lambda: second)])
    assert [notice.position for notice in feed(2, 1)] == [3]  # the last of the first, which nobody had taken yet
    assert [notice.position for notice in feed(0, 100)] == [2, 3, 5]
    append(second, [PhaseEntered(phase=Phase.REPLICATE)])
    (new,) = feed(5, 100)
    assert (new.position, new.title) == (6, "ledger-test: phase replicate")
    assert [notice.position for notice in feed(0, 100)] == [2, 3, 5, 6]
