"""Each server by itself: its settings, its room, and what the migration's role may do there."""

from crossfade.database.needs import FREE_SENDERS, FREE_SLOTS, WORKERS
from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Place

RDS = "EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser')"
"""Services of AWS have this role, and give nobody a superuser."""
OLDEST = 13
"""Of the major versions of PostgreSQL that a migration is made for."""
_GROUP = "Set it in the parameter group of the instance"
_RELOAD = "SELECT pg_reload_conf();"


def _room(name: str, setting: str, needed: int, in_use: str, why: str) -> Check:
    """Whether `needed` are left of what `setting` allows."""
    return Check(
        name=name,
        severity=BLOCKER,
        place=Place.EACH,
        why=why,
        advice="It counts after a restart.",
        restart=True,
        rds=f"{_GROUP} and reboot.",
        query=f"""
        SELECT NULL, format('{setting} leaves %%s, {needed} are needed', allowed - used),
               format('ALTER SYSTEM SET {setting} = %%s;', used + {needed} + 4)
        FROM (SELECT current_setting('{setting}')::int AS allowed, ({in_use})::int AS used) room
        WHERE allowed - used < {needed}
        """,  # noqa: S608 - made of the constants below
    )


def _setting(name: str, condition: str, problem: str, sql: str, **more: object) -> Check:
    """A setting that must be another; `condition`, `problem` and `sql` see it as `is`."""
    setting = str(more.pop("setting"))
    query = f"SELECT NULL, format({problem}, v), '{sql}' FROM current_setting('{setting}', true) v WHERE {condition}"  # noqa: S608 - constants
    return Check(name=name, query=query, **{"place": Place.EACH, "severity": WARNING, **more})  # type: ignore[arg-type]


