"""The search for the primary, with databases that answer, refuse, hang and change as a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from crossfade.rehearsal.ledger.release.database import ConnectionLost, Database
from crossfade.rehearsal.ledger.release.primary import NoPrimary, Primary
from crossfade.rehearsal.ledger.release.settings import Side


class Scripted:
    """A database of which only matters whether it takes writes: True, False, None for 'is away'."""

    def __init__(self, writable: bool | None) -> None:
        self.writable = writable
        self.hangs = asyncio.Event()
        self.hangs.set()
        self.asked = 0

    @property
    def reachable(self) -> bool:
        return self.writable is not None

    def look_again(self) -> None:
        pass

    async def run(self, query: str, parameters: Sequence[Any], *, within: float) -> list[tuple[bool]]:
        self.asked += 1
        await self.hangs.wait()
        if self.writable is None:
            raise ConnectionLost
        return [(self.writable,)]


Case = Callable[[Primary, Scripted, Scripted], Awaitable[None]]


def play(case: Case, *, source: bool | None, target: bool | None) -> None:
    async def whole() -> None:
        primary, sides = Primary(), (Scripted(source), Scripted(target))
        primary.watch(cast("dict[Side, Database]", dict(zip(Side, sides, strict=True))))
        try:
            async with asyncio.timeout(120):
                await case(primary, *sides)
        finally:
            await primary.close()

    asyncio.run(whole())


@pytest.mark.parametrize(("source", "target", "found"), [(True, False, Side.SOURCE), (None, True, Side.TARGET)])
def test_finds_the_side_that_takes_writes_when_it_starts(source: bool | None, target: bool | None, found: Side) -> None:
    async def case(primary: Primary, *_: Scripted) -> None:
        assert await primary.settled(60) is found

    play(case, source=source, target=target)


def test_gives_up_in_time_when_no_side_takes_writes() -> None:
    async def case(primary: Primary, *_: Scripted) -> None:
        with pytest.raises(NoPrimary):
            await primary.settled(0.1)

    play(case, source=False, target=None)


def test_finds_it_as_soon_as_one_opens_when_both_refused() -> None:
    async def case(primary: Primary, _: Scripted, target: Scripted) -> None:
        with pytest.raises(NoPrimary):
            await primary.settled(0.05)
        target.writable = True
        assert await primary.settled(60) is Side.TARGET

    play(case, source=False, target=False)


@pytest.mark.parametrize("hanging", list(Side))
def test_finds_one_side_when_the_other_hangs(hanging: Side) -> None:
    async def case(primary: Primary, *sides: Scripted) -> None:
        await primary.settled(60)
        by_name = dict(zip(Side, sides, strict=True))
        by_name[hanging].hangs.clear()
        by_name[hanging.other].writable = True
        primary.doubt(primary.side, ask_first=hanging)
        assert await primary.settled(60) is hanging.other

    play(case, source=True, target=False)


def test_searches_anew_when_doubted_while_an_old_search_still_hangs() -> None:
    async def case(primary: Primary, source: Scripted, target: Scripted) -> None:
        target.hangs.clear()
        assert await primary.settled(60) is Side.SOURCE  # and the question to the target is still out
        source.writable = False
        primary.doubt(Side.SOURCE, ask_first=Side.TARGET)
        with pytest.raises(NoPrimary):
            await primary.settled(0.05)
        target.writable = True
        target.hangs.set()
        assert await primary.settled(60) is Side.TARGET

    play(case, source=True, target=False)


def test_asks_seldom_when_many_doubt_at_once() -> None:
    async def case(primary: Primary, source: Scripted, target: Scripted) -> None:
        await primary.settled(60)
        source.writable = False
        before = target.asked
        for _ in range(100):
            primary.doubt(Side.SOURCE, ask_first=Side.TARGET)
        loop = asyncio.get_running_loop()
        began = loop.time()
        while target.asked - before < 2:
            with pytest.raises(NoPrimary):
                await primary.settled(0.3)
        assert target.asked - before <= 2 + 30 * (loop.time() - began)  # not once for each of the hundred

    play(case, source=True, target=False)


def test_keeps_its_belief_when_the_other_side_is_doubted() -> None:
    async def case(primary: Primary, *_: Scripted) -> None:
        await primary.settled(60)
        primary.doubt(Side.TARGET, ask_first=Side.SOURCE)
        assert await primary.settled(0) is Side.SOURCE

    play(case, source=True, target=True)


def test_follows_at_once_when_a_side_announces_itself() -> None:
    async def case(primary: Primary, source: Scripted, _: Scripted) -> None:
        await primary.settled(60)
        source.writable = False
        primary.doubt(Side.SOURCE, ask_first=Side.TARGET)
        primary.heard("target:3")
        assert await primary.settled(0) is Side.TARGET

    play(case, source=True, target=False)


@pytest.mark.parametrize("late", ["source:2", "source:3", "nowhere:9", "source", "source:x", ""])
def test_ignores_an_announcement_when_it_is_late_or_nonsense(late: str) -> None:
    async def case(primary: Primary, *_: Scripted) -> None:
        await primary.settled(60)
        primary.heard("target:3")
        primary.heard(late)
        assert await primary.settled(0) is Side.TARGET

    play(case, source=True, target=False)


def test_looks_when_listening_begins_on_a_side_that_was_opened_before() -> None:
    async def case(primary: Primary, source: Scripted, target: Scripted) -> None:
        await primary.settled(60)
        source.writable, target.writable = False, True
        primary.listening(Side.TARGET)
        for _ in range(10):
            await asyncio.sleep(0)
        assert await primary.settled(0) is Side.TARGET

    play(case, source=True, target=False)
