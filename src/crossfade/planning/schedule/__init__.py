"""How long each wave takes, as ranges, and when its phases are: laid out backwards from its change window. Pure."""

from crossfade.planning.schedule.records import (
    Assumed,
    Concern,
    Estimate,
    Opening,
    Remark,
    Schedule,
    Stage,
    WaveSchedule,
)

__all__ = ["Assumed", "Concern", "Estimate", "Opening", "Remark", "Schedule", "Stage", "WaveSchedule"]
