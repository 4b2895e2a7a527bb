"""What there is to look at, by phase and course: an adapter is asked only for what the decision needs."""

from crossfade.model.terms import Phase
from crossfade.runbook.phases import Course
from crossfade.runbook.state import State

_BY_PHASE: dict[Phase, frozenset[str]] = {
    Phase.PREPARE: frozenset(),
    Phase.REPLICATE: frozenset({"replication", "servers", "files", "links", "source"}),
    Phase.VALIDATE: frozenset({"replication", "files", "links", "source"}),
    Phase.SHADOW: frozenset({"replication", "files", "links", "source", "shadow", "shares"}),
    Phase.CANARY: frozenset({"replication", "arms", "shares", "files", "links", "source"}),
    Phase.CUTOVER: frozenset({"replication", "arms", "shares", "files", "links", "source"}),
    Phase.BAKE: frozenset({"replication", "way_back", "writer", "arms", "shares", "files", "links", "source"}),
    Phase.FINALIZE: frozenset({"replication", "way_back", "writer", "arms", "shares", "links"}),
}
_BEYOND_RETURN = frozenset({"arms", "shares"})


def wants(state: State) -> frozenset[str]:
    """The fields of `Seen` that `decide` may need in this state."""
    if state.phase is None or state.outcome is not None:
        return frozenset()
    if state.course is Course.ROLLING_BACK:
        return frozenset({"shares", "drained"})
    if state.course is Course.FAILING_BACK:
        return frozenset({"shares", "replication", "way_back", "files"})
    if not state.returns:
        return _BEYOND_RETURN
    return _BY_PHASE[state.phase] | ({"way_back"} if state.needs_way_back else frozenset())
