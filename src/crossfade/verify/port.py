"""What the engine asks of verification."""

from typing import Protocol

from crossfade.model.seen import Verification
from crossfade.model.terms import NoData, Side


class Verifier(Protocol):
    def verify(self, primary: Side) -> Verification | NoData:
        """Every row of every moved table on both sides, under live writes on `primary`; never a false difference."""
        ...
