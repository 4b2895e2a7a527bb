-- What Crossfade keeps in each of the two databases. Only `marker` and `beat` are replicated; all else is local.
-- Runs on PostgreSQL 13 and later. Every statement may run again.
CREATE SCHEMA IF NOT EXISTS crossfade;
COMMENT ON SCHEMA crossfade IS 'state of a running migration; goes when the migration ends';

CREATE TABLE IF NOT EXISTS crossfade.scope (schema_name name PRIMARY KEY);

-- One row: does this side take writes, and under which epoch was that decided.
CREATE TABLE IF NOT EXISTS crossfade.writer (
    one   boolean     PRIMARY KEY DEFAULT true CHECK (one),
    side  text        NOT NULL,
    open  boolean     NOT NULL,
    epoch bigint      NOT NULL DEFAULT 0,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Every transaction below it had ended when this side was last opened or closed: what it wrote is older than that.
ALTER TABLE crossfade.writer ADD COLUMN IF NOT EXISTS horizon bigint;

-- Exactly what the fence took away here; what opening this side gives back. No grantee means PUBLIC.
CREATE TABLE IF NOT EXISTS crossfade.fenced_grants (
    schema_name   name    NOT NULL,
    relation_name name    NOT NULL,
    column_name   name,
    grantor       name    NOT NULL,
    grantee       name,
    privilege     text    NOT NULL,
    grantable     boolean NOT NULL,
    depth         integer
);

-- A row for each purpose, written by the side that sends; seen on the other side once everything before it is there.
CREATE TABLE IF NOT EXISTS crossfade.marker (
    origin    text        NOT NULL,
    purpose   text        NOT NULL,
    token     uuid        NOT NULL,
    epoch     bigint      NOT NULL,
    sequences jsonb,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (origin, purpose)
);

-- A chain without holes: what arrives with a hole has lost changes on the way.
CREATE TABLE IF NOT EXISTS crossfade.beat (
    origin text        NOT NULL,
    n      bigint      NOT NULL,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (origin, n)
);

-- The identity of the replication slot on this side. Another server behind the same name has lost changes.
-- `begins_at` is where the way back begins: set as this side opens. The slot is there too, but only in memory until the
-- next checkpoint; a crash before that leaves it as it was long before.
CREATE TABLE IF NOT EXISTS crossfade.slot_record (
    slot_name   name   PRIMARY KEY,
    system_id   bigint NOT NULL,
    timeline    text   NOT NULL,
    lost_reason text,
    begins_at   pg_lsn
);
-- What the slot had sent when it was last looked at, and since when that is counted: see `recounted`.
ALTER TABLE crossfade.slot_record ADD COLUMN IF NOT EXISTS sent bigint, ADD COLUMN IF NOT EXISTS counted_since text;

-- What was made here that the migration may have to take away again, and what of the second half is done.
CREATE TABLE IF NOT EXISTS crossfade.made (kind text NOT NULL, name text NOT NULL, PRIMARY KEY (kind, name));
