"""What is said to the two databases by hand: through the same functions that the engine calls, in the same order.

Each is a whole input for psql, which stops at the first statement that fails. Variables of psql (`:epoch`) are set by
`-v`, from variables of the shell of the same name. Source: docs/database-switch.md.
"""

from datetime import timedelta

from crossfade.model.terms import Side
from crossfade.planning.playbooks.records import Command

PSQL = "psql"
_SHELL = {"epoch": "EPOCH", "token": "TOKEN", "begins": "BEGINS"}


def channel(publisher: Side) -> str:
    """Publication, slot and subscription out of `publisher`; a test holds it to the database role's own name."""
    return f"crossfade_from_{publisher}"


def psql(side: Side, says: str, sql: str, *variables: str, prints: str = "") -> Command:
    """`sql` said to one side. `variables` are those of psql that it uses."""
    head = _head(side, variables)
    return Command(says=says, text=f"{head} <<'SQL'\n{sql.strip()}\nSQL", prints=prints)


def kept(name: str, side: Side, says: str, sql: str) -> Command:
    """The one value that `sql` gives, kept in a variable of the shell."""
    return Command(says=says, text=f'{name}=$({_head(side, ())} -c "{sql}")')


def writer(side: Side, says: str, prints: str = "") -> Command:
    return psql(side, says, "SELECT side, open, epoch FROM crossfade.writer;", prints=prints)


def subscription(publisher: Side, prints: str) -> Command:
    """Whether the replication out of `publisher` is awake."""
    return psql(
        publisher.other,
        "Whether it is awake",
        f"SELECT subname, subenabled FROM pg_subscription WHERE subname = '{channel(publisher)}'"  # noqa: S608 - our own name
        "\n  AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());",
        prints=prints,
    )


def wake(primary: Side) -> tuple[Command, ...]:
    """Replication out of `primary` runs, that into it sleeps. Harmless where it is so already."""
    name = channel(primary)
    return (
        psql(
            primary,
            f"Replication into the {primary} sleeps: never are both awake, or each would send the other's changes back",
            f"ALTER SUBSCRIPTION {channel(primary.other)} DISABLE;",
        ),
        kept(
            "BEGINS",
            primary,
            f"Where the {primary} was opened: nothing from before that may travel",
            f"SELECT coalesce(begins_at, '0/0') FROM crossfade.slot_record WHERE slot_name = '{name}'",  # noqa: S608 - ours
        ),
        psql(
            primary.other,
            f"Replication out of the {primary} begins there, and runs",
            _BEGIN_AND_ENABLE.format(name=name),
            "begins",
        ),
    )


def marker_arrives(primary: Side, purpose: str, patience: timedelta) -> tuple[Command, ...]:
    """A row written on `primary` is seen on the other side, and with it everything that was written before."""
    return (
        kept("TOKEN", primary, "A marker's name", "SELECT gen_random_uuid()"),
        psql(
            primary,
            "The marker is written, and whoever sends is woken",
            f"SELECT crossfade.mark('{purpose}', :'token');\n{_NUDGE}",
            "token",
        ),
        psql(
            primary.other,
            f"It returns when the marker is there, or fails after {patience.total_seconds():g} s",
            f"SELECT crossfade.await(:'token', '{patience.total_seconds():g} s');",
            "token",
        ),
    )


def fence(side: Side, lock_timeout: timedelta) -> tuple[Command, ...]:
    """`side` takes no writes, and no writer is inside any more; a late engine's epoch is refused from here on."""
    milliseconds = round(lock_timeout.total_seconds() * 1000)
    return (
        psql(side, f"The fence: the {side} takes no writes from here on", "SELECT crossfade.fence(:epoch);", "epoch"),
        psql(
            side,
            "It returns when the writers that were inside have left; when it fails, see who stays, end them, again",
            _LOCK_EACH.format(milliseconds=milliseconds),
        ),
        writer(side, f"The {side} is closed", prints=f"{side}|f|$EPOCH"),
    )


