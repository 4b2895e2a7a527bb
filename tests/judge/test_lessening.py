import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.judge.bins import division
from crossfade.judge.capital import Floats
from crossfade.judge.lessening import FEW, FewPlaces, ManyPlaces, lessening
from tests.judge.traffic import EDGES_MS

BINS, FIRST, BETS = 9, 2, 5


def drawn_division(data: st.DataObject, places: int) -> Floats:
    """Each bin's requests lie in at most so many places, anywhere; one bin's in just so many."""
    parts = np.zeros((BINS, BINS))
    for row in range(BINS):
        least = places if row == 0 else 1
        at = data.draw(st.lists(st.integers(0, BINS - 1), min_size=least, max_size=places, unique=True))
        parts[row, at] = data.draw(st.lists(st.floats(0.01, 1), min_size=len(at), max_size=len(at)))
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("few", "most"), [(1, 2), (FEW, 3), (FEW + 1, 1), (2, BINS)])
@given(data=st.data())
def test_each_bet_is_paid_by_the_mean_over_where_requests_lie(few: int, most: int, data: st.DataObject) -> None:
    slower, healthy = drawn_division(data, few), drawn_division(data, most)
    payoffs = np.array(data.draw(st.lists(st.floats(1e-3, 50), min_size=BETS * BINS, max_size=BETS * BINS)))
    payoffs = payoffs.reshape(BETS, BINS)
    lessened = lessening(slower, healthy, FIRST, BETS)
    assert isinstance(lessened, FewPlaces if max(few, most) <= FEW else ManyPlaces)
    for bet, paid in enumerate(payoffs):
        wanted = (slower if bet < FIRST else healthy) @ paid
        assert np.allclose(lessened.means(payoffs)[bet], wanted, rtol=1e-12, atol=0)


def test_the_usual_bins_need_no_matrices() -> None:
    learnt = np.ones(len(EDGES_MS) + 1)
    slower, healthy = (division(EDGES_MS, learnt, by, rising=by < 1.1) for by in (1.05, 1.2))
    assert isinstance(lessening(slower, healthy, FIRST, BETS), FewPlaces)
