"""Indexes, foreign keys and triggers, made by several sessions at once: what goes before what, and after a crash."""

import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Barrier, Lock
from typing import Any, cast

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.database.crew import Crew
from crossfade.database.dump import Entry
from crossfade.database.errors import ObjectsNotMade, SideUnreachable, StatementFailed
from crossfade.database.native import NativeReplication
from crossfade.database.pieces import ForeignKey, Piece, Stage, Weight, pieces_of
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings
from crossfade.model.terms import Side
from tests.database.conftest import Pair, copied
from tests.waiting import wait_for

KINDS = ("INDEX", "CONSTRAINT", "FK CONSTRAINT", "INDEX ATTACH", "TRIGGER", "RULE", "MATERIALIZED VIEW")
CATALOGS = {"INDEX": 1259, "CONSTRAINT": 2606, "FK CONSTRAINT": 2606}


def entry(number: int, kind: str) -> Entry:
    catalog = CATALOGS.get(kind, 0)
    return Entry(line="", number=number, catalog=catalog, oid=number, rest=f"{kind} shop object{number} owner")


@st.composite
def archives(draw: st.DrawFn) -> tuple[list[Entry], dict[int, frozenset[int]], dict[tuple[int, int], Weight]]:
    entries = [entry(n, draw(st.sampled_from(KINDS))) for n in range(1, draw(st.integers(1, 12)))]
    needs = {one.number: draw(st.frozensets(st.integers(0, one.number - 1), max_size=3)) for one in entries}
    weights: dict[tuple[int, int], Weight] = {}
    for one in entries:
        if one.catalog:
            is_key = one.rest.startswith("FK") and draw(st.booleans())
            weights[one.catalog, one.oid] = Weight(
                table=draw(st.integers(1, 3)),
                other=draw(st.integers(1, 3)) if one.rest.startswith("FK") else 0,
                size_bytes=draw(st.integers(0, 9)),
                foreign_key=ForeignKey(add=f"add {one.number}", validate=f"check {one.number}") if is_key else None,
            )
    return entries, needs, weights


@dataclass
class Made:
    """A crew's sessions that only note who was at work with whom."""

    refuse: Mapping[str, Exception] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    together: list[tuple[Piece, Piece]] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    before: Callable[[Piece], None] = lambda _: None
    _at_work: list[Piece] = field(default_factory=list)
    _lock: Any = field(default_factory=Lock)

    def make(self, _: Session, piece: Piece) -> None:
        with self._lock:
            self.together += [(other, piece) for other in self._at_work]
            self._at_work.append(piece)
        try:
            self.before(piece)
            if piece.name in self.refuse:
                raise self.refuse[piece.name]
        finally:
            with self._lock:
                self._at_work.remove(piece)
                self.order.append(piece.name)

    def crew(self, sessions: int) -> Crew:
        hands = cast("list[Session]", list(range(sessions)))
        return Crew(hands, make=self.make, end=lambda session: self.ended.append(cast("int", session)))


@given(archives(), st.integers(1, 4))
def test_everything_is_made_once_after_what_it_needs_and_without_waiting_for_locks(
    archive: tuple[list[Entry], dict[int, frozenset[int]], dict[tuple[int, int], Weight]], sessions: int
) -> None:
    pieces = pieces_of(*archive)
    by_name = {piece.name: piece for piece in pieces}
    made = Made()
    made.crew(sessions).carry_out(pieces, ())
    assert sorted(made.order) == sorted(by_name)
    assert {piece.entry.number for piece in pieces} == {one.number for one in archive[0]}
    for piece in pieces:
        assert all(made.order.index(need) < made.order.index(piece.name) for need in piece.needs)
        assert all(by_name[need].stage <= piece.stage for need in piece.needs)
    stages = [by_name[name].stage for name in made.order]
    assert stages == sorted(stages)
    assert not [pair for pair in made.together if pair[0].is_hindered_by(pair[1]) or not pair[0].stage.at_once]


