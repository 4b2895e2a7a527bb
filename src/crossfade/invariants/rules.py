"""All the rules together, and what they are fed with."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crossfade.invariants import checkers
from crossfade.invariants.story import Story
from crossfade.model.entry import Entry
from crossfade.model.events import Earlier, MigrationEnded, MigrationPlanned
from crossfade.model.seen import Seen
from crossfade.model.terms import Outcome, Side


class Rule(StrEnum):
    """The numbers are the design's; the rest is what it says of the journal and of the switch."""

    ONE_WRITER = "1 one writer"
    WAY_BACK = "2 the way back"
    VERIFIED = "3 verified before finalized"
    DATA = "4 missing data holds"
    WORDS = "4 a person's word"
    NO_FLAPPING = "5 no flapping"
    SHARES = "6 shares"
    RECORD = "record, then act"
    PROMISE = "no write lost or doubled"


_BY_JOURNAL: tuple[tuple[Rule, Callable[[Story, Entry], Iterator[str]]], ...] = (
    (Rule.ONE_WRITER, checkers.one_writer),
    (Rule.WAY_BACK, checkers.way_back),
    (Rule.WAY_BACK, checkers.loses_nothing),
    (Rule.VERIFIED, checkers.verified),
    (Rule.VERIFIED, checkers.baked),
    (Rule.DATA, checkers.judged_on_data),
    (Rule.DATA, checkers.previewed),
    (Rule.DATA, checkers.compared_on_data),
    (Rule.WORDS, checkers.words),
    (Rule.NO_FLAPPING, checkers.in_order),
    (Rule.NO_FLAPPING, checkers.damped),
    (Rule.SHARES, checkers.shares),
    (Rule.RECORD, checkers.record),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`rule` was broken at `at`. `what` is for people, and begins with the entry if it is about one."""

    rule: Rule
    at: datetime
    what: str

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.what}"


class Rules:
    """One migration's rules: told what happens, in its order, each method answers with the violations that it shows.

    `violations` holds all so far. Time is that of whoever tells; entries are heard when they are durable.
    """

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self._story = Story()
        self._share = 0.0
        self._risen_for = 0

    def hear(self, entry: Entry, seen: Seen | None = None) -> tuple[Violation, ...]:
        """The next entry of the journal. `seen` is what its decision knew of the world, where that is known."""
        story = self._story
        found = [(rule, what) for rule, check in _BY_JOURNAL for what in check(story, entry)]
        if seen is not None:
            found += [(Rule.DATA, what) for what in checkers.passed_on_data(story, entry, seen)]
        story.go_on(entry)
        return self._broken(entry.at, *((rule, f"entry {entry.position}: {what}") for rule, what in found))

    def saw_writers(self, at: datetime, *, source_open: bool, target_open: bool) -> tuple[Violation, ...]:
        """Which sides let the application write at this instant, by their grants."""
        if source_open and target_open:
            return self._broken(at, (Rule.ONE_WRITER, "both databases accept application writes"))
        return ()

    def saw_way_back(self, at: datetime, *, alive: bool, fault: str | None = None) -> tuple[Violation, ...]:
        """Whether a write on the target would arrive on the source. `fault` names what has broken it from outside.

        A fault excuses that it is dead, but not that the migration goes forward over it for longer than a sighting is
        fresh.
        """
        story = self._story
        if alive or not story.needs_way_back:
            story.way_back_dead = None
            return ()
        story.way_back_dead = story.way_back_dead or at
        if fault is None:
            return self._broken(at, (Rule.WAY_BACK, "the way back is dead, and nothing from outside has broken it"))
        return ()

    def saw_share(self, at: datetime, percent: float, *, by_hand: bool = False) -> tuple[Violation, ...]:
        """The router's share is `percent` now. `by_hand`: a fault or a person made it so, not the migration."""
        before, self._share = self._share, percent
        if by_hand:
            self._risen_for = 0
        if by_hand or percent == before:
            return ()
        wanted, intent = self._story.share_wanted, self._story.share_intent
        change = f"the share goes from {before:g} % to {percent:g} %"
        if percent != wanted:
            return self._broken(at, (Rule.SHARES, f"{change}; the journal wants {wanted:g} %"))
        if percent > before and self._risen_for == intent:
            return self._broken(at, (Rule.SHARES, f"{change}, twice for entry {intent}"))
        self._risen_for = intent if percent > before else self._risen_for
        return ()

    def saw_users(self, at: datetime, *, lost: int, doubled: int) -> tuple[Violation, ...]:
        """What the users' own ledger says of the writes that were acknowledged to them."""
        if lost or doubled:
            return self._broken(at, (Rule.PROMISE, f"{lost} acknowledged writes are lost, {doubled} are doubled"))
        return ()

    def _broken(self, at: datetime, *found: tuple[Rule, str]) -> tuple[Violation, ...]:
        if not found:
            return ()
        violations = tuple(Violation(rule=rule, at=at, what=what) for rule, what in found)
        self.violations += violations
        return violations

    def may_follow(self, entries: Sequence[Entry], before: Earlier | None) -> Earlier:
        """What a later cutover goes on from, when all `entries` were heard, which go on from `before` themselves."""
        story, last = self._story, entries[-1]
        failed_back = isinstance(last.event, MigrationEnded) and last.event.outcome is Outcome.FAILED_BACK
        if not failed_back or story.writer is not Side.SOURCE:
            self._broken(
                last.at, (Rule.RECORD, f"entry {last.position}: a later cutover goes on from {last.event.kind}")
            )
        return Earlier(entries=(before.entries if before else 0) + last.position, head=last.hash, epoch=story.epoch)


def broken_rules(entries: Iterable[Entry]) -> tuple[Violation, ...]:
    """What a journal shows by itself."""
    rules = Rules()
    for entry in entries:
        rules.hear(entry)
    return tuple(rules.violations)


def broken_rules_over(journals: Sequence[Sequence[Entry]]) -> tuple[Violation, ...]:
    """What all journals of one migration show: each by itself, and that each goes on from the one before."""
    found: list[Violation] = []
    before: Earlier | None = None
    ended: datetime | None = None
    for number, entries in enumerate(journals):
        rules, first = Rules(), entries[0]
        for entry in entries:
            rules.hear(entry)
        planned = first.event
        if isinstance(planned, MigrationPlanned) and planned.after != before:
            found.append(
                Violation(rule=Rule.RECORD, at=first.at, what="entry 1: it does not go on from what was before")
            )
        if ended is not None and first.at < ended:
            found.append(
                Violation(rule=Rule.RECORD, at=first.at, what="entry 1: it begins before the one before ended")
            )
        if number < len(journals) - 1:
            before, ended = rules.may_follow(entries, before), entries[-1].at
        found += rules.violations
    return tuple(found)
