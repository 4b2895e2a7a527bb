-- Who may write, by the catalog itself: whole tables, single columns, PUBLIC, owners (whose rights are implicit until
-- the first GRANT or REVOKE). Members of a role write by that role's grants. Views are included: a write through a view
-- is checked with the rights of the view's owner.
CREATE OR REPLACE VIEW crossfade.write_grants AS
SELECT n.nspname AS schema_name, c.relname AS relation_name, x.column_name,
       pg_get_userbyid(c.relowner) AS owner, pg_get_userbyid(x.grantor) AS grantor,
       CASE WHEN x.grantee = 0 THEN NULL ELSE pg_get_userbyid(x.grantee) END AS grantee,
       x.privilege, x.grantable,
       x.grantee = 0 OR NOT coalesce((SELECT r.rolsuper FROM pg_roles r WHERE r.oid = x.grantee), false) AS stoppable
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN crossfade.scope s ON s.schema_name = n.nspname
CROSS JOIN LATERAL (
    SELECT NULL::name AS column_name, a.grantor, a.grantee, a.privilege_type AS privilege, a.is_grantable AS grantable
    FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    UNION ALL
    SELECT t.attname, a.grantor, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) a
    WHERE t.attrelid = c.oid AND NOT t.attisdropped AND t.attacl IS NOT NULL
) x
WHERE c.relkind IN ('r', 'p', 'v') AND x.privilege IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE');

