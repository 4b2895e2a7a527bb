"""Flags without a provider: for tests, and for applications that keep their rollouts themselves."""

from crossfade.facade.errors import FlagUnanswered
from crossfade.facade.rollout import Mode, Rollout


class InMemoryFlags:
    """Says what it was told last. Raises FlagUnanswered of flags it was told nothing about."""

    def __init__(self, **rollouts: Rollout) -> None:
        self._rollouts = rollouts

    def set(self, flag: str, mode: Mode, percent: float = 100.0) -> None:
        """Raises RolloutInvalid unless the percentage lies from 0 to 100."""
        self._rollouts[flag] = Rollout(mode=mode, percent=percent)

    def rollout(self, flag: str) -> Rollout:
        if flag not in self._rollouts:
            raise FlagUnanswered(flag, "nothing was set")
        return self._rollouts[flag]
