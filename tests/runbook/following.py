"""Whether a journal follows the rules."""

from crossfade.invariants import broken_rules
from tests.engine.world import Bench


def assert_the_rules(bench: Bench) -> None:
    assert not broken_rules(bench.journal.read())
