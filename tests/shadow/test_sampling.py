"""The sample is the same on every host: these numbers hold in every language."""

import pytest

from crossfade.shadow.sampling import is_sampled, point


@pytest.mark.parametrize(
    ("request_id", "where"),
    [
        ("", 75.960687936982),
        ("r1", 76.384513775636),
        ("req-000042", 41.065589860444),
        ("7f9c24e8-3b12-4fe8-9f3b-2d1c5a6e7b80", 92.216440348958),
        ("größe", 45.786356240287),
        ("\ud800", 20.981505545395),
    ],
)
def test_a_request_lies_where_it_always_lay(request_id: str, where: float) -> None:
    assert point(request_id) == pytest.approx(where, abs=1e-9)


def test_a_sample_has_its_size_and_holds_every_smaller_one() -> None:
    ids = [f"r{number}" for number in range(20_000)]
    ten, thirty = ({each for each in ids if is_sampled(each, percent)} for percent in (10, 30))
    assert ten < thirty
    assert abs(len(ten) - 2000) < 4 * 42  # four standard deviations
    assert all(is_sampled(each, 100) for each in ids)
    assert not any(is_sampled(each, 0) for each in ids)
