"""What every verifier keeps to, in memory and on PostgreSQL."""

from collections.abc import Callable
from typing import Protocol

import pytest

from crossfade.model.seen import Verification
from crossfade.model.terms import NoData, Side
from crossfade.rehearsal.processes import free_ports
from crossfade.verify.memory import MemoryVerifier
from crossfade.verify.port import Verifier
from crossfade.verify.postgres import PostgresVerifier, VerifySettings
from tests.verify.conftest import Pair, ScriptedReplay

SOURCE, TARGET = Side.SOURCE, Side.TARGET
Rows = dict[int, str]


class World(Protocol):
    def hold(self, source: Rows, target: Rows) -> Verifier: ...

    def lose(self, side: Side) -> Verifier: ...


class InMemory:
    def hold(self, source: Rows, target: Rows) -> Verifier:
        verifier = MemoryVerifier()
        for side, rows in ((SOURCE, source), (TARGET, target)):
            verifier.rows[side]["public.t"] = {f'{{"id": {number}}}': text for number, text in rows.items()}
        return verifier

    def lose(self, side: Side) -> Verifier:
        verifier = MemoryVerifier()
        verifier.unreachable = side
        return verifier


class OnPostgres:
    def __init__(self, databases: Pair) -> None:
        self._databases = databases

    def hold(self, source: Rows, target: Rows) -> Verifier:
        self._databases.both("CREATE TABLE t (id int PRIMARY KEY, v text)")
        for side, rows in ((SOURCE, source), (TARGET, target)):
            self._databases.run(side, *(f"INSERT INTO t VALUES ({n}, '{text}')" for n, text in rows.items()))
        replay = ScriptedReplay(lambda: None)
        return PostgresVerifier(self._databases.settings, replays=replay)

    def lose(self, side: Side) -> Verifier:
        dsns = {each: self._databases.dsn(each) for each in Side}
        dsns[side] = f"host=127.0.0.1 port={free_ports(1)[0]}"
        return PostgresVerifier(VerifySettings(source=dsns[SOURCE], target=dsns[TARGET]))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.parts)])
def world(request: pytest.FixtureRequest) -> World:
    return InMemory() if request.param == "memory" else OnPostgres(request.getfixturevalue("databases"))


def asked(verifier: Verifier, primary: Side = SOURCE) -> Verification:
    found = verifier.verify(primary)
    assert isinstance(found, Verification)
    return found


def test_reports_nothing_when_the_sides_are_the_same(world: World) -> None:
    found = asked(world.hold({1: "a", 2: "b"}, {1: "a", 2: "b"}))
    assert (found.tables, found.rows, found.differences, found.unresolved) == (1, 2, (), ())


@pytest.mark.parametrize("primary", list(Side))
def test_names_kinds_from_the_targets_point_of_view_when_rows_differ(world: World, primary: Side) -> None:
    found = asked(world.hold({1: "a", 2: "b", 3: "c"}, {1: "x", 3: "c", 4: "d"}), primary)
    assert {(d.table, d.key, d.kind) for d in found.differences} == {
        ("public.t", '{"id": 1}', "changed"),
        ("public.t", '{"id": 2}', "missing"),
        ("public.t", '{"id": 4}', "extra"),
    }
    assert found.rows == 3


@pytest.mark.parametrize("side", list(Side))
def test_answers_no_data_with_the_reason_when_a_side_is_lost(world: World, side: Side) -> None:
    asking: Callable[[Side], Verification | NoData] = world.lose(side).verify
    assert asking(SOURCE) == NoData(reason=f"the {side} server cannot be reached: connection refused")
