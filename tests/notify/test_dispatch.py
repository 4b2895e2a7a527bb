"""Order, at-least-once, independence of channels: with real threads, cursors and a real webhook."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.notify.cursor import Cursor, FileCursor, MemoryCursor
from crossfade.notify.dispatch import Courier, Dispatcher, Pace
from crossfade.notify.errors import CursorDamaged
from crossfade.notify.memory import MemoryChannel
from crossfade.notify.port import Notice
from crossfade.notify.webhook import WebhookChannel
from tests.notify.receivers import eventually, notice, webhook

QUICK = Pace(
    look=timedelta(seconds=0.01), first_pause=timedelta(seconds=0.01), longest_pause=timedelta(seconds=0.04), batch=3
)


class Book:
    """Notices as a journal would give them; `asked` are the limits."""

    def __init__(self, count: int = 0) -> None:
        self.notices = [notice(position) for position in range(1, count + 1)]
        self.asked: list[int] = []

    def __call__(self, after: int, limit: int) -> Sequence[Notice]:
        self.asked.append(limit)
        return [each for each in self.notices if each.position > after][:limit]


class Hanging(MemoryChannel):
    def __init__(self) -> None:
        super().__init__("hanging")
        self.reached = Event()
        self.released = Event()

    def deliver(self, told: Notice) -> None:
        self.reached.set()
        self.released.wait(180)
        super().deliver(told)


class Broken(MemoryChannel):
    def deliver(self, told: Notice) -> None:
        raise KeyError("T0KEN")


@pytest.fixture(params=["memory", "files"])
def cursor(request: pytest.FixtureRequest, tmp_path: Path) -> Cursor:
    return MemoryCursor() if request.param == "memory" else FileCursor(tmp_path / "cursors")


def test_the_position_is_known_again_when_stored(cursor: Cursor) -> None:
    assert cursor.load("../ops") == 0
    cursor.store("../ops", 7)
    cursor.store("mail", 3)
    assert (cursor.load("../ops"), cursor.load("mail")) == (7, 3)


def test_nothing_is_sent_again_when_the_cursor_is_damaged(tmp_path: Path) -> None:
    cursor = FileCursor(tmp_path)
    cursor.store("memory", 2)
    (tmp_path / "memory.json").write_text("{")
    with pytest.raises(CursorDamaged):
        cursor.load("memory")
    channel = MemoryChannel()
    courier = Courier(channel, Book(3), cursor, QUICK)
    courier.deliver_batch()
    assert channel.taken == []
    assert courier.state.failures == 1


def test_all_arrive_in_order_and_once_when_the_webhook_fails_first(tmp_path: Path) -> None:
    book = Book(8)
    with webhook() as received, WebhookChannel("ops", received.url) as channel:
        received.answers = [500, 200, 503, 503, 200, 429]
        with Dispatcher([channel], book, FileCursor(tmp_path), QUICK):
            eventually(lambda: len(received.taken) == 8)
    assert [taken["position"] for taken in received.taken] == list(range(1, 9))
    assert len(received.attempts) == 12
    assert set(book.asked) == {3}


def test_the_others_are_told_when_one_channel_hangs_and_one_is_broken() -> None:
    hanging, broken, fine = Hanging(), Broken("broken"), MemoryChannel("fine")
    with Dispatcher([hanging, broken, fine], Book(5), MemoryCursor(), QUICK) as dispatcher:
        assert hanging.reached.wait(180)
        eventually(lambda: len(fine.taken) == 5)
        states = {state.channel: state for state in dispatcher.states()}
        assert states["fine"].position == 5
        assert states["hanging"].position == 0
        assert states["broken"].failures > 0
        assert states["broken"].reason == "KeyError"
        hanging.released.set()
        eventually(lambda: len(hanging.taken) == 5)


def test_only_the_last_is_repeated_when_the_process_died_after_it_was_taken(tmp_path: Path) -> None:
    class Died(BaseException):
        """As if the process ended here."""

    class Dying(FileCursor):
        def store(self, channel: str, position: int) -> None:
            if position == 3:
                raise Died
            super().store(channel, position)

    channel, book = MemoryChannel(), Book(5)
    pace = Pace()
    with pytest.raises(Died):
        Courier(channel, book, Dying(tmp_path), pace).deliver_batch()
    Courier(channel, book, FileCursor(tmp_path), pace).deliver_batch()
    assert [taken.position for taken in channel.taken] == [1, 2, 3, 3, 4, 5]


def test_new_notices_go_out_at_once_when_woken() -> None:
    book, channel = Book(1), MemoryChannel()
    with Dispatcher([channel], book, MemoryCursor(), Pace(look=timedelta(hours=1))) as dispatcher:
        eventually(lambda: len(channel.taken) == 1)
        book.notices.append(notice(2))
        dispatcher.wake()
        eventually(lambda: len(channel.taken) == 2)


def test_a_failing_channel_is_not_hurried_when_woken() -> None:
    channel, book = MemoryChannel(), Book(1)
    channel.fail_next = 1_000_000
    with Dispatcher([channel], book, MemoryCursor(), Pace(first_pause=timedelta(hours=1))) as dispatcher:
        eventually(lambda: dispatcher.states()[0].failures == 1)
        for _ in range(100):
            dispatcher.wake()
        assert dispatcher.states()[0].failures == 1
    assert channel.fail_next == 1_000_000 - 2, "one attempt, and a last one when closed"


def test_what_is_left_is_delivered_when_closed() -> None:
    book, channel = Book(0), MemoryChannel()
    dispatcher = Dispatcher([channel], book, MemoryCursor(), Pace(look=timedelta(hours=1)))
    dispatcher.start()
    eventually(lambda: book.asked)
    book.notices = [notice(position) for position in range(1, 251)]
    dispatcher.close()
    assert len(channel.taken) == 250


def test_closing_waits_no_longer_than_its_patience_when_a_channel_hangs() -> None:
    hanging = Hanging()
    dispatcher = Dispatcher([hanging], Book(1), MemoryCursor(), QUICK)
    dispatcher.start()
    assert hanging.reached.wait(180)
    dispatcher.close(timedelta(seconds=0.05))
    assert hanging.taken == []
    hanging.released.set()
    eventually(lambda: len(hanging.taken) == 1)


def test_two_channels_of_one_name_are_refused_when_they_would_share_a_cursor() -> None:
    with pytest.raises(ValueError, match="same name"):
        Dispatcher([MemoryChannel(), MemoryChannel()], Book(), MemoryCursor())


@given(failures=st.integers(min_value=1, max_value=10_000))
def test_the_pause_grows_and_is_bounded_when_failures_go_on(failures: int) -> None:
    pace = Pace()
    assert pace.first_pause <= pace.pause(failures) <= pace.pause(failures + 1) <= pace.longest_pause