def index(number: int, size_bytes: int = 0, *, needs: tuple[str, ...] = (), table: int = 1) -> Piece:
    return Piece(
        name=f"index {number}",
        entry=entry(number, "INDEX"),
        stage=Stage.BUILD,
        needs=frozenset(needs),
        size_bytes=size_bytes,
        shares=frozenset({table}),
    )


def test_the_largest_is_begun_first_when_there_are_more_than_sessions() -> None:
    made = Made()
    made.crew(1).carry_out([index(1, 10), index(2, 30), index(3, 20)], ["index 4"])
    assert made.order == ["index 2", "index 3", "index 1"]


def test_two_indexes_of_one_table_are_made_at_once_when_there_are_two_sessions() -> None:
    both = Barrier(2, timeout=60)
    made = Made(before=lambda _: cast("None", both.wait()))  # breaks unless the two meet
    crew = made.crew(2)
    crew.carry_out([index(1), index(2)], ())
    assert len(made.order) == 2
    assert not crew.failures


def test_the_others_are_made_and_what_needs_it_is_not_when_one_fails() -> None:
    refused = StatementFailed(Side.TARGET, "23505", "could not create unique index")
    made = Made(refuse={"index 1": refused, "index 4": refused})
    later = Piece(name="trigger", entry=entry(9, "TRIGGER"), stage=Stage.FIRE, needs=frozenset())
    crew = made.crew(2)
    crew.carry_out([index(1), index(2, needs=("index 1",)), index(3), index(4), later], ())
    assert set(crew.failures) == {"index 1", "index 4"}
    assert sorted(made.order) == ["index 1", "index 3", "index 4"]


def test_nothing_more_is_begun_when_the_server_is_gone() -> None:
    made = Made(refuse={"index 1": SideUnreachable(Side.TARGET, "it ended")})
    crew = made.crew(1)
    crew.carry_out([index(1, 2), index(2, 1)], ())
    assert made.order == ["index 1"]
    assert list(crew.failures) == ["index 1"]


def test_who_is_at_work_is_ended_when_it_is_interrupted() -> None:
    both, ended = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def before(piece: Piece) -> None:
        both.wait()
        if piece.name == "index 2":
            raise KeyboardInterrupt
        ended.wait()

    made = Made(before=before)
    crew = made.crew(2)
    crew.end = lambda _: ended.wait()
    with pytest.raises(KeyboardInterrupt):
        crew.carry_out([index(1), index(2)], ())
    assert sorted(made.order) == ["index 1", "index 2"]


MORE = """
CREATE INDEX log_what ON shop.log (what); CREATE INDEX log_length ON shop.log (length(what));
CREATE INDEX note_text ON shop.note (text); CREATE INDEX label_text ON shop.label (text);
CREATE STATISTICS shop.habits ON customer_id, item_id FROM shop.booking;
CREATE TABLE shop.gift (id int PRIMARY KEY, item_id int, to_id bigint REFERENCES shop.customer
    DEFERRABLE INITIALLY IMMEDIATE);
INSERT INTO shop.gift (id, item_id) VALUES (1, 999);
ALTER TABLE shop.gift ADD CONSTRAINT old FOREIGN KEY (item_id) REFERENCES shop.item NOT VALID;
COMMENT ON INDEX shop.note_text IS 'for searching';
CREATE VIEW shop.spenders AS SELECT c.*, count(*) AS bookings FROM shop.customer c JOIN shop.booking b
    ON b.customer_id = c.id GROUP BY c.id;
CREATE MATERIALIZED VIEW shop.spent AS SELECT * FROM shop.spenders;
CREATE UNIQUE INDEX spent_id ON shop.spent (id);
"""
OBJECTS = """
SELECT relname::text, oid::text FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('i', 'I')
UNION ALL SELECT conname || convalidated, oid::text FROM pg_constraint
WHERE connamespace = 'shop'::regnamespace AND contype = 'f'
"""
WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'shop.log'::regclass"
MAKERS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND (classid, objid) = (16721, 3) AND granted"


