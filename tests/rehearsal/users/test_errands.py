from collections import Counter
from itertools import islice, pairwise
from uuid import UUID, uuid4

import pytest

from crossfade.rehearsal.users.errands import Arrival, Crowd, Errand, arrivals

CROWD = Crowd(rate=300, writes=0.5, statements=3, users=2000, seed=1)


def first(count: int, crowd: Crowd = CROWD, run: UUID | None = None) -> list[Arrival]:
    return list(islice(arrivals(crowd, run or uuid4()), count))


def test_comes_at_the_rate_when_left_alone() -> None:
    come = first(30_000)
    assert come[-1].due == pytest.approx(100, rel=0.03)
    assert all(earlier.due <= later.due for earlier, later in pairwise(come))


def test_mixes_as_told_when_many_come() -> None:
    kinds = Counter(arrival.errand for arrival in first(30_000))
    assert kinds[Errand.TRANSFER] + kinds[Errand.STATEMENT] == pytest.approx(15_000, rel=0.03)
    assert kinds[Errand.STATEMENT] == pytest.approx(300, rel=0.25)
    assert set(kinds) == set(Errand)


@pytest.mark.parametrize("writes", [0.0, 1.0])
def test_only_reads_or_only_writes_when_told(writes: float) -> None:
    crowd = Crowd(rate=300, writes=writes, statements=3, users=10, seed=1)
    assert {arrival.errand.writes for arrival in first(1000, crowd)} == {bool(writes)}


def test_is_the_same_stream_when_the_seed_is_the_same() -> None:
    run = uuid4()
    assert first(1000, run=run) == first(1000, run=run)
    assert first(1000, Crowd(rate=300, writes=0.5, statements=3, users=2000, seed=2), run) != first(1000, run=run)


def test_keys_never_repeat_when_a_run_follows_another() -> None:
    one, two = uuid4(), uuid4()
    keys = [arrival.key for run in (one, two) for arrival in first(10_000, run=run)]
    assert len(set(keys)) == 20_000
    assert {str(key)[:8] for key in keys} == {str(one)[:8], str(two)[:8]}
