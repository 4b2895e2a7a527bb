"""Shadow answers that a test or the simulation gives, counted as a collector counts them."""

from dataclasses import replace

from crossfade.model.comparing import FieldCount, FieldCounts, ShadowReading
from crossfade.model.terms import NoData


class InMemoryShadow:
    """Every pair is repeated. `unseen`, when set, is what is seen instead."""

    def __init__(self) -> None:
        self._reading = ShadowReading(boot="1")
        self._fields: dict[str, FieldCounts] = {}
        self.unseen: NoData | None = None

    def reading(self) -> ShadowReading | NoData:
        if self.unseen is not None:
            return self.unseen
        fields = tuple(FieldCount(path=path, counts=counts) for path, counts in self._fields.items())
        return replace(self._reading, fields=fields)

    def restart(self) -> None:
        """It begins anew, as a collector does that was killed."""
        self._reading, self._fields = ShadowReading(boot=str(int(self._reading.boot) + 1)), {}

    def compare(self, pairs: int, *, wrong: int = 0, noise: int = 0, path: str = "body.balance") -> None:
        """So many pairs more. In `wrong` of them the candidate alone differs, in `noise` the control from itself."""
        kept = self._reading
        self._reading = replace(
            kept,
            pairs=kept.pairs + pairs,
            matched=kept.matched + pairs - wrong,
            repeated=kept.repeated + pairs,
            latency_ratio=1.0,
            latency_low=0.9,
            latency_high=1.1,
        )
        if wrong or noise:
            counts = self._fields.get(path, FieldCounts())
            self._fields[path] = replace(
                counts, candidate_only=counts.candidate_only + wrong, noise_only=counts.noise_only + noise
            )

    def leave_unanswered(self, calls: int) -> None:
        """The candidate does not answer so many calls."""
        self._reading = replace(self._reading, unanswered=self._reading.unanswered + calls)