def loaded(pair: Pair, **changes: Any) -> NativeReplication:
    role = NativeReplication(pair.settings(**changes))
    role.create_schema()
    role.start_replication()
    wait_for(lambda: copied(role))
    return role


def names(pair: Pair, side: Side) -> set[str]:
    return {name for name, _ in pair.rows(side, OBJECTS)}


@pytest.mark.parts
def test_every_object_that_fails_is_named_and_the_others_stand_when_names_are_taken(fresh_pair: Pair) -> None:
    fresh_pair.rows(Side.SOURCE, MORE)
    with loaded(fresh_pair, schema_sessions=3) as role:
        fresh_pair.rows(
            Side.TARGET, "CREATE INDEX log_what ON shop.log (id); CREATE INDEX note_text ON shop.note (customer_id)"
        )
        with pytest.raises(ObjectsNotMade, match="already exists") as refused:
            role.complete_schema()
        assert {name.split()[2] for name in refused.value.failures} == {"log_what", "note_text"}
        stands = dict(fresh_pair.rows(Side.TARGET, OBJECTS))
        assert {"log_length", "label_text", "customer_name_key"} <= set(stands)
        fresh_pair.rows(Side.TARGET, "DROP INDEX shop.log_what, shop.note_text")
        role.complete_schema()
    assert names(fresh_pair, Side.TARGET) == names(fresh_pair, Side.SOURCE)
    now = dict(fresh_pair.rows(Side.TARGET, OBJECTS))
    assert {name: now[name] for name in stands if name not in {"log_what", "note_text"}}.items() <= stands.items()
    assert fresh_pair.rows(Side.TARGET, "SELECT obj_description('shop.note_text'::regclass)") == [("for searching",)]


def complete(settings: NativeSettings) -> None:
    with NativeReplication(settings) as role:
        role.complete_schema()


@pytest.mark.parts
def test_nothing_that_stands_is_made_again_when_the_engine_is_killed_meanwhile(fresh_pair: Pair) -> None:
    fresh_pair.rows(Side.SOURCE, MORE)
    with loaded(fresh_pair) as role, fresh_pair.connect(Side.TARGET) as writer:
        writer.execute("BEGIN; LOCK TABLE shop.log IN ROW EXCLUSIVE MODE")
        engine = multiprocessing.get_context("spawn").Process(target=complete, args=(fresh_pair.settings(),))
        engine.start()
        wait_for(lambda: len(fresh_pair.rows(Side.TARGET, WAITING)) == 2)
        wait_for(lambda: {"note_text", "label_text", "booking_customer"} <= names(fresh_pair, Side.TARGET))
        engine.kill()
        engine.join()
        stood = dict(fresh_pair.rows(Side.TARGET, OBJECTS))
        assert not {"log_what", "log_length"} & set(stood)
        writer.execute("COMMIT")
        role.complete_schema()
    assert names(fresh_pair, Side.TARGET) == names(fresh_pair, Side.SOURCE)
    now = dict(fresh_pair.rows(Side.TARGET, OBJECTS))
    assert {name: now[name] for name in stood} == stood
    assert fresh_pair.rows(Side.TARGET, MAKERS) == [(0,)]


@pytest.mark.parts
def test_what_a_dead_engine_still_makes_is_ended_when_the_next_one_comes(fresh_pair: Pair) -> None:
    """It stands behind a dead link: its server does not know yet that nobody waits for the index."""
    fresh_pair.rows(Side.SOURCE, MORE)
    with loaded(fresh_pair) as role, fresh_pair.connect(Side.TARGET, "crossfade") as late:
        late.execute("SELECT pg_advisory_lock_shared(16721, 3)")
        late.execute("BEGIN; CREATE INDEX log_what ON shop.log (what)")
        role.complete_schema()
        assert fresh_pair.rows(Side.TARGET, MAKERS) == [(0,)]
        with pytest.raises(psycopg.OperationalError):
            late.execute("COMMIT")
    assert names(fresh_pair, Side.TARGET) == names(fresh_pair, Side.SOURCE)
