"""What a planted bug is: a small change of the real code, or of its seam, and what it must be found by."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from crossfade.invariants import Rule

LOST = "no acknowledged write is lost"
DOUBLED = "no write is doubled"
HALTS = "it halts only where a person must look"
ENDS = "it ends"
OUTCOME = "the outcome is so"
ONE_AT_THE_END = "one primary at the end"
SEQUENCES = "sequences stay ahead"
RECORDED = "what is recorded is so"
FAILURE = "no failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """`harm` is what it would do to a bank; `rules` are those of which one at least must be found broken."""

    name: str
    harm: str
    rules: frozenset[str]
    put: Callable[[pytest.MonkeyPatch], None]


class Garden:
    """Collects the plants of one module, in their order."""

    def __init__(self) -> None:
        self.plants: list[Plant] = []

    def plant(
        self, harm: str, *rules: Rule | str
    ) -> Callable[[Callable[[pytest.MonkeyPatch], None]], Callable[[pytest.MonkeyPatch], None]]:
        def collect(put: Callable[[pytest.MonkeyPatch], None]) -> Callable[[pytest.MonkeyPatch], None]:
            name = put.__name__.replace("_", " ")
            self.plants.append(Plant(name=name, harm=harm, rules=frozenset(str(rule) for rule in rules), put=put))
            return put

        return collect
