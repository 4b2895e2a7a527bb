"""What the engine asks of a router: four verbs."""

from pathlib import Path
from typing import Protocol

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Shares
from crossfade.model.terms import NoData, Side


class Router(Protocol):
    """Sends users to legacy (`SOURCE`) or modern (`TARGET`) servers. Raising a share moves no user back."""

    def shares(self) -> Shares | NoData:
        """What the router does now, by its own word."""
        ...

    def set_shares(self, canary_percent: float, order: int | None = None) -> Shares:
        """The share is `canary_percent` (0 to 100), checked after the change; returns what the router then says.

        `order` grows with the journal: whoever gives a lower one than somebody before has been overtaken, and nothing
        is changed. Without an order nobody is asked.
        Raises `PercentOutOfRange`, `Overtaken`, `RouterUnreachable`, `SharesNotTaken`, `SharesNotWritten`.
        """
        ...

    def mirror(self, percent: float, order: int | None = None) -> None:
        """That share of requests (0: off) is also sent to the modern servers, whose answers nobody waits for.

        Raises as `set_shares` does.
        """
        ...

    def drained(self, side: Side) -> bool | NoData:
        """True when no request is in flight to the servers of `side`."""
        ...


class PercentOutOfRange(CrossfadeError):
    """A share was asked for that is not one."""

    remedy = "Ask for a share from 0 to 100 percent."

    def __init__(self, percent: float) -> None:
        self.percent = percent
        super().__init__(f"a share of {percent} % was asked for")


class Overtaken(CrossfadeError):
    """An order came later than one that was given after it: of an engine that stood still, or a message under way."""

    retryable = True
    remedy = "Read the journal anew: somebody else has gone on with the migration."

    def __init__(self, order: int, present: int) -> None:
        self.order, self.present = order, present
        super().__init__(f"the router follows order {present} already; order {order} comes too late")


class RouterUnreachable(CrossfadeError):
    """The router did not answer, or what it answered is no answer."""

    retryable = True
    remedy = "See that the router runs and that its admin address is the one that was configured."

    def __init__(self, admin_url: str, reason: str) -> None:
        self.admin_url, self.reason = admin_url, reason
        super().__init__(f"the router at {admin_url} does not answer: {reason}")


class SharesNotTaken(CrossfadeError):
    """The router was told its shares and says, after a while, that it does something else."""

    retryable = True
    remedy = "See that nobody else changes the router's shares and that it watches the folder it was started with."

    def __init__(self, wanted: Shares, reported: str) -> None:
        self.wanted, self.reported = wanted, reported
        super().__init__(
            f"the router was told {wanted.canary_percent} % (mirror {wanted.mirror_percent} %) and says: {reported}"
        )


class SharesNotWritten(CrossfadeError):
    """What is wanted of the router could not be stored where it looks."""

    retryable = True
    remedy = "Make room on that disk and see that the folder can be written; going back to 0 % works without."

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"the router's shares cannot be written to {folder}: {reason}")


def in_order(order: int | None, present: int) -> int:
    """The order that holds from now on; raises `Overtaken` if `order` is older than the `present` one."""
    if order is not None and order < present:
        raise Overtaken(order, present)
    return present if order is None else order


def as_percent(percent: float) -> float:
    """The share itself; raises `PercentOutOfRange` unless it lies from 0 to 100 (NaN does not)."""
    if not 0 <= percent <= 100:
        raise PercentOutOfRange(percent)
    return percent
