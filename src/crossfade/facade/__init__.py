"""The strangler facade: legacy and modern implementations of one interface in one process.

`Facade` makes experiments, which are called as either implementation would be; flags say whom modern answers.
This package needs nothing besides the standard library, `openfeature_flags` and `provider` the extra `facade`.
docs/facade.md shows how it is used.
"""

from crossfade.facade.async_experiment import AsyncExperiment
from crossfade.facade.errors import (
    FacadeError,
    FlagUnanswered,
    NothingDone,
    RolloutInvalid,
    SettingsInvalid,
    SharesUnreadable,
    SideEffectRefused,
)
from crossfade.facade.experiment import Experiment
from crossfade.facade.facade import Facade
from crossfade.facade.flags import Flags
from crossfade.facade.guard import given_up, guard_effect, in_shadow
from crossfade.facade.health import Health
from crossfade.facade.memory import InMemoryFlags
from crossfade.facade.observation import Answer, Observation
from crossfade.facade.outcome import Finding
from crossfade.facade.rollout import Mode, Rollout, rollout_from_flag
from crossfade.facade.segment import segment
from crossfade.facade.settings import FacadeSettings, Terms
from crossfade.facade.shares import RuntimeFolder, Shares, SharesFlags

__all__ = [
    "Answer",
    "AsyncExperiment",
    "Experiment",
    "Facade",
    "FacadeError",
    "FacadeSettings",
    "Finding",
    "FlagUnanswered",
    "Flags",
    "Health",
    "InMemoryFlags",
    "Mode",
    "NothingDone",
    "Observation",
    "Rollout",
    "RolloutInvalid",
    "RuntimeFolder",
    "SettingsInvalid",
    "Shares",
    "SharesFlags",
    "SharesUnreadable",
    "SideEffectRefused",
    "Terms",
    "given_up",
    "guard_effect",
    "in_shadow",
    "rollout_from_flag",
    "segment",
]
