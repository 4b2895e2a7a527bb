"""Where a fault strikes: a phase, a share of the ladder, a decision to go back, or a point of a switch.

`canary` · `canary:25` · `cutover:fenced` · `roll_back` · `fail_back` · `fail_back:fenced`
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crossfade.database.port import SWITCH_POINTS
from crossfade.model import ends
from crossfade.model.entry import Entry
from crossfade.model.events import EndReached, FailBackDecided, PhaseEntered, RollbackDecided
from crossfade.model.terms import Phase, Side


class Turn(StrEnum):
    """Where no phase is entered any more: the decision to go back has been recorded."""

    ROLL_BACK = "roll_back"
    FAIL_BACK = "fail_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """`share`: when the canary has reached that many percent. `point`: there within the switch that belongs to it."""

    phase: Phase | Turn
    share: float | None = None
    point: str | None = None

    @property
    def switch_to(self) -> Side:
        """The direction of the switch whose point this is."""
        return Side.SOURCE if self.phase is Turn.FAIL_BACK else Side.TARGET

    def is_reached(self, entry: Entry) -> bool:
        """Whether `entry` says that it goes on from here. Points of a switch are in no journal."""
        event = entry.event
        if self.point is not None:
            return False
        if self.share is not None:
            return isinstance(event, EndReached) and event.end == ends.SharesAre(canary_percent=self.share)
        if self.phase is Turn.ROLL_BACK:
            return isinstance(event, RollbackDecided)
        if self.phase is Turn.FAIL_BACK:
            return isinstance(event, FailBackDecided)
        return isinstance(event, PhaseEntered) and event.phase is self.phase


def parse_where(word: str, place: str | None, shares: Sequence[float]) -> Where | str:
    """The place that `word` or `word:place` names, or what is wrong with it. `shares` are the ladder's, in percent."""
    named = {str(phase): phase for phase in (*Phase, *Turn)}.get(word)
    if named is None:
        return f"{word!r} is no phase; one of {', '.join((*Phase, *Turn))}"
    if place is None:
        return Where(phase=named)
    if place in SWITCH_POINTS:
        if named not in {Phase.CUTOVER, Turn.FAIL_BACK}:
            return "points of the switch belong to cutover, and to fail_back"
        return Where(phase=named, point=place)
    try:
        share = float(place)
    except ValueError:
        return f"{place!r} is neither a share nor a point of the switch ({', '.join(SWITCH_POINTS)})"
    if named is not Phase.CANARY or share not in shares:
        return f"the ladder has no share {share:g}; it has {', '.join(f'{s:g}' for s in shares)}, all in canary"
    return Where(phase=named, share=share)
