-- migrate:up

-- Two guarantees as before (0101), asked of each added line together: rows are looked up once.

-- Guarantee: a payment is worth exactly its lines, and its lines are added with it. What is held now and what is in live payments never exceed
-- together what the line declares, and the line exists.
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM added a
          LEFT JOIN instruction i USING (instruction_id)
          LEFT JOIN line l USING (entitlement_id)
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
          LEFT JOIN held h ON h.entitlement_id = a.entitlement_id AND h.until IS NULL
         WHERE (i.vnd = lines.vnd AND i.state = 'created' AND coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd) IS NOT TRUE) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM (SELECT DISTINCT instruction_id FROM added) a LEFT JOIN instruction i USING (instruction_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
                WHERE i.vnd IS DISTINCT FROM lines.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER instruction_line_covered ON instruction_line;

-- migrate:down
CREATE TRIGGER instruction_line_covered AFTER INSERT ON instruction_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION line_covered_once();
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT instruction_id FROM added) a LEFT JOIN instruction i USING (instruction_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
                WHERE i.vnd IS DISTINCT FROM lines.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