VERSION_TOO_OLD = Check(
    name="version-too-old",
    severity=BLOCKER,
    place=Place.EACH,
    why="Logical replication as it is used here came with PostgreSQL 13; nothing else is asked of an older one.",
    advice="Upgrade it to PostgreSQL 13 or later.",
)
CHECKS = (
    Check(
        name="standby",
        severity=BLOCKER,
        place=Place.EACH,
        why="A standby can neither be published from before PostgreSQL 16, nor be fenced, nor take writes.",
        advice="Name the primary; promote a standby only if it is to become one.",
        care=True,
        query="SELECT NULL, 'it is a standby', 'SELECT pg_promote();' WHERE pg_is_in_recovery()",
    ),
    _setting(
        "wal-level",
        "v <> 'logical'",
        "'wal_level is %%s: changes cannot be decoded'",
        "ALTER SYSTEM SET wal_level = logical;",
        setting="wal_level",
        severity=BLOCKER,
        restart=True,
        why="Without it there is nothing to decode; both sides send, one after the other.",
        advice="It counts after a restart.",
        rds="Set rds.logical_replication = 1 in the parameter group and reboot: it sets wal_level.",
    ),
    _room(
        "replication-slots",
        "max_replication_slots",
        FREE_SLOTS,
        "SELECT count(*) FROM pg_replication_slots WHERE slot_name !~ '^crossfade_'",
        "Each direction has a slot, and each table one more while it is copied.",
    ),
    _room(
        "wal-senders",
        "max_wal_senders",
        FREE_SENDERS,
        "SELECT count(*) FROM pg_stat_replication WHERE application_name !~ '^crossfade_'",
        "Each subscription and each table that is copied is served by a sender.",
    ),
    _room(
        "replication-workers",
        "max_logical_replication_workers",
        WORKERS,
        "0",
        "One worker applies, others copy tables; without a free one replication waits in silence.",
    ),
    Check(
        name="worker-processes",
        severity=WARNING,
        place=Place.EACH,
        why="Workers of replication come out of max_worker_processes, beside parallel queries and extensions.",
        advice="It counts after a restart.",
        restart=True,
        rds=f"{_GROUP} and reboot.",
        query="""
        SELECT NULL, format('max_worker_processes is %%s, of which replication may need %%s', mine, replication),
               format('ALTER SYSTEM SET max_worker_processes = %%s;', replication + 4)
        FROM (SELECT current_setting('max_worker_processes')::int AS mine,
                     current_setting('max_logical_replication_workers')::int AS replication) w
        WHERE mine <= replication
        """,
    ),
    _setting(
        "fsync-off",
        "v <> 'on'",
        "'fsync is %%s: what is committed may be lost'",
        f"ALTER SYSTEM SET fsync = on; {_RELOAD}",
        setting="fsync",
        severity=BLOCKER,
        why="What one side confirmed and lost in a crash, the other side has: the two drift apart unseen.",
        advice="",
    ),
    _setting(
        "slot-wal-unlimited",
        "v = '-1'",
        "'max_slot_wal_keep_size is unlimited (%%s): a subscriber that stands still fills the disk'",
        f"ALTER SYSTEM SET max_slot_wal_keep_size = ''64GB''; {_RELOAD}",
        setting="max_slot_wal_keep_size",
        why="A full disk stops the primary; losing the slot loses the migration only.",
        advice="Choose it by the free room on the disk of pg_wal.",
        rds=f"{_GROUP}: max_slot_wal_keep_size, by the free storage.",
    ),
    _setting(
        "idle-slots-dropped",
        "v NOT IN ('0', '')",
        "'idle_replication_slot_timeout is %%s: the slot of the sleeping way back may be invalidated'",
        f"ALTER SYSTEM SET idle_replication_slot_timeout = 0; {_RELOAD}",
        setting="idle_replication_slot_timeout",
        since=18,
        why="The way back sleeps until the cutover; a server that drops idle slots takes it away.",
        advice="Set it back when the migration has ended.",
        rds=f"{_GROUP}: idle_replication_slot_timeout = 0.",
    ),
    Check(
        name="replication-timeout",
        severity=WARNING,
        place=Place.EACH,
        why="While one large transaction is decoded or applied nothing is answered: the connection is cut, "
        "and begins anew.",
        advice="",
        rds=f"{_GROUP}: 60 s.",
        query=f"""
        SELECT NULL, format('%%s is %%s ms: a large transaction may cut replication', name, setting),
               format('ALTER SYSTEM SET %%I = ''60s''; {_RELOAD}', name)
        FROM pg_settings WHERE name IN ('wal_sender_timeout', 'wal_receiver_timeout')
          AND setting::int BETWEEN 1 AND 9999
        """,  # noqa: S608 - a constant
    ),
    _setting(
        "commit-timestamps",
        "v = 'on'",
        "'track_commit_timestamp is %%s: it logs a line for each conflict that it imagines'",
        "ALTER SYSTEM SET track_commit_timestamp = off;",
        setting="track_commit_timestamp",
        place=Place.TARGET,
        since=18,
        restart=True,
        why="From PostgreSQL 18 on, each row that came by replication and is changed is logged as a conflict.",
        advice="It counts after a restart.",
        rds=f"{_GROUP} and reboot.",
    ),
    Check(
        name="read-only-sessions",
        severity=BLOCKER,
        place=Place.EACH,
        why="The migration keeps its state in the database, and could not write it.",
        advice="",
        query="""
        SELECT NULL, 'default_transaction_read_only is on for ' || current_user,
               format('ALTER ROLE %%I IN DATABASE %%I SET default_transaction_read_only = off;', current_user,
                      current_database())
        WHERE current_setting('default_transaction_read_only') = 'on'
        """,
    ),
    Check(
        name="session-timeouts",
        severity=WARNING,
        place=Place.EACH,
        why="Indexes of hundreds of gigabytes take hours, and sessions wait for long: the server would end them.",
        advice="",
        query="""
        SELECT format('%%s of %%s', name, current_user), format('%%s is %%s for the migration''s role', name, setting),
               format('ALTER ROLE %%I IN DATABASE %%I SET %%I = 0;', current_user, current_database(), name)
        FROM pg_settings WHERE setting <> '0' AND name IN ('statement_timeout', 'idle_session_timeout',
            'idle_in_transaction_session_timeout', 'transaction_timeout')
        """,
    ),
    Check(
        name="role-rights",
        severity=BLOCKER,
        place=Place.EACH,
        why="Before PostgreSQL 16 only a superuser may own a subscription, and with it nothing else is lacking.",
        advice="Take it back when the migration has ended.",
        until=15,
        query=f"""
        SELECT NULL, format('role %%s is no superuser: it can neither fence every role nor own the subscription',
                            current_user), format('ALTER ROLE %%I SUPERUSER;', current_user)
        FROM pg_roles WHERE rolname = current_user AND NOT rolsuper AND NOT {RDS}
        """,  # noqa: S608 - a constant
    ),
    Check(
        name="role-rights-on-rds",
        severity=BLOCKER,
        place=Place.EACH,
        why="RDS has no superuser: publishing, slots, subscriptions and the fence need these memberships instead.",
        advice="Take them back when the migration has ended.",
        query=f"""
        SELECT NULL, format('role %%s is no member of %%s', current_user, r.rolname),
               format('GRANT %%I TO %%I;', r.rolname, current_user)
        FROM pg_roles r WHERE {RDS} AND NOT pg_has_role(current_user, r.oid, 'MEMBER')
          AND (r.rolname IN ('rds_superuser', 'rds_replication') OR r.oid IN (
              SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v')))
        ORDER BY 2
        """,  # noqa: S608 - a constant
    ),
)
