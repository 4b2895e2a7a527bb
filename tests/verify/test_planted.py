"""Random tables, rows and differences: exactly those that were planted are reported."""

import dataclasses
import json
import operator
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.model.terms import Side
from crossfade.verify.postgres import verify_at_rest
from tests.verify.conftest import Pair
from tests.verify.test_types import SAMPLES

pytestmark = pytest.mark.parts

# without those that not every server has or whose values name objects
UNSUITED = {"xml", "xid8", "pg_snapshot", "aclitem", "cardinal_number", "character_data", "sql_identifier", "yes_or_no"}
KINDS = sorted(kind for kind in SAMPLES if not kind.startswith("reg") and "multi" not in kind)
COLUMNS = [kind for kind in KINDS if kind not in UNSUITED | {"time_stamp"}]
Row = tuple[str | None, ...]
SQL_NAMES = {"char": '"char"', "bit": "bit(1)", "bpchar": "char(1)"}
KEYS: dict[str, tuple[list[str], Callable[[int], Row]]] = {
    "int": (["k int"], lambda n: (str(n - 20),)),
    "bigint desc": (["k bigint"], lambda n: (str((n << 32) - 1),)),
    "text": (["k text"], lambda n: (["a", "A", "-a", "ä", "Z"][n % 5] + str(n),)),
    "text C": (['k text COLLATE "C"'], lambda n: (["a", "A", "-a", "ä", "Z"][n % 5] + str(n),)),
    "uuid": (["k uuid"], lambda n: (f"{n * 7919 % 256:02x}000000-0000-0000-0000-{n:012x}",)),
    "two": (["k text", "l smallint"], lambda n: ("xyz"[n % 3], str(n // 3))),
    "none": ([], lambda _: ()),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    key: str
    kinds: list[str]
    source: list[Row]
    target: list[Row]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A table, its rows on the source, and the target's after a few were lost, added, changed, swapped or doubled."""
    key, kinds = draw(st.sampled_from(sorted(KEYS))), draw(st.lists(st.sampled_from(COLUMNS), min_size=2, max_size=5))
    columns, make = KEYS[key]
    value = [st.sampled_from([*SAMPLES[kind], None]) for kind in kinds]
    count = draw(st.integers(0, 40))
    rows = [(*make(n), *(draw(one) for one in value)) for n in range(count)]
    there: list[Row] = list(rows)
    width = len(columns)
    for way in draw(st.lists(st.sampled_from(["missing", "extra", "changed", "swapped", "doubled"]), max_size=4)):
        at = draw(st.integers(0, len(there) - 1)) if there else 0
        if way == "extra":
            there.append((*make(100 + len(there)), *(draw(one) for one in value)))
        elif there and way == "missing":
            del there[at]
        elif there and way == "changed":
            column = draw(st.integers(0, len(kinds) - 1))
            row = list(there[at])
            row[width + column] = draw(value[column].filter(partial(operator.ne, row[width + column])))
            there[at] = tuple(row)
        elif there and way == "swapped":
            other, column = draw(st.integers(0, len(there) - 1)), width + draw(st.integers(0, len(kinds) - 1))
            one, two = list(there[at]), list(there[other])
            if at != other:
                one[column], two[column] = two[column], one[column]
                there[at], there[other] = tuple(one), tuple(two)
        elif there and way == "doubled" and not columns:
            there.append(there[at])
    return World(key=key, kinds=kinds, source=rows, target=there)


def hold(pair: Pair, world: World) -> None:
    keys = KEYS[world.key][0]
    names = [each.split()[0] for each in keys]
    columns = [f"c{n} {SQL_NAMES.get(kind, kind)}" for n, kind in enumerate(world.kinds)]
    constraint = [f"PRIMARY KEY ({', '.join(names)})"] if keys and world.key != "bigint desc" else []
    for side, rows in ((Side.SOURCE, world.source), (Side.TARGET, world.target)):
        with psycopg.connect(pair.dsn(side), autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS t")
            connection.execute(f"CREATE TABLE t ({', '.join([*keys, *columns, *constraint])})".encode())
            if world.key == "bigint desc":
                connection.execute("ALTER TABLE t ALTER k SET NOT NULL")
                connection.execute("CREATE UNIQUE INDEX ON t (k DESC)")
            places = ", ".join(["%s"] * (len(keys) + len(columns)))
            if rows:
                connection.cursor().executemany(f"INSERT INTO t VALUES ({places})".encode(), rows)
            connection.execute("ANALYZE t")  # so that statistics cut the table, where they can


def expected(world: World) -> set[tuple[Any, ...]]:
    width = len(KEYS[world.key][0])
    if not width:
        here, there = Counter(world.source), Counter(world.target)
        return {
            ("missing" if here[row] > there[row] else "extra", row) for row in here | there if here[row] != there[row]
        }
    by_key = [{row[:width]: row[width:] for row in rows} for rows in (world.source, world.target)]
    return {
        (
            "missing" if key not in by_key[1] else "extra" if key not in by_key[0] else "changed",
            key,
            tuple(
                f"c{n}"
                for n, (a, b) in enumerate(zip(by_key[0].get(key, ()), by_key[1].get(key, ()), strict=False))
                if a != b
            ),
        )
        for key in by_key[0].keys() | by_key[1].keys()
        if by_key[0].get(key) != by_key[1].get(key)
    }


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(world=worlds(), chunk_rows=st.sampled_from([1, 7, 1000]), strict=st.booleans())
def test_reports_exactly_what_was_planted(databases: Pair, world: World, chunk_rows: int, strict: bool) -> None:
    hold(databases, world)
    seen = verify_at_rest(dataclasses.replace(databases.settings, rest_chunk_rows=chunk_rows, strict=strict))
    assert (seen.rows, seen.unresolved) == (len(world.source), ())
    if KEYS[world.key][0]:
        told = {(d.kind, tuple(str(part) for part in json.loads(d.key).values()), d.columns) for d in seen.differences}
        assert told == expected(world)
    else:
        assert Counter(d.kind for d in seen.differences) == Counter(kind for kind, _ in expected(world))
