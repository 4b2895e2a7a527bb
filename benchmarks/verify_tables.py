"""Tables on which verification is measured, each with the bare scan that hashes every column of it by its type.

The first is that of the ratios which are promised; the others are there so that nobody meets a cliff unseen.
"""

from dataclasses import dataclass

_WIDE = 40
_WIDE_COLUMNS = ", ".join(f"n{number} bigint NOT NULL, s{number} text" for number in range(_WIDE))
_WIDE_VALUES = ", ".join(f"i + {number}, repeat(md5((i + {number})::text), 2)" for number in range(_WIDE))
_WIDE_HASHES = " # ".join(
    f"hashint4extended({number}, n{number}) # coalesce(hashtextextended(s{number}, {number}), 77)"
    for number in range(_WIDE)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`columns` and `values` for row `i`; `hashes` joins those of all columns. `part`: how many rows of the first's."""

    columns: str
    values: str
    hashes: str
    part: float = 0.1

    def filling(self, name: str, rows: int) -> tuple[str, ...]:
        """Statements that make the table and everything a planner wants to know of it."""
        count = max(1, round(rows * self.part))
        return (
            f"CREATE TABLE {name} ({self.columns})",
            f"INSERT INTO {name} SELECT {self.values} FROM generate_series(1, {count}) i",
            f"VACUUM (ANALYZE) {name}",
        )

    def scan(self, name: str) -> str:
        return f"SELECT sum(hashint4extended(99, {self.hashes})) FROM {name}"


SHAPES = {
    "item": Shape(
        columns="id bigint PRIMARY KEY, ref uuid NOT NULL, amount numeric NOT NULL, at timestamptz NOT NULL, memo text,"
        " meta jsonb",
        values="i, md5(i::text)::uuid, (i * 37 % 100000) / 100.0, timestamptz '2024-01-01' + i * interval '1 s',"
        " 'memo ' || md5((i % 1000)::text), jsonb_build_object('n', i % 100, 'tag', 't' || i % 7)",
        hashes="hashint4extended(1, id) # uuid_hash_extended(ref, 2) # hash_numeric_extended(amount, 3)"
        " # hashfloat8extended(date_part('epoch', at), 4) # coalesce(hashtextextended(memo, 5), 77)"
        " # coalesce(jsonb_hash_extended(meta, 6), 78)",
        part=1,
    ),
    "wide rows": Shape(
        columns=f"id bigint PRIMARY KEY, {_WIDE_COLUMNS}",
        values=f"i, {_WIDE_VALUES}",
        hashes=f"hashint4extended(1, id) # {_WIDE_HASHES}",
        part=0.01,
    ),
    "composite key": Shape(
        columns="account uuid, day date, number smallint, note text, PRIMARY KEY (day, account, number)",
        values="md5((i % 5000)::text)::uuid, date '2020-01-01' + i / 500, i % 100, 'note ' || i",
        hashes="uuid_hash_extended(account, 1) # hash_array_extended(ARRAY[day], 2) # hashint4extended(number, 3)"
        " # coalesce(hashtextextended(note, 4), 77)",
    ),
    "text key, collation C": Shape(
        columns='word text COLLATE "C" PRIMARY KEY, amount numeric(12, 2), note text',
        values="md5(i::text), i / 100.0, 'note ' || i",
        hashes="hashtextextended(word, 1) # coalesce(hash_numeric_extended(amount, 2), 76)"
        " # coalesce(hashtextextended(note, 3), 77)",
    ),
    "text key, another collation": Shape(  # one that is there without ICU, and of which 13 cannot know how 18 sorts it
        columns='word text COLLATE "ucs_basic" PRIMARY KEY, amount numeric(12, 2), note text',
        values="md5(i::text), i / 100.0, 'note ' || i",
        hashes='hashtextextended(word COLLATE "C", 1) # coalesce(hash_numeric_extended(amount, 2), 76)'
        " # coalesce(hashtextextended(note, 3), 77)",
    ),
    "uuid key": Shape(
        columns="id uuid PRIMARY KEY, amount numeric(12, 2), note text",
        values="md5(i::text)::uuid, i / 100.0, 'note ' || i",
        hashes="uuid_hash_extended(id, 1) # coalesce(hash_numeric_extended(amount, 2), 76)"
        " # coalesce(hashtextextended(note, 3), 77)",
    ),
    "no key": Shape(
        columns="at timestamptz, level int, line text",
        values="timestamptz '2024-01-01' + i * interval '1 s', i % 7, 'line ' || md5(i::text)",
        hashes="hashfloat8extended(date_part('epoch', at), 1) # hashint4extended(level, 2)"
        " # coalesce(hashtextextended(line, 3), 77)",
    ),
}
