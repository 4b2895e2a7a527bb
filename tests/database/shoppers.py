"""Users who never stop: each purchase has a key of its own, is retried under it, and is noted once acknowledged."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import errors

from crossfade.model.terms import Side
from tests.database.conftest import Pair

_PURCHASE = (
    "BEGIN; INSERT INTO shop.request (key) VALUES ('{key}');"
    " UPDATE shop.stock SET amount = amount + 1 WHERE shelf = 'A{shelf}' AND item_id = 1 + {shelf};"
    " INSERT INTO shop.booking (day, customer_id, item_id) VALUES ('2026-01-02', 1, 1); COMMIT"
)


@dataclass
class Shoppers:
    """Threads that buy until told to stop, on whichever side lets them."""

    pair: Pair
    count: int = 3
    pause_seconds: float = 0.004
    acknowledged: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _before: tuple[int, int, int] = (0, 0, 0)

    def __enter__(self) -> Self:
        self._before = _counts(self.pair, Side.SOURCE)
        for number in range(self.count):
            thread = threading.Thread(target=self._shop, args=(number,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if error is None:
            assert not self.failures, self.failures

    def wait_for_purchases(self, more: int = 20, seconds: float = 180) -> None:
        wanted, deadline = len(self.acknowledged) + more, time.monotonic() + seconds
        while len(self.acknowledged) < wanted:
            assert not self.failures, self.failures
            assert time.monotonic() < deadline, "nobody can buy"
            time.sleep(0.005)

    def lost_and_doubled(self, primary: Side) -> tuple[int, int]:
        """Acknowledged purchases that are not there, and stock raised more often than there are purchases."""
        there = {str(key) for (key,) in self.pair.rows(primary, "SELECT key FROM shop.request")}
        made, raised, booked = (now - then for now, then in zip(_counts(self.pair, primary), self._before, strict=True))
        assert raised == booked, "a purchase is there in parts"
        return len(set(self.acknowledged) - there), raised - made

    def _shop(self, number: int) -> None:
        try:
            self._buy_until_stopped(number)
        except BaseException as failure:  # noqa: BLE001 - shown by the test that uses the shoppers
            self.failures.append(failure)

    def _buy_until_stopped(self, number: int) -> None:
        side, connections = Side.SOURCE, dict[Side, psycopg.Connection[Any]]()
        while not self._stop.is_set():
            key, deadline = str(uuid.uuid4()), time.monotonic() + 120
            while True:
                assert time.monotonic() < deadline, "a purchase was refused for too long"
                try:
                    if side not in connections or connections[side].closed:
                        connections[side] = self.pair.connect(side, "shop_app")
                    connections[side].execute(_PURCHASE.format(key=key, shelf=number % 4).encode())
                except errors.UniqueViolation:  # an earlier try had been committed, only its answer was lost
                    connections[side].rollback()
                    break
                except errors.InsufficientPrivilege:
                    connections[side].rollback()
                    side = side.other
                    time.sleep(0.003)
                except psycopg.OperationalError:
                    side = side.other
                    time.sleep(0.01)
                else:
                    break
            self.acknowledged.append(key)
            time.sleep(self.pause_seconds)
        for connection in connections.values():
            connection.close()


def _counts(pair: Pair, side: Side) -> tuple[int, int, int]:
    """Purchases, stock, bookings."""
    queries = ("count(*) FROM shop.request", "sum(amount) FROM shop.stock", "count(*) FROM shop.booking")
    made, stock, booked = (int(pair.rows(side, f"SELECT {query}")[0][0]) for query in queries)
    return made, stock, booked


def digest(pair: Pair, side: Side) -> dict[str, str]:
    """What each table holds, comparable between versions."""
    tables = ("customer", "item", "booking", "stock", "note", "label", "log", "request")
    return {
        table: pair.rows(
            side, f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM shop.{table} t"
        )[0][0]
        for table in tables
    }
