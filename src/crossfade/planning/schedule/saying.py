"""Durations and phases in words."""

from crossfade.model.terms import Phase
from crossfade.planning.schedule.records import Estimate
from crossfade.report.units import say_duration

_WORDS = {
    Phase.PREPARE: "preflight, and what it finds is cleared",
    Phase.REPLICATE: "full load, then CDC; servers and files are copied",
    Phase.VALIDATE: "test instances are checked, every row is verified",
    Phase.SHADOW: "answers of both sides are compared",
    Phase.CANARY: "traffic shift",
    Phase.CUTOVER: "every row is verified, then the writer is switched",
    Phase.BAKE: "both sides alive, the way back kept",
    Phase.FINALIZE: "point of no return",
}


def says(phase: Phase, took: Estimate) -> str:
    """What happens, and how long it takes."""
    return f"{_WORDS[phase]}: {in_words(took)}"


def in_words(took: Estimate) -> str:
    """`2 h 5 min, in one of ten trials more than 3 h`, or that it never ends."""
    if took.p50 is None:
        return "never ends: changes come faster than the link carries them"
    if took.p90 is None:
        return f"{say_duration(took.p50)}, and in one of ten trials or more it never ends"
    if say_duration(took.p50) == say_duration(took.p90):
        return say_duration(took.p50)
    return f"{say_duration(took.p50)}, at most {say_duration(took.p90)} in nine of ten trials"