def take_over(side: Side, margin: int) -> tuple[Command, ...]:
    """After the other side's drain: sequences ahead, the slot of the way back past what came from there."""
    slot = channel(side)
    return (
        psql(
            side,
            "Sequences go ahead, and everything that arrived is on disk",
            f"BEGIN;\nSET LOCAL synchronous_commit = on;\nSELECT crossfade.take_over(:'token', {margin});\nCOMMIT;",
            "token",
        ),
        psql(
            side,
            "Nothing that came from the other side will be sent back to it: the last line must be 0",
            f"SELECT pg_replication_slot_advance('{slot}', pg_current_wal_flush_lsn()) IS NOT NULL;"
            f"\nSELECT crossfade.unskipped('{slot}');",
            prints="t\n0",
        ),
    )


def open_side(side: Side) -> tuple[Command, ...]:
    """`side` takes writes. Only after the other side was seen to be closed."""
    slot = channel(side)
    return (
        psql(side, f"The {side} takes writes", _OPEN.format(slot=slot), "epoch"),
        writer(side, f"The {side} is open", prints=f"{side}|t|$EPOCH"),
    )


def take_away(subscriber: Side) -> tuple[Command, ...]:
    """The replication into `subscriber` is gone; its slot on the other side too, so that no disk fills."""
    name = channel(subscriber.other)
    return (
        psql(
            subscriber,
            f"The {subscriber} follows nobody any more",
            f"ALTER SUBSCRIPTION {name} DISABLE;\nALTER SUBSCRIPTION {name} SET (slot_name = NONE);"
            f"\nDROP SUBSCRIPTION {name};",
        ),
        psql(
            subscriber.other,
            f"The {subscriber.other} keeps no WAL for it",
            _DROP_SLOTS.format(name=name),
        ),
    )


def forget(side: Side) -> Command:
    """Nothing of the migration's own is left in the database."""
    return psql(
        side,
        f"Nothing of the migration's own is left on the {side}",
        "SET client_min_messages = error;\nDROP SCHEMA IF EXISTS crossfade CASCADE;",
    )


def end_late_switches(side: Side) -> Command:
    return psql(side, f"Whoever is within a switch on the {side} is ended", _END_SWITCHES)


def _head(side: Side, variables: tuple[str, ...]) -> str:
    given = "".join(f' -v {name}="${_SHELL[name]}"' for name in variables)
    return f'{PSQL} "${side.upper()}" -XqAt -v ON_ERROR_STOP=1{given}'


_NUDGE = (
    "BEGIN;\nSET LOCAL synchronous_commit = on;"
    "\nSELECT pg_logical_emit_message(true, 'crossfade', 'nudge') IS NOT NULL;\nCOMMIT;"
)
_BEGIN_AND_ENABLE = """
BEGIN;
SET LOCAL synchronous_commit = on;
SELECT pg_replication_origin_advance('pg_' || oid, :'begins') FROM pg_subscription
WHERE subname = '{name}' AND NOT subenabled
  AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND coalesce(pg_replication_origin_progress('pg_' || oid, false), '0/0') < :'begins';
SELECT pg_logical_emit_message(true, 'crossfade', 'position') IS NOT NULL;
COMMIT;
ALTER SUBSCRIPTION {name} ENABLE;
"""
_LOCK_EACH = """
DO $$
DECLARE
    table_in_scope regclass;
BEGIN
    FOR table_in_scope IN
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN crossfade.scope s ON s.schema_name = n.nspname WHERE c.relkind IN ('r', 'p')
    LOOP
        PERFORM set_config('lock_timeout', '{milliseconds}ms', true);
        EXECUTE format('LOCK TABLE ONLY %s IN SHARE MODE', table_in_scope);
        COMMIT;
    END LOOP;
END $$;
"""
_OPEN = """
BEGIN;
SET LOCAL synchronous_commit = on;
SELECT crossfade.open(:epoch);
UPDATE crossfade.slot_record r SET begins_at = s.confirmed_flush_lsn
FROM pg_replication_slots s WHERE s.slot_name = r.slot_name AND r.slot_name = '{slot}';
SELECT crossfade.mark('opened', gen_random_uuid());
COMMIT;
"""
_DROP_SLOTS = """
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_name = '{name}' AND NOT active AND database = current_database();
DROP PUBLICATION IF EXISTS {name};
"""
_END_SWITCHES = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND (classid, objid, objsubid) = (16721, 2, 2) AND granted
  AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
"""
