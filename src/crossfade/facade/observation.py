"""What a facade publishes: what both implementations did, without saying for whom or with what."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crossfade.facade.outcome import Finding, Raised, Returned
from crossfade.facade.rollout import Mode

_DIGEST_LETTERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One side's outcome. `raised` is the name of an exception's class, None of a value.

    `digest` is a keyed hash of the value, or of the exception's message: equal for equal ones (as `repr` writes them)
    within one facade, and no way back to them. `shown` is what the experiment's mask let through, None without one.
    """

    raised: str | None
    digest: str
    shown: object
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One call that is worth telling of. Holds no personal data unless the experiment's mask lets some through.

    `user` is a keyed hash of the user's key. `refused` names the effects that the guard has refused. A side that was
    not asked, or did not end, is None.
    """

    experiment: str
    mode: Mode
    finding: Finding
    at: datetime
    user: str | None
    control: Answer | None
    candidate: Answer | None
    refused: tuple[str, ...] = ()

    @property
    def latency_ratio(self) -> float | None:
        """How many times control's time the candidate took; None unless both have ended."""
        if self.control is None or self.candidate is None or self.control.seconds <= 0:
            return None
        return self.candidate.seconds / self.control.seconds


class Masking:
    """Makes of outcomes and users what may be published of them. Whoever lacks `secret` cannot try values out."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def user(self, user: str | None) -> str | None:
        return None if user is None else self._digest("user", user)

    def answer(
        self, outcome: Returned[Any] | Raised | None, mask: Callable[[Any], object] | None = None
    ) -> Answer | None:
        """Never raises: what cannot be written or masked is told as just that."""
        if outcome is None:
            return None
        if isinstance(outcome, Raised):
            kind = type(outcome.error)
            digest = self._digest("error", _told(str, outcome.error))
            name = f"{kind.__module__}.{kind.__qualname__}"
            return Answer(raised=name, digest=digest, shown=None, seconds=outcome.seconds)
        shown = None if mask is None else _told(mask, outcome.value)
        digest = self._digest("value", _told(repr, outcome.value))
        return Answer(raised=None, digest=digest, shown=shown, seconds=outcome.seconds)

    def _digest(self, kind: str, text: object) -> str:
        message = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, "sha256").hexdigest()[:_DIGEST_LETTERS]


def _told(way: Callable[[Any], object], value: object) -> object:
    try:
        return way(value)
    except Exception as failure:  # noqa: BLE001 - the application's own code, about values of any kind
        return f"cannot be told: {type(failure).__name__}"
