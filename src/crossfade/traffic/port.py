"""What the engine asks of a router: four verbs."""

from typing import Protocol

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side


class Router(Protocol):
    """Sends users to legacy (`SOURCE`) or modern (`TARGET`) servers. Raising a share moves no user back."""

    def shares(self) -> Shares | NoData:
        """What the router does now, by its own word."""
        ...

    def set_shares(self, canary_percent: float) -> Shares:
        """The share is `canary_percent` (0 to 100), checked after the change; returns what the router then says."""
        ...

    def mirror(self, percent: float) -> None:
        """That share of requests (0: off) is also sent to the modern servers, whose answers nobody waits for."""
        ...

    def drained(self, side: Side) -> bool | NoData:
        """True when no request is in flight to the servers of `side`."""
        ...
