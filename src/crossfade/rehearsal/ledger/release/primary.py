"""Which of the two databases takes writes: believed, doubted and found again, as it changes under a running server."""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any

import psycopg

from .database import ConnectionLost, Database
from .settings import Side

_ASK_SECONDS = 3.0
_AT_ONCE = 0.0
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.08
_TAKES_WRITES = (
    "SELECT CASE WHEN to_regclass('ledger.transfers') IS NULL THEN false"
    " ELSE has_table_privilege('ledger.transfers', 'INSERT') AND NOT pg_is_in_recovery() END"
)


class NoPrimary(Exception):
    """Neither database took writes before the request's deadline."""


class Primary:
    """Belief in one side. Doubt starts one search, however many requests doubt; all of them wait for its result.

    The databases have the last word: a write on the wrong side is refused there, so a wrong belief costs time only.
    """

    def __init__(self) -> None:
        self.side = Side.SOURCE
        self._epoch = -1
        self._databases: Mapping[Side, Database] = {}
        self._certain = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, databases: Mapping[Side, Database]) -> None:
        """Find out for the first time."""
        self._databases = databases
        self._begin(self._find(self.side, self._certain))

    async def settled(self, within: float) -> Side:
        """The side that takes writes. Raises NoPrimary when it is not found within that many seconds."""
        if not self._certain.is_set() and not await _is_set_within(self._certain, within):
            raise NoPrimary
        return self.side

    def doubt(self, side: Side, *, ask_first: Side) -> None:
        """`side` refused a write or went away. Without effect when another side is believed in, or sought, by now."""
        if side is not self.side or not self._certain.is_set():
            return
        self._certain = asyncio.Event()  # a new one: what is left of an earlier search must not end this one
        self._begin(self._find(ask_first, self._certain))

    def heard(self, announcement: str) -> None:
        """What a database announced when it was opened: `<side>:<epoch>`. Older epochs are late and ignored."""
        side, _, epoch = announcement.partition(":")
        if side not in set(Side) or not epoch.isdigit() or int(epoch) <= self._epoch:
            return
        self._epoch = int(epoch)
        self._believe(Side(side))

    def listening(self, side: Side) -> None:
        """Listening began on `side`: it may have been opened while nobody listened."""
        if side is not self.side and self._certain.is_set():
            self._begin(self._believe_if_open(side))

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _believe(self, side: Side) -> None:
        self.side = side
        self._certain.set()

    async def _believe_if_open(self, side: Side) -> None:
        if await self._takes_writes(side):
            self._believe(side)

    async def _find(self, ask_first: Side, certain: asyncio.Event) -> None:
        """Both sides are asked apart from each other: one that hangs does not hold up the other's answer."""
        await asyncio.gather(
            self._probe(ask_first, certain, _AT_ONCE), self._probe(ask_first.other, certain, _FIRST_PAUSE)
        )

    async def _probe(self, side: Side, certain: asyncio.Event, wait: float) -> None:
        pause = _FIRST_PAUSE
        while not certain.is_set():
            if await _is_set_within(certain, wait):
                return
            if await self._takes_writes(side) and not certain.is_set():
                self._believe(side)
            wait, pause = pause, min(pause * 2, _LONGEST_PAUSE)

    async def _takes_writes(self, side: Side) -> bool:
        database = self._databases[side]
        if not database.reachable:
            database.look_again()
            return False
        try:
            return await database.run(_TAKES_WRITES, (), within=_ASK_SECONDS) == [(True,)]
        except (ConnectionLost, psycopg.Error):
            return False


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    if seconds > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await event.wait()
    return event.is_set()
