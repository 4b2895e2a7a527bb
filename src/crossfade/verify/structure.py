"""What is not rows: whether the tables, their guards and what stands around them are the same on both sides."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from crossfade.verify.relation import TablePair
from crossfade.verify.session import Session

# Each answers (table or '', kind of object, object, what it is as text). Of partitions the parent is asked.
# NOT NULL is a property of the column here: from 18 on it is a constraint with a name as well.
_TABLES = sql.SQL("""
    SELECT n.nspname || '.' || c.relname AS title, c.oid, c.relowner, c.relacl, c.relrowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY (%(titles)s)
""")
_STRUCTURE = sql.SQL("""
    WITH t AS ({tables})
    SELECT t.title, 'column', a.attname::text,
           format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
           || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
           || CASE a.attgenerated WHEN 's' THEN ' STORED' WHEN 'v' THEN ' VIRTUAL' ELSE '' END
           || CASE a.attidentity WHEN 'a' THEN ' IDENTITY ALWAYS' WHEN 'd' THEN ' IDENTITY' ELSE '' END
           || coalesce(' COLLATE ' || CASE WHEN a.attcollation <> y.typcollation THEN quote_ident(o.collname) END, '')
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT t.title, 'constraint', k.conname::text,
           pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN '' ELSE ' (not validated)' END
    FROM t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.contype <> 'n' AND k.contype <> 't'
    UNION ALL
    SELECT t.title, 'index', i.relname::text, pg_get_indexdef(i.oid)
           || CASE WHEN x.indisvalid THEN '' ELSE ' (invalid)' END
    FROM t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
    UNION ALL
    SELECT t.title, 'trigger', g.tgname::text, pg_get_triggerdef(g.oid) || ' (' || g.tgenabled::text || ')'
    FROM t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
    UNION ALL
    SELECT t.title, 'policy', p.polname::text,
           concat_ws(' ', p.polcmd::text, p.polpermissive::text, pg_get_expr(p.polqual, p.polrelid),
                     pg_get_expr(p.polwithcheck, p.polrelid))
    FROM t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT t.title, 'row security', 'enabled', t.relrowsecurity::text FROM t
    UNION ALL
    SELECT t.title, 'grant', x.grantee, string_agg(x.privilege, ', ' ORDER BY x.privilege)
    FROM t, LATERAL (
        SELECT CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee)::text END AS grantee,
               e.privilege_type || CASE WHEN e.is_grantable THEN ' (grantable)' ELSE '' END AS privilege
        FROM aclexplode(coalesce(t.relacl, acldefault('r', t.relowner))) e
        WHERE e.grantee <> t.relowner AND e.privilege_type <> 'MAINTAIN'  -- 17 knows one right more
    ) x GROUP BY t.title, x.grantee
    UNION ALL
    SELECT t.title, 'statistics', 'gathered', 'yes' FROM t
    WHERE EXISTS (SELECT FROM pg_stats s WHERE s.schemaname || '.' || s.tablename = t.title)
    UNION ALL
    SELECT '', 'extension', e.extname::text, e.extversion FROM pg_extension e
""").format(tables=_TABLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureDifference:
    """An object that is not the same on both sides; None: it does not stand there. Texts are those of the catalog."""

    table: str
    kind: str
    name: str
    source: str | None
    target: str | None


def differences(source: Session, target: Session, tables: tuple[TablePair, ...]) -> tuple[StructureDifference, ...]:
    """Columns with types, defaults, identity; constraints, indexes, triggers, policies, grants; statistics; extensions.

    Objects are matched by name. The rights of a table's owner, whoever that is, are not compared. Expressions are as
    each server writes them: a version may write the same one otherwise.
    """
    here = _read(source, {table.source.title: table.title for table in tables})
    there = _read(target, {table.target.title: table.title for table in tables})
    found = []
    for place in sorted(here.keys() | there.keys()):
        if here.get(place) != there.get(place):
            table, kind, name = place
            found.append(
                StructureDifference(table=table, kind=kind, name=name, source=here.get(place), target=there.get(place))
            )
    return tuple(found)


def _read(session: Session, titles: Mapping[str, str]) -> dict[tuple[str, str, str], str]:
    rows = session.rows(_STRUCTURE, {"titles": list(titles)})
    return {(titles.get(table, table), kind, name): text for table, kind, name, text in rows}