-- Roles that can write although nothing grants it to them by name: what is left of these after a fence is a hole in it.
CREATE OR REPLACE FUNCTION crossfade.still_writing(keep name) RETURNS TABLE (role_name name, relation text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.rolname, min(format('%I.%I', n.nspname, c.relname))
    FROM pg_roles r, pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN crossfade.scope s ON s.schema_name = n.nspname
    WHERE NOT r.rolsuper AND r.rolname <> keep AND r.rolname !~ '^pg_' AND c.relkind IN ('r', 'p', 'v')
      AND (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE'))
    GROUP BY r.rolname
$$;

-- Takes the epoch for this side, or refuses: a later one has been here. Durable with the transaction it stands in.
CREATE OR REPLACE FUNCTION crossfade.claim(wanted bigint, opening boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE crossfade.writer
    SET open = opening, epoch = wanted, since = clock_timestamp(),
        horizon = CASE WHEN open = opening THEN horizon ELSE pg_snapshot_xmin(pg_current_snapshot())::text::bigint END
    WHERE epoch <= wanted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'epoch % is over: this side holds %', wanted, (SELECT epoch FROM crossfade.writer)
            USING ERRCODE = 'CF001';
    END IF;
END $$;

-- What a fence or an opening will say, worked out before the window; good for as long as its fingerprint holds.
CREATE TABLE IF NOT EXISTS crossfade.plan (
    verb text NOT NULL, n integer NOT NULL, role_name name NOT NULL, statement text NOT NULL, PRIMARY KEY (verb, n)
);
CREATE TABLE IF NOT EXISTS crossfade.planned (verb text PRIMARY KEY, fingerprint text NOT NULL);
CREATE TABLE IF NOT EXISTS crossfade.planned_notes (LIKE crossfade.fenced_grants);

-- Changes with any change of a table's definition, owner or grants: each writes a new version of a catalog row.
CREATE OR REPLACE FUNCTION crossfade.grants_fingerprint() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT md5(string_agg(x.version, ',' ORDER BY x.version)) FROM (
        SELECT c.oid::text || ' ' || c.xmin::text AS version FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN crossfade.scope s ON s.schema_name = n.nspname
        WHERE c.relkind IN ('r', 'p', 'v')
        UNION ALL
        SELECT t.attrelid::text || ' ' || t.attnum || ' ' || t.xmin::text FROM pg_attribute t
        JOIN pg_class c ON c.oid = t.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN crossfade.scope s ON s.schema_name = n.nspname
        WHERE t.attacl IS NOT NULL
        UNION ALL
        SELECT 'role ' || r.oid FROM pg_roles r WHERE r.rolsuper
    ) x
$$;

-- Says each planned statement as the role that may: an owner, or who had granted it.
CREATE OR REPLACE FUNCTION crossfade.say(spoken text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mine constant text := current_setting('role');
    part record;
BEGIN
    FOR part IN SELECT role_name, statement FROM crossfade.plan WHERE verb = spoken ORDER BY n LOOP
        PERFORM set_config('role', part.role_name, true);
        EXECUTE part.statement;
        PERFORM set_config('role', mine, true);
    END LOOP;
END $$;

-- Notes every write grant, takes it from everybody but superusers and ours, and keeps the note of what is gone.
CREATE OR REPLACE FUNCTION crossfade.take_grants() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    level integer := 0;
BEGIN
    INSERT INTO crossfade.fenced_grants (schema_name, relation_name, column_name, grantor, grantee, privilege, grantable)
    SELECT schema_name, relation_name, column_name, grantor, grantee, privilege, grantable FROM crossfade.write_grants
    EXCEPT
    SELECT schema_name, relation_name, column_name, grantor, grantee, privilege, grantable FROM crossfade.fenced_grants;
    DELETE FROM crossfade.plan WHERE verb = 'fence';
    INSERT INTO crossfade.plan (verb, n, role_name, statement)
    SELECT 'fence', row_number() OVER (), owner, format(
        'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON TABLE %s FROM %s CASCADE',
        string_agg(DISTINCT format('%I.%I', schema_name, relation_name), ', '),
        string_agg(DISTINCT coalesce(quote_ident(grantee), 'PUBLIC'), ', '))
    FROM crossfade.write_grants WHERE stoppable AND grantee IS DISTINCT FROM current_user GROUP BY owner;
    PERFORM crossfade.say('fence');
    DELETE FROM crossfade.fenced_grants f USING crossfade.write_grants w
    WHERE (f.schema_name, f.relation_name, f.grantor, f.privilege) = (w.schema_name, w.relation_name, w.grantor, w.privilege)
      AND f.column_name IS NOT DISTINCT FROM w.column_name AND f.grantee IS NOT DISTINCT FROM w.grantee;
    -- Who grants by a grant option must get that one back first: the owner's grants are level 0.
    UPDATE crossfade.fenced_grants f SET depth = 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) = (f.schema_name, f.relation_name) AND pg_get_userbyid(c.relowner) = f.grantor;
    LOOP
        UPDATE crossfade.fenced_grants f SET depth = level + 1 FROM crossfade.fenced_grants g
        WHERE f.depth IS NULL AND g.depth = level AND g.grantable AND g.grantee = f.grantor AND g.privilege = f.privilege
          AND (g.schema_name, g.relation_name) = (f.schema_name, f.relation_name);
        EXIT WHEN NOT FOUND;
        level := level + 1;
    END LOOP;
END $$;

-- Does all that a fence does, keeps what it would say and note, and takes it back. Answers with the roles that could
-- still write: there must be none.
CREATE OR REPLACE FUNCTION crossfade.plan_fence(wanted bigint) RETURNS TABLE (role_name name, relation text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before constant text := crossfade.grants_fingerprint();
    notes  crossfade.fenced_grants[];
    words  crossfade.plan[];
BEGIN
    BEGIN
        PERFORM crossfade.claim(wanted, false);
        PERFORM crossfade.take_grants();
        notes := ARRAY(SELECT f FROM crossfade.fenced_grants f);
        words := ARRAY(SELECT p FROM crossfade.plan p WHERE p.verb = 'fence');
        role_name := NULL;
        RETURN QUERY SELECT * FROM crossfade.still_writing(current_user);
        RAISE EXCEPTION 'that was a trial' USING ERRCODE = 'CF000';
    EXCEPTION WHEN SQLSTATE 'CF000' THEN
        NULL;
    END;
    DELETE FROM crossfade.planned_notes;
    INSERT INTO crossfade.planned_notes SELECT (unnest(notes)).*;
    DELETE FROM crossfade.plan WHERE verb = 'fence';
    INSERT INTO crossfade.plan SELECT (unnest(words)).*;
    DELETE FROM crossfade.planned WHERE verb = 'fence';
    INSERT INTO crossfade.planned VALUES ('fence', before);
END $$;

-- The fence, by its plan when nothing has changed since, else worked out anew. Durable with its transaction.
CREATE OR REPLACE FUNCTION crossfade.fence(wanted bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM crossfade.claim(wanted, false);
    PERFORM FROM crossfade.fenced_grants;
    IF NOT FOUND AND (SELECT fingerprint FROM crossfade.planned WHERE verb = 'fence') = crossfade.grants_fingerprint() THEN
        INSERT INTO crossfade.fenced_grants SELECT * FROM crossfade.planned_notes;
        PERFORM crossfade.say('fence');
    ELSE
        PERFORM crossfade.take_grants();
    END IF;
END $$;

-- What opening this side will say. Good until the next fence or opening here. Grants to roles, or on tables, that are
-- gone are left out.
CREATE OR REPLACE FUNCTION crossfade.plan_opening() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM crossfade.plan WHERE verb = 'open';
    WITH known AS (
        SELECT f.* FROM crossfade.fenced_grants f
        JOIN pg_namespace n ON n.nspname = f.schema_name
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = f.relation_name
        JOIN pg_roles o ON o.rolname = f.grantor
        LEFT JOIN pg_roles r ON r.rolname = f.grantee
        WHERE f.grantee IS NULL OR r.oid IS NOT NULL
    ), tables AS (
        SELECT coalesce(depth, 0) AS level, grantor, coalesce(quote_ident(grantee), 'PUBLIC') AS grantee, grantable,
               format('%I.%I', schema_name, relation_name) AS relation,
               string_agg(privilege || coalesce(' (' || quote_ident(column_name) || ')', ''), ', '
                          ORDER BY privilege, column_name) AS privileges
        FROM known GROUP BY 1, 2, 3, 4, 5
    ), words AS (
        SELECT level, grantor, format('GRANT %s ON TABLE %s TO %s%s', privileges, string_agg(relation, ', '), grantee,
                   CASE WHEN grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
        FROM tables GROUP BY level, grantor, grantee, grantable, privileges
    )
    INSERT INTO crossfade.plan (verb, n, role_name, statement)
    SELECT 'open', row_number() OVER (ORDER BY level), grantor, statement FROM words;
    DELETE FROM crossfade.planned WHERE verb = 'open';
    INSERT INTO crossfade.planned SELECT 'open', epoch || ' ' || since FROM crossfade.writer;
END $$;

-- Gives back what the fence took, tells listeners, and makes this side the one that takes writes.
CREATE OR REPLACE FUNCTION crossfade.open(wanted bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now_is constant text := (SELECT epoch || ' ' || since FROM crossfade.writer);
BEGIN
    PERFORM crossfade.claim(wanted, true);
    IF now_is IS DISTINCT FROM (SELECT fingerprint FROM crossfade.planned WHERE verb = 'open') THEN
        PERFORM crossfade.plan_opening();
    END IF;
    PERFORM crossfade.say('open');
    DELETE FROM crossfade.fenced_grants;
    PERFORM pg_notify('crossfade_writer', (SELECT side FROM crossfade.writer) || ':' || wanted);
END $$;
