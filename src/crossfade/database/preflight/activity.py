"""What is going on at the moment: transactions, slots, subscriptions, the rate of changes."""

from crossfade.database.preflight.check import WARNING, Check, Place

CHECKS = (
    Check(
        name="prepared-transaction",
        severity=WARNING,
        place=Place.SOURCE,
        why="It keeps its locks until somebody ends it: the fence and the first copy would wait for it for ever.",
        advice="Or commit it: its coordinator knows.",
        care=True,
        query="""
        SELECT format('prepared transaction %%s', gid),
               format('it is open, and would keep the fence and the first copy waiting (owner %%s)', owner),
               format('ROLLBACK PREPARED %%L;', gid)
        FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1
        """,
    ),
    Check(
        name="long-transaction",
        severity=WARNING,
        place=Place.SOURCE,
        why="A slot begins when every transaction older than it has ended, and the fence waits for those that write.",
        advice="Or let it end.",
        care=True,
        query="""
        SELECT format('session %%s of %%s', pid, usename),
               format('its transaction has been open for %%s: it keeps the first copy and the fence waiting',
                      date_trunc('second', clock_timestamp() - xact_start)),
               format('SELECT pg_terminate_backend(%%s);', pid)
        FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND datname = current_database() AND xact_start IS NOT NULL
          AND clock_timestamp() - xact_start > make_interval(secs => %(long)s) AND pid <> pg_backend_pid() ORDER BY pid
        """,
    ),
    Check(
        name="inactive-slot",
        severity=WARNING,
        place=Place.EACH,
        why="A slot that nobody reads keeps WAL and old rows, beside those of the migration, until the disk is full.",
        advice="Unless its reader comes back.",
        care=True,
        query="""
        SELECT format('slot %%s', slot_name), format('nobody reads it, and it keeps %%s of WAL',
                   coalesce(pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 'an unknown amount')),
               format('SELECT pg_drop_replication_slot(%%L);', slot_name)
        FROM pg_replication_slots WHERE NOT active AND NOT temporary AND slot_name !~ '^crossfade_'
          AND NOT pg_is_in_recovery() ORDER BY 1
        """,
    ),
    Check(
        name="slots-lost-in-failover",
        severity=WARNING,
        place=Place.EACH,
        why="A standby that is promoted has no slot of the migration: changes are lost, and it must begin anew.",
        advice="Do not fail over while the migration runs; it notices, and asks for a new full load.",
        query="""
        SELECT NULL, 'it has a standby, to which the migration''s slots do not go: a failover ends it', NULL
        WHERE EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT temporary)
           OR EXISTS (SELECT FROM pg_stat_replication r WHERE r.state = 'streaming'
                      AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid))
        """,
    ),
    Check(
        name="other-subscription",
        severity=WARNING,
        place=Place.EACH,
        why="Somebody else writes into this database by replication, which no fence stops.",
        advice="Let it end before the cutover.",
        care=True,
        query="""
        SELECT format('subscription %%s', subname), 'it writes into this database, and the fence does not stop it',
               format('ALTER SUBSCRIPTION %%1$I DISABLE; ALTER SUBSCRIPTION %%1$I SET (slot_name = NONE); '
                      'DROP SUBSCRIPTION %%1$I;', subname)
        FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
        WHERE d.datname = current_database() AND subname !~ '^crossfade_' ORDER BY 1
        """,
    ),
    Check(
        name="wal-room",
        severity=WARNING,
        place=Place.SOURCE,
        why="While the target copies, or stands still, the source keeps all WAL; past the limit the slot is dropped.",
        advice="See that pg_wal's disk has as much room, and set replication.wal.drop_at likewise.",
        rds="Set max_slot_wal_keep_size in the parameter group, by the free storage, and replication.wal.drop_at.",
        query="""
        SELECT NULL, format('at %%s a second WAL outgrows max_slot_wal_keep_size (%%s) in the full load and an hour',
                            pg_size_pretty(trunc(rate)), pg_size_pretty(kept)),
               format('ALTER SYSTEM SET max_slot_wal_keep_size = %%L; SELECT pg_reload_conf();',
                      ceil(2 * wanted / 1048576) || 'MB')
        FROM (SELECT rate, kept, rate * (3600 + pg_database_size(current_database()) / 52428800.0) AS wanted
              FROM (SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)
                           / greatest(extract(epoch FROM clock_timestamp() - checkpoint_time)::numeric, 0.001) AS rate
                    FROM pg_control_checkpoint() WHERE NOT pg_is_in_recovery()
                      AND clock_timestamp() - checkpoint_time >= make_interval(secs => %(rate_window)s)) r,
                   (SELECT setting::bigint * 1048576 AS kept FROM pg_settings
                    WHERE name = 'max_slot_wal_keep_size' AND setting <> '-1') k) x
        WHERE kept < wanted
        """,
    ),
)
"""`wal-room` takes the rate since the last checkpoint, and a full load of 50 MiB a second. Source: the first half of
docs/database-switch.md; the rate of a full load is an assumption, stated in docs/preflight.md.
"""
