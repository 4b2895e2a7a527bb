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
    UPDATE crossfade.writer SET open = opening, epoch = wanted, since = clock_timestamp() WHERE epoch <= wanted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'epoch % is over: this side holds %', wanted, (SELECT epoch FROM crossfade.writer)
            USING ERRCODE = 'CF001';
    END IF;
END $$;

-- Fence: notes every write grant, takes it from everybody but superusers and `keep`, and keeps the note of what is gone.
CREATE OR REPLACE FUNCTION crossfade.fence(wanted bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keep  constant name := current_user;
    mine  constant text := current_setting('role');
    part  record;
    level integer := 0;
BEGIN
    PERFORM crossfade.claim(wanted, false);
    INSERT INTO crossfade.fenced_grants (schema_name, relation_name, column_name, grantor, grantee, privilege, grantable)
    SELECT schema_name, relation_name, column_name, grantor, grantee, privilege, grantable FROM crossfade.write_grants
    EXCEPT
    SELECT schema_name, relation_name, column_name, grantor, grantee, privilege, grantable FROM crossfade.fenced_grants;
    FOR part IN
        SELECT owner, string_agg(DISTINCT format('%I.%I', schema_name, relation_name), ', ') AS relations,
               string_agg(DISTINCT coalesce(quote_ident(grantee), 'PUBLIC'), ', ') AS grantees
        FROM crossfade.write_grants WHERE stoppable AND grantee IS DISTINCT FROM keep GROUP BY owner
    LOOP
        PERFORM set_config('role', part.owner, true);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON TABLE %s FROM %s CASCADE', part.relations, part.grantees);
        PERFORM set_config('role', mine, true);
    END LOOP;
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

-- Gives back what the fence took, tells listeners, and makes this side the one that takes writes.
CREATE OR REPLACE FUNCTION crossfade.open(wanted bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mine constant text := current_setting('role');
    part record;
BEGIN
    PERFORM crossfade.claim(wanted, true);
    FOR part IN
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
                   string_agg(privilege || coalesce(' (' || quote_ident(column_name) || ')', ''), ', ' ORDER BY privilege, column_name)
                       AS privileges
            FROM known GROUP BY 1, 2, 3, 4, 5
        )
        SELECT level, grantor, grantee, grantable, privileges, string_agg(relation, ', ') AS relations
        FROM tables GROUP BY 1, 2, 3, 4, 5 ORDER BY level
    LOOP
        PERFORM set_config('role', part.grantor, true);
        EXECUTE format('GRANT %s ON TABLE %s TO %s%s', part.privileges, part.relations, part.grantee,
                       CASE WHEN part.grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        PERFORM set_config('role', mine, true);
    END LOOP;
    DELETE FROM crossfade.fenced_grants;
    PERFORM pg_notify('crossfade_writer', (SELECT side FROM crossfade.writer) || ':' || wanted);
END $$;
