"""Who has approved, and who still must."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from crossfade.model.plan import NeededApproval
from crossfade.model.terms import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """`by` approved `phase`, or its rise to `share` percent, at `at`: by the engine's clock once it has `heard` it."""

    phase: Phase
    share: float | None
    by: str
    at: datetime
    heard: bool = False

    def answers(self, needed: NeededApproval) -> bool:
        return (self.phase, self.share) == (needed.phase, needed.share)


Approvals = tuple[Given, ...]


def approvers(needed: NeededApproval, given: Approvals, now: datetime) -> frozenset[str]:
    """Whose word stands: given to just this, and not older than it may be."""
    return _names(word for word in given if word.answers(needed) and not _expired(needed, word, now))


def expired(needed: NeededApproval, given: Approvals, now: datetime) -> frozenset[str]:
    """Whose only words have become too old."""
    said = _names(word for word in given if word.answers(needed))
    return said - approvers(needed, given, now)


def still_needed(needed: NeededApproval, given: Approvals, now: datetime) -> int:
    """How many more people must approve; 0 when it may begin. A word of somebody not named does not count."""
    who = approvers(needed, given, now)
    if needed.stand_in in who:
        return 0
    return max(0, needed.count - len(who & set(needed.by) if needed.by else who))


def in_words(needed: NeededApproval, given: Approvals, now: datetime) -> str:
    """What is missing, as it follows 'needs': `2 more approvals, of ann, bob or eve`."""
    left, standing = still_needed(needed, given, now), approvers(needed, given, now)
    who = [name for name in needed.by if name not in standing]
    of = f"{', '.join(who[:-1])} or {who[-1]}" if len(who) > 1 else "".join(who)
    again = "".join(f"; that of {name} has expired" for name in sorted(expired(needed, given, now)))
    if needed.count == 1:
        return (f"the approval of {of}" if of else "a person's approval") + again
    more = f"{left} more approval{'s' * (left != 1)}"
    return (f"{more}, of {of}" if of else f"{more}, each of another person") + again


def what(needed: NeededApproval) -> str:
    """What is approved, for people: `cutover`, or `canary at 50 %`."""
    return str(needed.phase) if needed.share is None else f"{needed.phase} at {needed.share:g} %"


def _expired(needed: NeededApproval, word: Given, now: datetime) -> bool:
    return needed.valid_for is not None and word.heard and now - word.at > needed.valid_for


def _names(words: Iterable[Given]) -> frozenset[str]:
    return frozenset(word.by for word in words)
