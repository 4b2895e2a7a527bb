"""Move groups and waves: who moves when, under wishes that all hold, with a reason each. Pure.

`plan_waves` is the whole of it; docs/waves.md explains what is weighed.
"""

from crossfade.planning.waves.contradiction import Contradictory, NoPlanFound
from crossfade.planning.waves.plan import Method, Moved, Placement, Plan, Wave
from crossfade.planning.waves.planner import plan_waves
from crossfade.planning.waves.problem import Edge, Item, Problem, ProblemFault, ProblemInvalid, faults_of

__all__ = [
    "Contradictory",
    "Edge",
    "Item",
    "Method",
    "Moved",
    "NoPlanFound",
    "Placement",
    "Plan",
    "Problem",
    "ProblemFault",
    "ProblemInvalid",
    "Wave",
    "faults_of",
    "plan_waves",
]
