"""Roles that a fence would not stop, and those by which the application works."""

from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Place

FENCE_FAILED = Check(
    name="fence-trial-failed",
    severity=BLOCKER,
    place=Place.SOURCE,
    why="The fence is tried in a transaction that is rolled back: what fails now would fail in the cutover.",
    advice="",
)
FENCE_LEAKS = Check(
    name="fence-leaks",
    severity=BLOCKER,
    place=Place.SOURCE,
    why="After the fence the role could still write: two databases would take writes at once.",
    advice="Whatever else lets it write must go, too: the trial of the fence shows it.",
)
CHECKS = (
    Check(
        name="application-role-missing",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="A role that is not there was misspelt; the one that is meant would not be looked at.",
        advice="Name the role as which the application logs in.",
        query="""
        SELECT format('role %%s', name), 'it does not exist on the source', NULL
        FROM unnest(%(roles)s::name[]) name WHERE to_regrole(quote_ident(name)) IS NULL
        """,
    ),
    Check(
        name="application-is-superuser",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="A superuser is stopped by nothing: after the cutover it could go on writing to the source.",
        advice="Or give the application a role of its own.",
        care=True,
        query="""
        SELECT format('role %%s', rolname), 'the application is a superuser: no fence stops it',
               format('ALTER ROLE %%I NOSUPERUSER;', rolname)
        FROM pg_roles WHERE rolname = ANY(%(roles)s::name[]) AND rolsuper
        """,
    ),
    Check(
        name="application-creates-roles",
        severity=WARNING,
        place=Place.SOURCE,
        why="With CREATEROLE it can make itself a member of what may write.",
        advice="",
        query="""
        SELECT format('role %%s', rolname), 'the application may grant itself what the fence took (CREATEROLE)',
               format('ALTER ROLE %%I NOCREATEROLE;', rolname)
        FROM pg_roles WHERE rolname = ANY(%(roles)s::name[]) AND rolcreaterole
        """,
    ),
    Check(
        name="application-owns-tables",
        severity=WARNING,
        place=Place.SOURCE,
        why="The fence takes an owner's writes, but an owner can grant itself new ones, or make tables unseen.",
        advice="A role without login should own them.",
        care=True,
        query="""
        SELECT format('role %%s', rolname),
               format('the application owns %%s: the fence takes its writes, but an owner can grant itself new ones',
                      CASE count(*) WHEN 1 THEN min(name) ELSE format('%%s and %%s more', min(name), count(*) - 1) END),
               format('DO $$ BEGIN CREATE ROLE %%1$I NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;',
                      rolname || '_owner')
               || string_agg(DISTINCT format(' GRANT USAGE ON SCHEMA %%I TO %%I;', schema, rolname || '_owner'), '')
               || string_agg(format(' ALTER TABLE %%s OWNER TO %%I; GRANT ALL ON TABLE %%s TO %%I;',
                                    name, rolname || '_owner', name, rolname), '' ORDER BY name)
        FROM (SELECT r.rolname, n.nspname AS schema, format('%%I.%%I', n.nspname, c.relname) AS name
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
              WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND r.rolname = ANY(%(roles)s::name[])
                AND NOT r.rolsuper) owned
        GROUP BY rolname
        """,
    ),
    Check(
        name="owner-outside-schema",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="The fence speaks as the owner of each table, and an owner who may not enter the schema cannot be heard.",
        advice="",
        query="""
        SELECT DISTINCT format('role %%s', r.rolname), format('it owns tables in %%I and may not use the schema',
            n.nspname),
               format('GRANT USAGE ON SCHEMA %%I TO %%I;', n.nspname, r.rolname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
        WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v')
          AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE') ORDER BY 1
        """,
    ),
    Check(
        name="superuser-at-work",
        severity=WARNING,
        place=Place.EACH,
        why="A superuser is stopped by nothing; whoever works as one during the cutover can write behind the fence.",
        advice="Let the application log in as a role that is not a superuser.",
        query="""
        SELECT DISTINCT format('role %%s', a.usename),
               format('a superuser is connected (%%s); the fence stops no superuser',
                      coalesce(nullif(a.application_name, ''), 'no application name')), NULL
        FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename
        WHERE r.rolsuper AND a.backend_type = 'client backend' AND a.datname = current_database()
          AND a.usename <> current_user ORDER BY 1, 2
        """,
    ),
    Check(
        name="role-writes-everything",
        severity=BLOCKER,
        place=Place.TARGET,
        since=14,
        why="What comes by pg_write_all_data no REVOKE on a table takes away.",
        advice="",
        query="""
        SELECT format('role %%s', r.rolname),
               'on the target it may write everything by pg_write_all_data: the fence does not reach it',
               format('REVOKE pg_write_all_data FROM %%I;', r.rolname)
        FROM pg_roles r JOIN pg_roles w ON w.rolname = 'pg_write_all_data'
        WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND r.rolname <> current_user
          AND pg_has_role(r.oid, w.oid, 'MEMBER')
        """,
    ),
    Check(
        name="definer-is-superuser",
        severity=BLOCKER,
        place=Place.SOURCE,
        why="Whoever may call it writes with a superuser's rights: the fence would not stop that.",
        advice="Or let it run with the rights of whoever calls it: SECURITY INVOKER.",
        query="""
        SELECT format('function %%s', p.oid::regprocedure),
               'it runs as a superuser for whoever calls it (SECURITY DEFINER): the fence would not stop its writes',
               coalesce((SELECT format('ALTER ROUTINE %%s OWNER TO %%I;', p.oid::regprocedure, o.rolname)
                         FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
                             JOIN pg_roles o ON o.oid = c.relowner
                         WHERE s.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND NOT o.rolsuper
                         GROUP BY o.rolname ORDER BY count(*) DESC LIMIT 1),
                        format('ALTER ROUTINE %%s SECURITY INVOKER;', p.oid::regprocedure))
        FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND r.rolsuper AND p.provolatile = 'v' AND p.prorettype <> 'trigger'::regtype
          AND p.prorettype <> 'event_trigger'::regtype
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crossfade')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'e')
        """,
    ),
    Check(
        name="default-privileges",
        severity=WARNING,
        place=Place.SOURCE,
        why="A table made while the migration runs would be writable behind the fence, and is not replicated.",
        advice="Or make no tables until the migration has ended; put them back afterwards.",
        care=True,
        query="""
        SELECT format('default privileges of %%s in %%s', pg_get_userbyid(d.defaclrole), coalesce(n.nspname,
            'every schema')),
               'a table made while the migration runs would be writable behind the fence, and is not replicated',
               string_agg(DISTINCT format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I%%s REVOKE %%s ON TABLES FROM %%s;',
                   pg_get_userbyid(d.defaclrole), ' IN SCHEMA ' || quote_ident(n.nspname), a.privilege_type,
                   CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END), ' ')
        FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
        CROSS JOIN LATERAL aclexplode(d.defaclacl) a
        WHERE d.defaclobjtype = 'r' AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
          AND a.grantee <> d.defaclrole AND (n.nspname IS NULL OR n.nspname = ANY(%(schemas)s))
        GROUP BY d.oid, d.defaclrole, n.nspname
        """,
    ),
)
