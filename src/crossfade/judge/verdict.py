"""What the judge says after a look."""

from dataclasses import dataclass
from enum import StrEnum

from crossfade.judge.settings import Metric


class Decision(StrEnum):
    """What to do with the canary's share."""

    PROMOTE = "promote"
    HOLD = "hold"
    ABORT = "abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision and why.

    `metric` is what decided it: of an abort the worse one, of a hold the one that lacks evidence, None where the whole
    look does. `e_value` is the evidence against the canary (of that metric, else the largest), `threshold` what aborts.
    `reason` is one sentence for a person.
    """

    decision: Decision
    metric: Metric | None
    e_value: float
    threshold: float
    reason: str
