"""Small version of what benchmarks/shadow.py does with 100,000 pairs."""

from crossfade.shadow import FieldTree, Rules
from crossfade.shadow.answers import compare
from tests.shadow.answers import answer
from tests.shadow.generated import RULES, control, drawn_body, equal, planted

PAIRS = 300


def test_nothing_differs_when_pairs_are_equal_by_the_rules() -> None:
    tree = FieldTree(Rules.of(RULES))
    for seed in range(PAIRS):
        body, rng = drawn_body(seed)
        found = compare(answer(control(body)), answer(equal(body, rng)), tree)
        assert not found, (seed, [field.path for field in found])


def test_each_difference_is_found_and_named_when_it_is_planted() -> None:
    tree = FieldTree(Rules.of(RULES))
    for seed in range(PAIRS):
        body, rng = drawn_body(seed)
        path = planted(body, rng)
        found = {field.path for field in compare(answer(control(body)), answer(equal(body, rng)), tree)}
        assert found <= {f"body.{path}", f"body.{path}.*"}, (seed, path, found)
        assert found, (seed, path)
