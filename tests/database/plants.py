"""Problems that are planted on real servers, for preflight to find."""

from dataclasses import dataclass

from crossfade.model.terms import Side

YARD = """
CREATE SCHEMA yard AUTHORIZATION yard_owner;
SET ROLE yard_owner;
CREATE TABLE yard.good (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, price numeric(12, 2), name varchar(80));
CREATE TABLE yard.days (day date PRIMARY KEY) PARTITION BY RANGE (day);
CREATE TABLE yard.all_days PARTITION OF yard.days FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
GRANT USAGE ON SCHEMA yard TO yard_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA yard TO yard_app;
RESET ROLE;
"""
ROLES = (
    "yard_owner",
    "yard_app",
    "yard_root",
    "yard_maker",
    "yard_holder",
    "yard_holder_owner",
    "yard_almighty",
    "yard_weak",
    "yard_outsider",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """`sql` runs in the database of `side`; `system` are settings of its server. `stays`: no SQL takes it away."""

    check: str
    subject: str
    sql: str = ""
    side: Side = Side.SOURCE
    system: tuple[str, ...] = ()
    stays: bool = False
    until: int = 99
    since: int = 13


def _source(check: str, subject: str, sql: str, **more: object) -> Plant:
    return Plant(check=check, subject=subject, sql=sql, **more)  # type: ignore[arg-type]


def _target(check: str, subject: str, sql: str = "", **more: object) -> Plant:
    return Plant(check=check, subject=subject, sql=sql, side=Side.TARGET, **more)  # type: ignore[arg-type]


def _system(side: Side, check: str, *system: str) -> Plant:
    return Plant(check=check, subject=f"{side} server", side=side, system=system)


CATALOG = (
    _source("application-role-missing", "role yard_boss", "", stays=True),
    _source("application-is-superuser", "role yard_root", "ALTER ROLE yard_root SUPERUSER"),
    _source("application-creates-roles", "role yard_maker", "ALTER ROLE yard_maker CREATEROLE"),
    _source(
        "application-owns-tables",
        "role yard_holder",
        "CREATE TABLE yard.held (id int PRIMARY KEY); GRANT USAGE ON SCHEMA yard TO yard_holder;"
        "ALTER TABLE yard.held OWNER TO yard_holder",
    ),
    _source("fence-leaks", "role yard_almighty", "GRANT pg_write_all_data TO yard_almighty", since=14),
    _source(
        "definer-is-superuser",
        "function yard.sneak()",
        "CREATE FUNCTION yard.sneak() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM yard.good'",
    ),
    _source(
        "default-privileges",
        "default privileges of postgres in yard",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA yard GRANT INSERT, UPDATE ON TABLES TO yard_app",
    ),
    _source("schema-name-taken", "schema crossfade", "CREATE SCHEMA crossfade"),
    _source(
        "no-replica-identity", "table yard.indexed", "CREATE TABLE yard.indexed (n int NOT NULL UNIQUE, also json)"
    ),
    _source(
        "no-replica-identity",
        "table yard.later",
        "CREATE TABLE yard.later (id int PRIMARY KEY DEFERRABLE, p point)",
    ),
    _source(
        "no-replica-identity",
        "table yard.never",
        "CREATE TABLE yard.never (id int PRIMARY KEY); ALTER TABLE yard.never REPLICA IDENTITY NOTHING",
    ),
    _source(
        "identity-not-comparable",
        'table yard."Odd one"',
        'CREATE TABLE yard."Odd one" (j json); ALTER TABLE yard."Odd one" REPLICA IDENTITY FULL',
    ),
    _source(
        "identity-is-whole-row",
        "table yard.whole",
        "CREATE TABLE yard.whole (a int); ALTER TABLE yard.whole REPLICA IDENTITY FULL",
    ),
    _source("unlogged-table", "table yard.fast", "CREATE UNLOGGED TABLE yard.fast (id int PRIMARY KEY)"),
    _source(
        "partitions-end",
        "table yard.months",
        "CREATE TABLE yard.months (day date PRIMARY KEY) PARTITION BY RANGE (day);"
        "CREATE TABLE yard.june PARTITION OF yard.months FOR VALUES FROM ('2026-06-01') TO ('2026-07-01')",
    ),
    _source(
        "rows-elsewhere", "materialized view yard.sums", "CREATE MATERIALIZED VIEW yard.sums AS SELECT 1 AS one",
            stays=True
    ),
    _source(
        "trigger-fires-twice",
        "trigger always on yard.good",
        "CREATE FUNCTION yard.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER always BEFORE INSERT ON yard.good FOR EACH ROW EXECUTE FUNCTION yard.note();"
        "ALTER TABLE yard.good ENABLE ALWAYS TRIGGER always",
    ),
    # an open change of `crossfade schema`, as it stands on its table; it completes rows and doubles none
    _source(
        "trigger-function-elsewhere",
        "trigger zzz_crossfade_memo on yard.good",
        "CREATE SCHEMA crossfade_expand; GRANT USAGE ON SCHEMA crossfade_expand TO PUBLIC;"
        "CREATE FUNCTION crossfade_expand.memo() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER zzz_crossfade_memo BEFORE INSERT ON yard.good FOR EACH ROW"
        " EXECUTE FUNCTION crossfade_expand.memo();"
        "ALTER TABLE yard.good ENABLE ALWAYS TRIGGER zzz_crossfade_memo",
        stays=True,
    ),
    _source(
        "event-trigger",
        "event trigger watch",
        "CREATE FUNCTION yard.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';"
        "CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION yard.watch()",
        stays=True,
    ),
    _source(
        "deferrable-constraint",
        "constraint once_n_key on yard.once",
        "CREATE TABLE yard.once (id int PRIMARY KEY, n int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
    ),
    _source(
        "invalid-index",
        "index yard.torn",
        "CREATE INDEX torn ON yard.good (price);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'yard.torn'::regclass",
    ),
    _source(
        "foreign-key-off",
        "constraint child_good_id_fkey on yard.child",
        "CREATE TABLE yard.child (id int PRIMARY KEY, good_id bigint REFERENCES yard.good);"
        "ALTER TABLE yard.child DISABLE TRIGGER ALL",
    ),
    _source(
        "extension-keeps-rows",
        "extension citext",
        "CREATE EXTENSION citext SCHEMA yard; UPDATE pg_extension SET extconfig = ARRAY['yard.good'::regclass::oid],"
        " extcondition = ARRAY[''] WHERE extname = 'citext'",
        stays=True,
    ),
    _source(
        "extension-older",
        "extension btree_gin",
        "CREATE EXTENSION btree_gin SCHEMA yard; UPDATE pg_extension SET extversion = '99' WHERE extname = 'btree_gin'",
        stays=True,
    ),
    _source(
        "postfix-operator",
        "operator yard.!!!(integer,NONE)",
        "CREATE FUNCTION yard.fac(int) RETURNS int LANGUAGE sql AS 'SELECT $1';"
        "CREATE OPERATOR yard.!!! (LEFTARG = int, FUNCTION = yard.fac)",
        until=13,
    ),
    _source(
        "aggregate-over-anyarray",
        "aggregate yard.gather(anyelement)",
        "CREATE AGGREGATE yard.gather (anyelement) (SFUNC = array_append, STYPE = anyarray, INITCOND = '{}')",
        until=13,
    ),
    _source("sequence-at-its-end", "sequence yard.short",
        "CREATE SEQUENCE yard.short MAXVALUE 100; SELECT nextval('yard.short')"),
    _source(
        "sequence-at-its-end",
        "sequence yard.down",
        "CREATE SEQUENCE yard.down INCREMENT -1 MINVALUE -100; SELECT nextval('yard.down')",
    ),
    _source(
        "key-nearly-full",
        "column yard.full_up.id",
        "CREATE TABLE yard.full_up (id serial PRIMARY KEY); SELECT setval('yard.full_up_id_seq', 2000000000)",
    ),
    _source(
        "sequence-behind",
        "sequence yard.behind_id_seq",
        "CREATE TABLE yard.behind (id bigserial PRIMARY KEY); INSERT INTO yard.behind VALUES (41)",
    ),
    _source("large-objects", "large objects", "SELECT lo_create(0)"),
    _source(
        "value-of-this-server", "column yard.numbers.what", "CREATE TABLE yard.numbers (id int PRIMARY KEY, what oid)"
    ),
    _source(
        "value-too-large",
        "table yard.heavy",
        "CREATE TABLE yard.heavy (id int PRIMARY KEY, film bytea);"
        "ALTER TABLE yard.heavy ALTER film SET STORAGE EXTERNAL;"
        "INSERT INTO yard.heavy VALUES (1, convert_to(repeat('x', 400000), 'UTF8'))",
        stays=True,
    ),
    _source(
        "other-subscription",
        "subscription from_elsewhere",
        "CREATE SUBSCRIPTION from_elsewhere CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false)",
    ),
    _source(
        "database-settings-stay",
        "setting search_path of the database",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = yard, public', current_database()); END $$",
    ),
    _source("settings-differ", "setting DateStyle",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = german', current_database()); END $$"),
    _source("database-settings-stay", "setting DateStyle of the database", ""),
    _source(
        "read-only-sessions",
        "source server",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE crossfade IN DATABASE %I SET default_transaction_read_only = on',"
        " current_database()); END $$",
    ),
    _target(
        "session-timeouts",
        "statement_timeout of crossfade",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE crossfade IN DATABASE %I SET statement_timeout = 3600000',"
        " current_database()); END $$",
    ),
    _target("target-in-use", "schema yard", "CREATE SCHEMA yard"),
)  # fmt: skip
"""The databases may be anywhere."""

SERVERS = (
    _target("encodings-differ", "encoding", stays=True),
    _source(
        "collation-missing",
        "collation de-x-icu",
        'CREATE TABLE yard.words (word text COLLATE "de-x-icu" PRIMARY KEY)',
        stays=True,
    ),
    _source(
        "collation-version",
        "collation yard.german",
        "CREATE COLLATION yard.german (provider = icu, locale = 'de');"
        "UPDATE pg_collation SET collversion = '1.2' WHERE oid = 'yard.german'::regcollation",
    ),
    _system(Side.SOURCE, "wal-level", "wal_level = replica"),
    _system(Side.SOURCE, "replication-slots", "max_replication_slots = 3"),
    _system(Side.SOURCE, "worker-processes", "max_worker_processes = 12"),
    _system(Side.SOURCE, "fsync-off", "fsync = off"),
    _system(Side.SOURCE, "wal-room", "max_slot_wal_keep_size = '1MB'"),
    _system(Side.SOURCE, "replication-timeout", "wal_sender_timeout = '2s'"),
    _system(Side.TARGET, "wal-senders", "max_wal_senders = 5"),
    _system(Side.TARGET, "replication-workers", "max_logical_replication_workers = 2"),
    _system(Side.TARGET, "slot-wal-unlimited", "max_slot_wal_keep_size = -1"),
    _system(Side.TARGET, "idle-slots-dropped", "idle_replication_slot_timeout = '1d'"),
    _system(Side.TARGET, "commit-timestamps", "track_commit_timestamp = on"),
    _target("fewer-connections", "setting max_connections", system=("max_connections = 60",)),
    _source("extension-missing", "extension pgcrypto", "CREATE EXTENSION pgcrypto SCHEMA yard", stays=True),
    _source(
        "password-not-copied",
        "role yard_clerk",
        "CREATE ROLE yard_clerk LOGIN; GRANT SELECT ON yard.good TO yard_clerk",
        stays=True,
    ),
    _source("inactive-slot", "slot standby_1", "SELECT pg_create_physical_replication_slot('standby_1', true)"),
    _source("slots-lost-in-failover", "source server", ""),
    _source("prepared-transaction", "prepared transaction over", "BEGIN; SELECT 1; PREPARE TRANSACTION 'over'"),
    _source(
        "owner-outside-schema",
        "role yard_outsider",
        "CREATE TABLE yard.outside (id int PRIMARY KEY); ALTER TABLE yard.outside OWNER TO yard_outsider",
    ),
    _source("fence-trial-failed", "fence", ""),
    _target("role-writes-everything", "role yard_almighty", "GRANT pg_write_all_data TO yard_almighty"),
)
"""These need two servers that may be set as a test likes, the source one of PostgreSQL 13 with ICU;
the target's database is in LATIN1."""

FOR_DMS = {
    ("dms-no-primary-key", "table yard.bare"),
    ("dms-numeric", "column yard.bare.amount"),
    ("dms-large-objects", "table yard.bare"),
    ("dms-names-by-case", 'table yard."Good"'),
    ("dms-partitions", "table yard.days"),
}
DMS = """
CREATE TABLE yard.bare (amount numeric, words text); ALTER TABLE yard.bare REPLICA IDENTITY FULL;
CREATE TABLE yard."Good" (id int PRIMARY KEY);
"""
