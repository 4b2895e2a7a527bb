"""Which of the two databases takes writes: believed, doubted and found again, as it changes under a running server."""

import asyncio
import contextlib
from collections.abc import Mapping

import psycopg

from .database import ConnectionLost, Database
from .settings import Side

_ASK_SECONDS = 1.0
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
        self._search: asyncio.Task[None] | None = None
        self._check: asyncio.Task[None] | None = None

    def watch(self, databases: Mapping[Side, Database]) -> None:
        """Find out for the first time."""
        self._databases = databases
        self.doubt(self.side, ask_first=self.side)

    async def settled(self, within: float) -> Side:
        """The side that takes writes. Raises NoPrimary when it is not found within that many seconds."""
        if not self._certain.is_set():
            try:
                async with asyncio.timeout(within):
                    await self._certain.wait()
            except TimeoutError:
                raise NoPrimary from None
        return self.side

    def doubt(self, side: Side, *, ask_first: Side) -> None:
        """`side` refused a write or went away. Without effect when another side is believed in meanwhile."""
        if side is not self.side or (self._search is not None and not self._search.done()):
            return
        self._certain.clear()
        self._search = asyncio.get_running_loop().create_task(self._find(ask_first))

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
            self._check = asyncio.get_running_loop().create_task(self._believe_if_open(side))

    async def close(self) -> None:
        for task in (self._search, self._check):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _believe(self, side: Side) -> None:
        self.side = side
        self._certain.set()

    async def _believe_if_open(self, side: Side) -> None:
        if await self._takes_writes(side):
            self._believe(side)

    async def _find(self, side: Side) -> None:
        pause = _FIRST_PAUSE
        while not self._certain.is_set():
            if await self._takes_writes(side):
                self._believe(side)
                return
            side = side.other
            if side is not self.side:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._certain.wait()
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _takes_writes(self, side: Side) -> bool:
        database = self._databases[side]
        if not database.reachable:
            database.look_again()
            return False
        try:
            return await database.run(_TAKES_WRITES, (), within=_ASK_SECONDS) == [(True,)]
        except (ConnectionLost, psycopg.Error):
            return False
