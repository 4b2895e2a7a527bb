"""What the judge says after a look."""

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What to do with the canary's share."""

    PROMOTE = "promote"
    HOLD = "hold"
    ABORT = "abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision and why.

    `metric` is what decided it, a Metric or the name of a counted one: of an abort the worst, of a hold the one that
    lacks evidence, None where the whole look does. `e_value` is the evidence against the canary (of that metric, else
    of the one nearest to its threshold), `threshold` what aborts by it.
    `reason` is one sentence for a person.
    """

    decision: Decision
    metric: str | None
    e_value: float
    threshold: float
    reason: str
