"""What a flag says of an experiment: a mode, and the percentage of users for whom it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from crossfade.facade.errors import RolloutInvalid


class Mode(StrEnum):
    """Who answers those who are within the percentage. Everybody else is always answered by legacy alone."""

    LEGACY = "legacy"
    SHADOW = "shadow"
    """Legacy answers; modern is asked besides, and compared."""
    MODERN_WITH_FALLBACK = "modern_with_fallback"
    """Modern answers; when it fails, legacy does."""
    MODERN = "modern"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """`mode` holds for users whose segment is below `percent` (0 to 100). Raises RolloutInvalid for another percent.

    Both are one value, so that no call ever sees a new mode with an old percentage.
    """

    mode: Mode
    percent: float = 100.0

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100:  # NaN is neither
            raise RolloutInvalid((f"percent must lie from 0 to 100, not {self.percent}",))

    def includes(self, segment: float) -> bool:
        return segment < self.percent


EVERYBODY_LEGACY = Rollout(mode=Mode.LEGACY, percent=0.0)


def rollout_from_flag(value: object) -> Rollout:
    """The rollout that a provider's value stands for: `{"mode": …, "percent": …}`, and nothing besides.

    Raises RolloutInvalid with every fault. A percentage must be given: 100 would be a bold guess for what is missing.
    """
    if not isinstance(value, Mapping):
        raise RolloutInvalid((f"a {type(value).__name__} where mode and percent belong",))
    mode, percent = value.get("mode"), value.get("percent")
    modes = [known.value for known in Mode]
    faults = []
    if not isinstance(mode, str) or mode not in modes:
        faults.append(f"mode must be one of {', '.join(modes)}")
    if isinstance(percent, bool) or not isinstance(percent, int | float):
        faults.append("percent must be a number")
    elif not 0 <= percent <= 100:  # NaN is neither
        faults.append("percent must lie from 0 to 100")
    if unknown := len(value.keys() - {"mode", "percent"}):
        faults.append(f"{unknown} keys that are neither mode nor percent")
    if faults:
        raise RolloutInvalid(tuple(faults))
    return Rollout(mode=Mode(str(mode)), percent=float(str(percent)))
