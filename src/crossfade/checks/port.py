"""What is asked of a side before and after each change: does it work for somebody who uses it?"""

from typing import Protocol

from crossfade.model.seen import CheckResult
from crossfade.model.terms import Suite


class Checks(Protocol):
    def run(self, suite: Suite) -> tuple[CheckResult, ...]:
        """Health, database connectivity and service availability. A check that cannot be made has not passed."""
        ...
