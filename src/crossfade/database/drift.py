"""Whether the tables still fit each other: replication carries rows, not changes to tables."""

from collections.abc import Container

from crossfade.database.channel import Channel
from crossfade.database.errors import ReplicationNotReady
from crossfade.database.session import Session
from crossfade.database.structure import ChangeKind, changes
from crossfade.model.terms import Side

_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname), c.relkind::text, c.relispartition,
       coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = ''), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN crossfade.scope s ON s.schema_name = n.nspname
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' GROUP BY 1, 2, 3
"""
_NAMED = 20
_TOLD_BEFORE = {ChangeKind.TABLE, ChangeKind.COLUMN}
_SHORT = {ChangeKind.DEFAULT: "its default is another on the target"}
_BRING_ALONG = (
    "make the same change there (`crossfade preflight` writes the statements), or name it in database.preflight_accept"
)
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


def changed_since_loaded(source: Session, target: Session, accepted: Container[str]) -> str:
    """What of the tables was changed on the source and not on the target, short of what `drift_between` tells.

    Such a change lets replication go on until a row comes that does not fit, or harms only after the cutover. Empty
    where there is none but those in `accepted`. Definitions are left out: their texts may hold anything.
    """
    found = [
        f"{change.subject}: {_SHORT.get(change.kind, change.problem)}"
        for change in changes(source, target)
        if change.kind not in _TOLD_BEFORE and not change.is_accepted(accepted)
    ]
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{'; '.join(found[:_NAMED])}{more}: {_BRING_ALONG}" if found else ""


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


def refuse_drift(forward: Channel, back: Channel, accepted: Container[str]) -> None:
    """Raises `ReplicationNotReady` where changes would not find their place, there or back.

    To the target nobody cuts over while anything else of the tables differs either. Going back is not kept from anybody
    by an index.
    """
    for path in (forward, back):
        if drift := drift_between(path.publisher, path.subscriber, path.name):
            raise ReplicationNotReady(path.publisher.side, drift)
    old, new = forward.publisher, forward.subscriber
    if new.side is Side.TARGET and (drift := changed_since_loaded(old, new, accepted)):
        raise ReplicationNotReady(old.side, drift)
