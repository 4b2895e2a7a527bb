"""What becomes of copies of requests, between sides that answer as a test wants."""

import asyncio
from itertools import count

import pytest

from crossfade.model.comparing import FieldCounts, ShadowReading
from crossfade.shadow import is_sampled
from crossfade.shadowing.calls import TooLarge, Unanswered
from crossfade.shadowing.collector import Collector
from tests.shadowing.sides import Side, answer, call, collector, settle


def right() -> Side:
    return Side(lambda _: answer({"balance": "1.00"}))


def wrong() -> Side:
    return Side(lambda _: answer({"balance": "1.10"}))


async def offered(made: Collector, calls: int = 1) -> ShadowReading:
    for number in range(calls):
        made.offer(call(number))
        await settle(made)
    return made.reading()


def collect(made: Collector, calls: int = 1) -> ShadowReading:
    return asyncio.run(offered(made, calls))


def test_answers_that_agree_are_a_pair_that_matches() -> None:
    reading = collect(collector(right(), right()), 5)
    assert (reading.pairs, reading.matched, reading.repeated, reading.fields) == (5, 5, 5, ())


def test_the_field_is_named_when_the_candidate_alone_differs() -> None:
    reading = collect(collector(right(), wrong()), 5)
    assert (reading.pairs, reading.matched) == (5, 0)
    (found,) = reading.fields
    assert (found.path, found.counts) == ("body.balance", FieldCounts(candidate_only=5))


def test_a_write_of_a_user_meanwhile_is_no_difference_whenever_it_comes() -> None:
    """One write at each place among the readings of control, candidate and control."""
    for place in range(5):
        read = count()

        def now(_: object, read: "count[int]" = read, place: int = place) -> object:
            return answer({"balance": "2.00" if next(read) >= place else "1.00"})

        reading = collect(collector(Side(now), Side(now)))  # type: ignore[arg-type]
        assert (reading.pairs, reading.matched, reading.fields) == (1, 1, ()), f"written before reading {place}"


def test_the_control_is_asked_a_third_time_only_where_something_differs() -> None:
    control = right()
    collect(collector(control, right()))
    assert len(control.asked) == 2
    control = right()
    collect(collector(control, wrong()))
    assert len(control.asked) == 3


def test_what_the_control_never_answers_twice_alike_tells_nothing() -> None:
    numbers = count()
    control = Side(lambda _: answer({"id": next(numbers), "balance": "1.00"}))
    candidate = Side(lambda _: answer({"id": next(numbers), "balance": "1.10"}))
    (found,) = collect(collector(control, candidate)).fields
    assert found.path == "body.balance"


def test_the_control_is_asked_twice_for_the_share_that_is_wanted_and_the_same_ones_everywhere() -> None:
    control, again = right(), right()
    reading = collect(collector(control, right(), repeat_percent=30), 500)
    assert 100 < reading.repeated < 200
    collect(collector(again, right(), repeat_percent=30), 500)
    assert [asked.id for asked in control.asked] == [asked.id for asked in again.asked]


def test_the_sample_is_that_of_the_stable_hash() -> None:
    control = right()
    collect(collector(control, right(), sample_percent=20, repeat_percent=0), 300)
    assert [asked.id for asked in control.asked] == [
        f"request-{number}" for number in range(300) if is_sampled(f"request-{number}", 20)
    ]


@pytest.mark.parametrize(
    ("method", "target", "asked"),
    [
        ("GET", "/api/accounts/2", True),
        ("HEAD", "/api/accounts/2", True),
        ("POST", "/api/transfers", False),
        ("DELETE", "/api/transfers/1", False),
        ("POST", "/api/search?q=1", True),
        ("POST", "/api/search/more", False),
    ],
)
def test_only_safe_methods_and_routes_declared_safe_are_asked(method: str, target: str, asked: bool) -> None:
    control, candidate = right(), right()
    made = collector(control, candidate, safe_routes=("/api/search",))

    async def offer() -> None:
        made.offer(call(method=method, target=target))
        await settle(made)

    asyncio.run(offer())
    assert bool(candidate.asked) is bool(control.asked) is asked
    assert made.reading().unsafe == int(not asked)


