import math
import subprocess
import sys
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.facade import Mode, Rollout, segment

VECTORS = {
    "": 83.192,
    "1": 68.028,
    "alice": 43.148,
    "bob@example.com": 94.728,
    "Zoë": 80.716,
    "用户": 4.733,
}
USERS = [f"user-{number}" for number in range(20_000)]


@pytest.mark.parametrize(("user", "expected"), VECTORS.items())
def test_segment_is_that_of_the_published_vectors(user: str, expected: float) -> None:
    assert segment(user) == expected


def test_segment_follows_the_published_recipe_when_computed_by_hand() -> None:
    first_eight = sha256(b"other salt\x00" + "Zoë".encode()).hexdigest()[:16]
    assert segment("Zoë", "other salt") == int(first_eight, 16) % 100_000 / 1000


def test_segment_is_the_same_in_another_process() -> None:
    program = "from crossfade.facade import segment; print(segment('Zoë'))"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env={"PYTHONHASHSEED": "7"}, text=True
    ).stdout
    assert float(said) == segment("Zoë")


@given(st.text(), st.text())
def test_segment_lies_below_100_and_stays_for_every_text(user: str, salt: str) -> None:
    assert 0 <= segment(user, salt) < 100
    assert segment(user, salt) == segment(user, salt)


@given(st.text(), st.lists(st.floats(0, 100), min_size=2, max_size=12))
def test_nobody_moves_back_when_the_percentage_rises(user: str, ladder: list[float]) -> None:
    inside = [Rollout(mode=Mode.MODERN, percent=percent).includes(segment(user)) for percent in sorted(ladder)]
    assert inside == sorted(inside)


@given(st.text())
def test_everybody_is_in_at_100_and_nobody_at_0(user: str) -> None:
    assert Rollout(mode=Mode.MODERN, percent=100).includes(segment(user))
    assert not Rollout(mode=Mode.MODERN, percent=0).includes(segment(user))


def test_users_are_spread_evenly_over_segments() -> None:
    counts = [0] * 100
    for user in USERS:
        counts[math.floor(segment(user))] += 1
    expected = len(USERS) / len(counts)
    # Chi-squared with 99 degrees of freedom stays below 148 in 999 of 1,000 cases; these users are always the same.
    assert sum((count - expected) ** 2 / expected for count in counts) < 148


@pytest.mark.parametrize("percent", [5, 15, 25, 50, 90])
def test_so_many_users_are_in_as_the_percentage_says(percent: float) -> None:
    inside = sum(segment(user) < percent for user in USERS) / len(USERS)
    sigma = math.sqrt(percent / 100 * (1 - percent / 100) / len(USERS))
    assert abs(inside - percent / 100) < 4 * sigma


def test_another_salt_deals_users_anew() -> None:
    first = {user for user in USERS if segment(user, "one") < 20}
    second = {user for user in USERS if segment(user, "two") < 20}
    expected = len(first) * 0.2
    assert abs(len(first & second) - expected) < 4 * math.sqrt(expected)
