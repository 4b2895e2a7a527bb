"""What stands beside the rows: triggers, constraints, indexes, sequences, collations, and what an upgrade breaks."""

from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Place

_OF_TABLE = "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY(%(schemas)s)"
_NAME = "format('%%I.%%I', n.nspname, c.relname)"
# ruff: noqa: S608 - queries are made of the constants above

_OBJECTS = (
    Check(
        name="trigger-fires-twice",
        severity=WARNING,
        place=Place.SOURCE,
        why="It fires where the application writes and again where the row is applied: what it writes is "
        "written twice.",
        advice="",
        query=f"""
        SELECT format('trigger %%s on %%s', t.tgname, {_NAME}),
               format('it fires when replicated rows are applied (ENABLE %%s): what it writes is written twice',
                      CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE 'REPLICA' END),
               format('ALTER TABLE %%s ENABLE TRIGGER %%I;', {_NAME}, t.tgname)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid {_OF_TABLE}
          AND NOT t.tgisinternal AND t.tgenabled IN ('A', 'R') AND t.tgparentid = 0
          -- those of `crossfade schema` complete a row and leave a complete one alone
          AND t.tgfoid NOT IN (SELECT oid FROM pg_proc WHERE pronamespace = to_regnamespace('crossfade_expand'))
        ORDER BY 1
        """,
    ),
    Check(
        name="trigger-function-elsewhere",
        severity=WARNING,
        place=Place.SOURCE,
        why="The schema of its function does not move: after the full load, the trigger cannot be made on the target.",
        advice="Move that schema too, or make the function on the target. Of crossfade_expand: carry the schema change "
        "through `crossfade schema contract` or `back` first, for it is open.",
        query=f"""
        SELECT format('trigger %%s on %%s', t.tgname, {_NAME}),
               format('its function %%s is in a schema that does not move', t.tgfoid::regproc), NULL
        FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid {_OF_TABLE}
          AND NOT t.tgisinternal AND t.tgparentid = 0 AND f.pronamespace <> 'pg_catalog'::regnamespace
          AND (SELECT nspname FROM pg_namespace WHERE oid = f.pronamespace) <> ALL (%(schemas)s)
          AND NOT EXISTS (SELECT FROM pg_depend d
              WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e') ORDER BY 1
        """,
    ),
    Check(
        name="event-trigger",
        severity=WARNING,
        place=Place.SOURCE,
        why="Event triggers belong to no schema: the target gets none, and what they log or refuse ends "
        "with the cutover.",
        advice="Make it on the target after the schema stands there.",
        query="""
        SELECT format('event trigger %%s', evtname), 'it belongs to no schema and does not move', NULL
        FROM pg_event_trigger e WHERE evtenabled <> 'D' AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e') ORDER BY 1
        """,
    ),
    Check(
        name="deferrable-constraint",
        severity=WARNING,
        place=Place.SOURCE,
        why="Its check is an internal trigger, which rests where rows are applied: the target would not "
        "notice a double.",
        advice="Unless a transaction really needs doubles for a moment.",
        care=True,
        query=f"""
        SELECT format('constraint %%s on %%s', k.conname, {_NAME}),
               'it is deferrable: where rows are applied, nothing checks it',
               format('ALTER TABLE %%1$s DROP CONSTRAINT %%2$I, ADD CONSTRAINT %%2$I %%3$s;', {_NAME}, k.conname,
                      regexp_replace(pg_get_constraintdef(k.oid), ' DEFERRABLE( INITIALLY DEFERRED)?$', ''))
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid {_OF_TABLE}
          AND k.condeferrable AND k.contype IN ('u', 'x') AND k.conparentid = 0 ORDER BY 1
        """,
    ),
    Check(
        name="invalid-index",
        severity=WARNING,
        place=Place.SOURCE,
        why="It was left by a CREATE INDEX CONCURRENTLY that failed; the target does not get it.",
        advice="Or drop it.",
        query=f"""
        SELECT format('index %%s', format('%%I.%%I', n.nspname, x.relname)),
            'it is invalid and will not be made on the target',
               format('REINDEX INDEX %%I.%%I;', n.nspname, x.relname)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid {_OF_TABLE}
          AND NOT i.indisvalid AND c.relkind = 'r' ORDER BY 1
        """,
    ),
    Check(
        name="foreign-key-off",
        severity=WARNING,
        place=Place.SOURCE,
        why="Rows may have lost what they refer to; on the target the key is made over all rows, hours "
        "later, and fails.",
        advice="Look for orphans first; then the constraint can be dropped and added to prove that there are none.",
        query=f"""
        SELECT format('constraint %%s on %%s', k.conname, k.conrelid::regclass),
            'its triggers are disabled: nothing keeps it',
               string_agg(format('ALTER TABLE %%s ENABLE TRIGGER %%I;', t.tgrelid::regclass, t.tgname), ' '
                   ORDER BY t.tgname)
        FROM pg_constraint k JOIN pg_trigger t ON t.tgconstraint = k.oid
            JOIN pg_class c ON c.oid = k.conrelid {_OF_TABLE}
          AND k.contype = 'f' AND t.tgisinternal AND t.tgenabled = 'D' GROUP BY k.conname, k.conrelid ORDER BY 1
        """,
    ),
    Check(
        name="extension-keeps-rows",
        severity=WARNING,
        place=Place.SOURCE,
        why="Rows that people put into an extension's own tables stand outside the schemas and do not move.",
        advice="Put them in on the target, as the extension's manual says.",
        query="""
        SELECT format('extension %%s', extname),
               format('its tables may hold rows of yours, and do not replicate: %%s',
                      (SELECT string_agg(o::regclass::text, ', ') FROM unnest(extconfig) o)), NULL
        FROM pg_extension WHERE cardinality(extconfig) > 0 ORDER BY 1
        """,
    ),
    Check(
        name="collation-version",
        severity=WARNING,
        place=Place.SOURCE,
        why="The operating system's order of text has changed under the indexes: they may miss rows, and so "
        "may a check.",
        advice="First REINDEX what uses it.",
        care=True,
        query="""
        SELECT format('collation %%s', c.oid::regcollation),
               format('it was made by version %%s, the system has %%s', c.collversion,
                   pg_collation_actual_version(c.oid)),
               format('ALTER COLLATION %%s REFRESH VERSION;', c.oid::regcollation)
        FROM pg_collation c WHERE c.collversion IS NOT NULL
          AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid) ORDER BY 1
        """,
    ),
    Check(
        name="postfix-operator",
        severity=BLOCKER,
        place=Place.SOURCE,
        until=13,
        why="PostgreSQL 14 and later have no operators behind their operand: the schema could not be made.",
        advice="Use its function instead.",
        care=True,
        query="""
        SELECT format('operator %%s', o.oid::regoperator), 'the target knows no operators behind their operand',
               format('DROP OPERATOR %%I.%%s (%%s, NONE);', n.nspname, o.oprname, format_type(o.oprleft, NULL))
        FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND o.oprright = 0 ORDER BY 1
        """,
    ),
    Check(
        name="aggregate-over-anyarray",
        severity=BLOCKER,
        place=Place.SOURCE,
        until=13,
        why="From PostgreSQL 14 on array_append and its kin take anycompatiblearray: the aggregate could not be made.",
        advice="Make it anew on the target, over anycompatiblearray.",
        care=True,
        query="""
        SELECT format('aggregate %%s', a.aggfnoid::oid::regprocedure),
               format('it is built on %%s, which has other types from PostgreSQL 14 on', f.proname),
               format('DROP AGGREGATE %%s;', a.aggfnoid::oid::regprocedure)
        FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_proc f ON f.oid = a.aggtransfn
        WHERE n.nspname = ANY(%(schemas)s) AND f.pronamespace = 'pg_catalog'::regnamespace
            AND f.proname IN ('array_append',
            'array_prepend', 'array_cat', 'array_position', 'array_positions', 'array_remove', 'array_replace')
                ORDER BY 1
        """,
    ),
)
_OWNED = """
FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace m ON m.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE n.nspname = ANY(%(schemas)s)
"""
_TOP = "CASE a.atttypid WHEN 21 THEN 32767 ELSE 2147483647 END"
_LAST = "CASE WHEN has_table_privilege(s.oid, 'SELECT') THEN pg_sequence_last_value(s.oid::regclass) END"
_SEQUENCES = (
    Check(
        name="sequence-at-its-end",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="Each switch sets sequences ahead by a margin, in either direction; one without room could not be opened.",
        advice="And widen the column that it fills.",
        query="""
        SELECT format('sequence %%I.%%I', schemaname, sequencename),
            'the margin that each switch skips would run it past its end',
               format('ALTER SEQUENCE %%I.%%I AS bigint %%s;', schemaname, sequencename, CASE WHEN increment_by > 0
                      THEN 'MAXVALUE 9223372036854775807' ELSE 'MINVALUE -9223372036854775808' END)
        FROM pg_sequences WHERE schemaname = ANY(%(schemas)s) AND NOT cycle AND last_value IS NOT NULL AND CASE
            WHEN increment_by > 0 THEN last_value::numeric + increment_by * %(margin)s > max_value
            ELSE last_value::numeric + increment_by * %(margin)s < min_value END ORDER BY 1
        """,
    ),
    Check(
        name="key-nearly-full",
        severity=WARNING,
        place=Place.SOURCE,
        why="The column is narrower than its sequence: the margin of a switch may push it past its last number.",
        advice="It rewrites the table under a lock: expand and contract instead where the table is large.",
        care=True,
        query=f"""
        SELECT format('column %%I.%%I.%%I', m.nspname, c.relname, a.attname),
               format('%%s per cent of its numbers are used', trunc({_LAST} * 100.0 / {_TOP})),
               format('ALTER TABLE %%I.%%I ALTER COLUMN %%I TYPE bigint; ALTER SEQUENCE %%I.%%I AS bigint;',
                      m.nspname, c.relname, a.attname, n.nspname, s.relname)
        {_OWNED}
          AND a.atttypid IN (21, 23) AND q.seqincrement > 0 AND {_LAST} > 0.9 * {_TOP}
          AND NOT ({_LAST}::numeric + q.seqincrement * %(margin)s > q.seqmax) ORDER BY 1
        """,
    ),
)
_VALUES = (
    Check(
        name="large-objects",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="Large objects live in the catalog, which does not replicate: the target would have their numbers only.",
        advice="First move what is needed into bytea columns or files.",
        care=True,
        query="""
        SELECT 'large objects', format('there are %%s of them, and they do not replicate', count(*)),
               'SELECT lo_unlink(oid) FROM pg_largeobject_metadata;' FROM pg_largeobject_metadata HAVING count(*) > 0
        """,
    ),
    Check(
        name="value-of-this-server",
        severity=WARNING,
        place=Place.SOURCE,
        why="Numbers of objects, transactions and positions in the WAL mean something else on another server.",
        advice="Where the column holds such a number; as text it is at least no more than it is.",
        care=True,
        query="""
        SELECT format('column %%I.%%I.%%I', n.nspname, c.relname, a.attname),
               format('its type is %%s: the values mean something on this server only', format_type(a.atttypid, NULL)),
               format('ALTER TABLE %%I.%%I ALTER COLUMN %%I TYPE text USING %%I::text;', n.nspname, c.relname,
                   a.attname, a.attname)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_type t ON t.oid = a.atttypid
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
          AND t.typname IN ('oid', 'xid', 'xid8', 'cid', 'tid', 'pg_lsn', 'pg_snapshot', 'txid_snapshot')
              AND NOT c.relispartition
        ORDER BY 1
        """,
    ),
)
CHECKS = (*_VALUES, *_SEQUENCES, *_OBJECTS)