def test_a_copy_of_a_copy_is_not_asked_again() -> None:
    control = right()
    made = collector(control, right())

    async def offer() -> None:
        made.offer(call(X_Crossfade_Shadow="1"))
        await settle(made)

    asyncio.run(offer())
    assert control.asked == []


def test_further_copies_are_dropped_and_counted_when_too_many_are_in_flight() -> None:
    async def flood() -> tuple[int, int, ShadowReading]:
        control = right()
        control.open = asyncio.Event()
        made = collector(control, right(), max_in_flight=3)
        for number in range(10):
            made.offer(call(number))
        await asyncio.sleep(0)
        in_flight, asked = made.in_flight, len(control.asked)
        control.open.set()
        await settle(made)
        return in_flight, asked, made.reading()

    in_flight, asked, reading = asyncio.run(flood())
    assert (in_flight, asked) == (3, 3)
    assert (reading.pairs, reading.dropped) == (3, 7)


def test_what_is_under_way_is_cancelled_when_it_closes() -> None:
    async def close() -> tuple[int, int, int]:
        candidate = right()
        candidate.open = asyncio.Event()
        made = collector(right(), candidate)
        made.offer(call())
        for _ in range(20):
            await asyncio.sleep(0)
        assert candidate.asked
        await made.close()
        return candidate.cancelled, made.in_flight, made.reading().pairs

    assert asyncio.run(close()) == (1, 0, 0)


def test_silence_of_the_candidate_is_counted_and_the_second_call_to_the_control_is_cancelled() -> None:
    candidate = right()
    candidate.failure = Unanswered()
    reading = collect(collector(right(), candidate), 4)
    assert (reading.pairs, reading.unanswered, reading.control_unanswered) == (0, 4, 0)


def test_silence_of_the_control_is_not_the_candidates_fault() -> None:
    control, candidate = right(), right()
    control.failure = Unanswered()
    reading = collect(collector(control, candidate), 4)
    assert (reading.pairs, reading.unanswered, reading.control_unanswered) == (0, 0, 4)
    assert candidate.asked == []


def test_an_answer_too_large_to_hold_is_dropped() -> None:
    candidate = right()
    candidate.failure = TooLarge()
    reading = collect(collector(right(), candidate))
    assert (reading.pairs, reading.dropped) == (0, 1)


def test_a_fault_of_the_comparison_costs_a_pair_and_tells_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    candidate = right()
    candidate.failure = ZeroDivisionError("MARK of a customer")
    reading = collect(collector(right(), candidate))
    assert (reading.pairs, reading.dropped) == (0, 1)
    assert "ZeroDivisionError" in caplog.text
    assert "MARK" not in caplog.text


def test_answers_read_from_different_databases_are_not_compared() -> None:
    control = Side(lambda _: answer({"balance": "1.00"}, x_read_from="source"))
    candidate = Side(lambda _: answer({"balance": "0.50"}, x_read_from="target"))
    reading = collect(collector(control, candidate))
    assert (reading.pairs, reading.apart, reading.fields) == (0, 1, ())


@pytest.mark.parametrize(("by", "counted"), [("guard", (1, 0)), ("database", (0, 1))])
def test_a_write_that_was_refused_is_counted_by_who_refused_it(by: str, counted: tuple[int, int]) -> None:
    candidate = Side(lambda _: answer({}, status=403, x_refused_by=by))
    reading = collect(collector(right(), candidate))
    assert (reading.refused_by_guard, reading.refused_by_database) == counted


def test_memory_does_not_grow_with_the_pairs() -> None:
    made = collector(right(), wrong())
    collect(made, 200)
    kept = made._comparer
    assert sum(len(tally.examples) for tally in kept._tallies.values()) <= 3
    assert made.in_flight == 0
