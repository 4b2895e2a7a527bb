"""Whether the tables still fit each other: replication carries rows, not changes to tables."""

from crossfade.database.session import Session

_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname), c.relkind::text, c.relispartition,
       coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = ''), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN crossfade.scope s ON s.schema_name = n.nspname
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' GROUP BY 1, 2, 3
"""
_PUBLISHED = "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_publication_tables WHERE pubname = %s"
_SUBSCRIBED = """
SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE s.subname = %s
"""


def unlisted(publisher: Session, subscriber: Session, name: str) -> set[str]:
    """Tables of the publisher that the publication or the subscription does not hold yet."""
    tables = {table for table, kind, *_ in publisher.rows(_TABLES) if kind == "r"}
    published = {table for (table,) in publisher.rows(_PUBLISHED, (name,))}
    subscribed = {table for (table,) in subscriber.rows(_SUBSCRIBED, (name,))}
    return tables - (published & subscribed)


def drift_between(publisher: Session, subscriber: Session, name: str) -> str:
    """What the receiving side lacks, with the remedy; empty when every published change finds its place there.

    Columns that only the receiving side has do no harm: they may be added there first. But then the way back lacks
    them, until they stand on both sides.
    """
    there = {table: set(columns) for table, _, _, columns in subscriber.rows(_TABLES)}
    published = {table for (table,) in publisher.rows(_PUBLISHED, (name,))}
    subscribed = {table for (table,) in subscriber.rows(_SUBSCRIBED, (name,))}
    problems: list[str] = []
    for table, kind, _, columns in publisher.rows(_TABLES):
        if table not in there:
            problems.append(f"{table} is missing on the {subscriber.side}: create it there")
        elif missing := [column for column in columns if column not in there[table]]:
            problems.append(
                f"{table} is missing replicated column {', '.join(missing)} on the {subscriber.side}:"
                f" run the same ALTER TABLE there"
            )
        if kind == "r" and table not in published:
            problems.append(
                f"{table} is not published by the {publisher.side}: ALTER PUBLICATION {name} ADD TABLE {table}"
            )
        elif kind == "r" and table not in subscribed:
            problems.append(
                f"{table} is not subscribed by the {subscriber.side}: ALTER SUBSCRIPTION {name} REFRESH PUBLICATION"
            )
    return "; ".join(problems)
