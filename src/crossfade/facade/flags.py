"""What a facade asks of flags: one verb."""

from typing import Protocol

from crossfade.facade.rollout import Rollout


class Flags(Protocol):
    """Where rollouts come from. May be slow, fail or lie: a facade asks in threads of its own and checks the answer."""

    def rollout(self, flag: str) -> Rollout:
        """What holds for the experiment of that name now. Any exception means that there is no answer."""
        ...
