"""Who has approved, and who still must."""

from crossfade.model.plan import NeededApproval
from crossfade.model.terms import Phase

Approvals = frozenset[tuple[Phase, str]]


def still_needed(needed: NeededApproval, given: Approvals) -> int:
    """How many more people must approve; 0 when the phase may begin. A word of somebody not named does not count."""
    who = {name for phase, name in given if phase is needed.phase}
    if needed.stand_in in who:
        return 0
    return max(0, needed.count - len(who & set(needed.by) if needed.by else who))


def in_words(needed: NeededApproval, given: Approvals) -> str:
    """What is missing, as it follows 'needs': `2 more approvals, of ann, bob or eve`."""
    left = still_needed(needed, given)
    who = [name for name in needed.by if (needed.phase, name) not in given]
    of = f"{', '.join(who[:-1])} or {who[-1]}" if len(who) > 1 else "".join(who)
    if needed.count == 1:
        return f"the approval of {of}" if of else "a person's approval"
    more = f"{left} more approval{'s' * (left != 1)}"
    return f"{more}, of {of}" if of else f"{more}, each of another person"
