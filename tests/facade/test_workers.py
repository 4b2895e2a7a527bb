import threading
from collections.abc import Iterator

import pytest

from crossfade.facade.workers import Workers
from tests.waiting import wait_for


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers("test", threads=2, waiting=2)
    yield workers
    workers.close()


def ending() -> None:
    raise SystemExit


def test_a_thread_goes_on_when_a_job_would_end_it() -> None:
    workers = Workers("test", threads=1, waiting=2)
    done = threading.Event()
    workers.submit(ending)
    wait_for(lambda: workers._idle == 1)
    workers.submit(done.set)
    assert done.wait(60)
    workers.close()


def test_jobs_run_side_by_side_although_only_one_thread_was_idle(workers: Workers) -> None:
    workers.submit(lambda: None)
    wait_for(lambda: workers._idle == 1)
    both = threading.Barrier(3)
    for _ in range(2):
        assert workers.submit(both.wait)
    both.wait(60)


def test_jobs_are_refused_when_too_many_wait_or_all_is_closed(workers: Workers) -> None:
    released, running = threading.Event(), threading.Barrier(3)

    def hanging() -> None:
        running.wait()
        released.wait()

    for _ in range(2):
        assert workers.submit(hanging)
    running.wait(60)
    assert [workers.submit(released.wait) for _ in range(3)] == [True, True, False]
    assert [workers.full] == [True]
    released.set()
    wait_for(lambda: not workers.full)
    workers.close()
    assert [workers.full, workers.submit(released.wait)] == [True, False]


def test_each_late_job_is_told_of_once_and_no_other(workers: Workers) -> None:
    released = threading.Event()
    told: list[str] = []

    def telling(name: str) -> None:
        told.append(name)
        ending()

    workers.submit(lambda: None, overdue=lambda: telling("in time"), within_s=60)
    workers.submit(released.wait, overdue=lambda: telling("late"), within_s=0.01)
    wait_for(lambda: told)
    released.set()
    wait_for(lambda: workers._idle == workers._alive)
    workers.submit(released.wait, overdue=lambda: telling("after"), within_s=0.0)
    wait_for(lambda: not workers._due)
    assert told[0] == "late"
    assert "in time" not in told
    assert told.count("late") == 1
