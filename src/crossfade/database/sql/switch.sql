-- The marker that closes a drain: written when no writer is left, so it is the last change of its side. It carries the
-- sequences, so that the other side can go on without asking back.
CREATE OR REPLACE FUNCTION crossfade.mark(why text, mark uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO crossfade.marker AS m (origin, purpose, token, epoch, sequences)
    SELECT w.side, why, mark, w.epoch, CASE WHEN why = 'drain' THEN (
        SELECT jsonb_object_agg(format('%I.%I', q.schemaname, q.sequencename), q.last_value)
        FROM pg_sequences q JOIN crossfade.scope s ON s.schema_name = q.schemaname WHERE q.last_value IS NOT NULL
    ) END
    FROM crossfade.writer w
    ON CONFLICT (origin, purpose) DO UPDATE
    SET token = excluded.token, epoch = excluded.epoch, sequences = excluded.sequences, at = excluded.at;
END $$;

-- Returns once the marker is here, and with it everything that was committed before it on the other side.
CREATE OR REPLACE FUNCTION crossfade.await(mark uuid, patience interval) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    deadline constant timestamptz := clock_timestamp() + patience;
BEGIN
    LOOP
        PERFORM FROM crossfade.marker WHERE token = mark;
        EXIT WHEN FOUND;
        IF clock_timestamp() > deadline THEN
            RAISE EXCEPTION 'the marker did not arrive within %', patience USING ERRCODE = 'CF002';
        END IF;
        PERFORM pg_sleep(0.0005);
    END LOOP;
    RETURN clock_timestamp();
END $$;

-- Sequences ahead of the old side's by `margin` steps, never back. Its caller commits synchronously: whatever was applied
-- before is then flushed, and the slot can be advanced over it.
CREATE OR REPLACE FUNCTION crossfade.take_over(mark uuid, margin bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old text;
BEGIN
    SELECT origin INTO STRICT old FROM crossfade.marker WHERE token = mark;
    PERFORM setval(format('%I.%I', q.schemaname, q.sequencename)::regclass, CASE
        WHEN q.increment_by > 0
        THEN least(q.max_value, greatest(v.value::bigint + margin * q.increment_by, coalesce(q.last_value, v.value::bigint)))
        ELSE greatest(q.min_value, least(v.value::bigint + margin * q.increment_by, coalesce(q.last_value, v.value::bigint)))
    END)
    FROM crossfade.marker m CROSS JOIN LATERAL jsonb_each_text(coalesce(m.sequences, '{}')) v
    JOIN pg_sequences q ON format('%I.%I', q.schemaname, q.sequencename) = v.key
    WHERE m.token = mark;
    PERFORM crossfade.mark('opening', mark_of_opening) FROM gen_random_uuid() AS mark_of_opening;
END $$;

-- The guard: inserts, updates, deletes and truncates that the slot would still send. Must be 0 before this side opens.
CREATE OR REPLACE FUNCTION crossfade.unskipped(slot name) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FROM pg_logical_slot_peek_binary_changes(
        slot, NULL, NULL, 'proto_version', '1', 'publication_names', quote_ident(slot))
    WHERE get_byte(data, 0) IN (73, 85, 68, 84)  -- I, U, D, T. Source: PostgreSQL manual, 'Logical Replication Message Formats'
$$;

-- Changes that the slot would send and that were not made here but replicated to here. From where the way back begins
-- there are none, unless somebody wrote on the other side around its fence: they would return to where they came from.
CREATE OR REPLACE FUNCTION crossfade.echoed(slot name) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FROM (
        SELECT lsn, get_byte(data, 0) AS kind,
               bool_or(get_byte(data, 0) = 79) OVER (PARTITION BY xid::text) AS replicated  -- O: origin
        FROM pg_logical_slot_peek_binary_changes(
            slot, NULL, NULL, 'proto_version', '1', 'publication_names', quote_ident(slot))
    ) found
    WHERE replicated AND kind IN (73, 85, 68, 84) AND lsn >= coalesce((
        SELECT (to_jsonb(r)->>'begins_at')::pg_lsn FROM crossfade.slot_record r WHERE r.slot_name = slot), '0/0')
$$;

-- A beat of the side that takes writes; nothing elsewhere. The lock on the row keeps a beat from crossing a fence.
CREATE OR REPLACE FUNCTION crossfade.beat() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me    text;
    fresh bigint;
BEGIN
    SELECT side INTO me FROM crossfade.writer WHERE open FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(max(n), 0) + 1 INTO fresh FROM crossfade.beat WHERE origin = me;
    INSERT INTO crossfade.beat (origin, n) VALUES (me, fresh);
    DELETE FROM crossfade.beat WHERE origin = me AND n <= fresh - 200;
    RETURN fresh;
END $$;

-- A slot that was dropped and made again under its name has lost what was written in between. The server counts the
-- transactions that a slot has sent (from 14 on): a count that fell is another slot's. After a crash, or when somebody
-- sets the counters back, counting begins anew. Returns why the slot is lost, or nothing.
CREATE OR REPLACE FUNCTION crossfade.recounted(slot name) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    why text;
BEGIN
    IF current_setting('server_version_num')::int >= 140000 THEN
        EXECUTE $now$
            UPDATE crossfade.slot_record r
            SET sent = n.sent, counted_since = n.since, lost_reason = coalesce(r.lost_reason,
                CASE WHEN r.counted_since = n.since AND n.sent < r.sent
                THEN format('it was made again: it has sent %s transactions, and had sent %s', n.sent, r.sent) END)
            FROM (
                SELECT slot_name, total_txns AS sent,
                       concat_ws(' ', stats_reset, (SELECT stats_reset FROM pg_stat_bgwriter)) AS since
                FROM pg_stat_replication_slots
            ) n
            WHERE n.slot_name = $1 AND r.slot_name = $1
              AND (r.sent, r.counted_since) IS DISTINCT FROM (n.sent, n.since)
        $now$ USING slot;
    END IF;
    SELECT lost_reason INTO why FROM crossfade.slot_record WHERE slot_name = slot;
    RETURN why;
END $$;
