"""Who may write on one side, by the catalog itself: also before anything of ours is there, and after it is gone."""

from crossfade.database.session import Session


def is_open(session: Session, schemas: tuple[str, ...]) -> bool:
    """Whether any role but superusers and ours has been granted to write to any table, view or column.

    Owners count: their rights are implicit until a first GRANT or REVOKE.
    """
    return bool(session.value(_OPEN, {"schemas": list(schemas)}))


_OPEN = """
SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT a.grantee, a.privilege_type FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
        UNION ALL
        SELECT a.grantee, a.privilege_type FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) a
        WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL
    ) x LEFT JOIN pg_roles r ON r.oid = x.grantee
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v')
      AND x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
      AND (x.grantee = 0 OR NOT r.rolsuper) AND r.rolname IS DISTINCT FROM current_user
)
"""
