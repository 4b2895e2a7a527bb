"""What is known of PostgreSQL's types: which sort alike on every server, and which cannot be compared."""

# Kinds whose btree order is the same on every server. Text sorts by its collation, jsonb and arrays of text as well.
SORTED_ALIKE = frozenset({
    *("int2", "int4", "int8", "oid", "numeric", "float4", "float8", "bool", "uuid", "bytea"),
    *("date", "time", "timetz", "timestamp", "timestamptz", "interval", "inet", "macaddr"),
})  # fmt: skip
SORTED_BY_COLLATION = frozenset({"text", "varchar", "bpchar"})

# Values of these are made by the server for itself: no client can write one, and their text leaves part of the value
# out or names objects by numbers that only one server knows. A column of such a type is unresolved, never passed.
# Source: PostgreSQL's catalog, where their input functions answer 'cannot accept a value of type'.
NOT_COMPARED = frozenset({
    *("gtsvector", "pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list"),
    *("pg_brin_bloom_summary", "pg_brin_minmax_multi_summary"),
})  # fmt: skip


def not_compared(kind: str) -> bool:
    """Whether a type of PostgreSQL's own (`Column.kind`), or an array of it, cannot be compared."""
    return kind in NOT_COMPARED or kind.removeprefix("_") in NOT_COMPARED
