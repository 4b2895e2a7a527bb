"""Crossfade's shares, as its router keeps them on disk: an application follows the ladder of its migration.

The folder is the one that the router watches; what stands there is what is wanted, and it is replaced as a whole.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from crossfade.facade.errors import SharesUnreadable
from crossfade.facade.rollout import EVERYBODY_LEGACY, Mode, Rollout

_CURRENT = "current"
_MODERN, _LEGACY, _MIRROR = "traffic.weight.modern", "traffic.weight.legacy", "traffic.mirror"
_DENOMINATORS = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """`canary_percent` of the users are on the modern servers, `mirror_percent` of the requests are mirrored."""

    canary_percent: float
    mirror_percent: float = 0.0

    def rollout(self, canary: Mode = Mode.MODERN_WITH_FALLBACK) -> Rollout:
        """What a facade makes of them.

        Canary users get modern, with legacy to fall back on; once everybody has moved, modern alone: after the cutover
        legacy's writes would be lost, and shares do not tell whether that has been. Before the first canary user,
        what the router mirrors is shadowed here. Raises RolloutInvalid unless both lie from 0 to 100.
        """
        if self.canary_percent >= 100:
            return Rollout(mode=Mode.MODERN, percent=self.canary_percent)
        if self.canary_percent != 0:
            return Rollout(mode=canary, percent=self.canary_percent)
        if self.mirror_percent != 0:
            return Rollout(mode=Mode.SHADOW, percent=self.mirror_percent)
        return EVERYBODY_LEGACY


ReadShares: TypeAlias = Callable[[], Shares]


class RuntimeFolder:
    """The runtime folder of a router that Crossfade leads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self) -> Shares:
        """Raises SharesUnreadable when they are missing, or are no shares; never guesses."""
        try:
            values = self._values()
            modern, legacy = int(values[_MODERN]), int(values[_LEGACY])
            mirror = json.loads(values[_MIRROR])
            mirrored = 100 * int(mirror["numerator"]) / _DENOMINATORS[mirror["denominator"]]
        except OSError as failure:
            raise SharesUnreadable(str(self._folder), failure.strerror or type(failure).__name__) from failure
        except (KeyError, TypeError, ValueError) as wrong:
            raise SharesUnreadable(str(self._folder), "what stands there are no shares") from wrong
        if modern < 0 or legacy < 0 or modern + legacy == 0 or not 0 <= mirrored <= 100:
            raise SharesUnreadable(str(self._folder), "the weights there are no shares of a whole")
        return Shares(canary_percent=100 * modern / (modern + legacy), mirror_percent=mirrored)

    def _values(self) -> dict[str, str]:
        """Of one version, though another may replace and remove it meanwhile. Raises OSError."""
        while True:
            version = (self._folder / _CURRENT).resolve()  # followed once
            try:
                return {key: (version / key).read_text("utf-8") for key in (_MODERN, _LEGACY, _MIRROR)}
            except FileNotFoundError:
                if version == (self._folder / _CURRENT).resolve():
                    raise  # it was not replaced: nothing is there


class SharesFlags:
    """Every experiment follows the migration's shares; no OpenFeature needed."""

    def __init__(self, read: ReadShares, *, canary: Mode = Mode.MODERN_WITH_FALLBACK) -> None:
        self._read, self._canary = read, canary

    def rollout(self, flag: str) -> Rollout:  # noqa: ARG002 - one migration, one answer for all
        """Raises what `read` raises, and RolloutInvalid when it returns no shares."""
        return self._read().rollout(self._canary)
