-- migrate:up

-- The guarantees of 0181 and 0200 as they were, in one look at what was added: a line, its payment and its list are looked up once, and
-- lists are asked once for their months, not once for every line. (Claims come as early as before: triggers of one statement run by name,
-- so whatever is claimed besides months and gifts, by `instruction_line_on_death`, is claimed after them.)

-- Guarantee: a payment is worth exactly its lines, and its lines are added with it. What is held now and what is in live payments never exceed
-- together what the line declares, and the line exists. It is of the months of its lines, and those are months of its payroll.
-- Guarantee: one benefit of one person and month is in live payments of one payer only, and a gift of a year is in live payments once,
-- whoever put the person on two lists and however the builds of two payers fall together. Whoever adds a line claims its person's month,
-- in the order of the key; the second payer waits there until the first has committed or given up, and then sees what it added. Two
-- claims of one statement on the same row are refused as such. Which of two benefits that exclude each other is paid is a rule with
-- settings, so the build decides that; the same one twice is never right.
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off AS $$
DECLARE
    fit    boolean;
    people uuid[];
    whats  text[];
BEGIN
    WITH asked AS MATERIALIZED (
        SELECT a.instruction_id, i.batch_id, i.periods, l.beneficiary_id, l.period, l.payer, coalesce(l.gift, l.period) AS what,
               CASE WHEN l.gift IS NULL THEN l.payer ELSE l.entitlement_id::text END AS who,
               (i.vnd = lines.vnd AND i.state = 'created' AND coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd) IS TRUE AS fits
          FROM added a
          LEFT JOIN instruction i USING (instruction_id)
          LEFT JOIN line l USING (entitlement_id)
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
          LEFT JOIN LATERAL (SELECT vnd FROM held WHERE entitlement_id = a.entitlement_id AND until IS NULL OFFSET 0) h ON true
    ), claim AS (
        INSERT INTO paid_by AS known (beneficiary_id, what, who)
        SELECT DISTINCT beneficiary_id, what, who FROM asked WHERE beneficiary_id IS NOT NULL ORDER BY 1, 2
        ON CONFLICT (beneficiary_id, what) DO UPDATE SET who = CASE WHEN known.who = EXCLUDED.who THEN known.who END
        RETURNING beneficiary_id, what, who
    )
    SELECT (SELECT coalesce(bool_and(fits), true) FROM asked)
           AND NOT EXISTS (
               SELECT FROM (SELECT DISTINCT batch_id, period, payer, periods IS NULL AS of_one FROM asked) m LEFT JOIN batch b USING (batch_id)
                WHERE (b.payer = m.payer
                       AND (b.period = m.period
                            OR NOT m.of_one AND EXISTS (SELECT FROM payroll_join j WHERE j.payer = b.payer AND j.period = b.period
                                                           AND j.joined = m.period))) IS NOT TRUE)
           AND NOT EXISTS (
               SELECT FROM (SELECT DISTINCT instruction_id, periods FROM asked WHERE periods IS NOT NULL) m
                WHERE m.periods IS DISTINCT FROM (SELECT array_agg(DISTINCT o.period ORDER BY o.period)
                                                    FROM instruction_line ol JOIN line o ON o.entitlement_id = ol.entitlement_id
                                                   WHERE ol.instruction_id = m.instruction_id)),
           (SELECT array_agg(beneficiary_id) FROM claim WHERE who IS NULL), (SELECT array_agg(what) FROM claim WHERE who IS NULL)
      INTO fit, people, whats;
    IF fit AND people IS NULL THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM (SELECT DISTINCT instruction_id FROM added) a LEFT JOIN instruction i USING (instruction_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
                WHERE i.vnd IS DISTINCT FROM lines.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM added a LEFT JOIN line l USING (entitlement_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
                LEFT JOIN held h ON h.entitlement_id = a.entitlement_id AND h.until IS NULL
                WHERE (coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd) IS NOT TRUE) THEN
        RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
    END IF;
    IF fit IS NOT TRUE THEN
        RAISE EXCEPTION 'a payment pays months of its payroll' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM benefits_paid_once(people, whats);
    RETURN NULL;
END $$;

-- What a claim finds when somebody else claims the same: the same benefit of a month in live payments of two payers, or a gift given twice.
CREATE FUNCTION benefits_paid_once(people uuid[], whats text[]) RETURNS void LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(people, whats) AS claim (beneficiary_id, what)
          JOIN line l ON l.beneficiary_id = claim.beneficiary_id AND l.period = claim.what
          JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.period = l.period AND o.payer > l.payer
         WHERE o.content::jsonb ->> 'benefit_code' = l.content::jsonb ->> 'benefit_code'
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)) THEN
        RAISE EXCEPTION 'one payer pays a benefit of a month' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_of_one_payer';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(people, whats) AS claim (beneficiary_id, what)
          JOIN line l ON l.beneficiary_id = claim.beneficiary_id AND l.gift = claim.what
          JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.gift = l.gift
         WHERE o.entitlement_id > l.entitlement_id
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)) THEN
        RAISE EXCEPTION 'a gift is given once' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_of_one_payer';
    END IF;
END $$;
DROP TRIGGER instruction_line_of_one_payer ON instruction_line;
DROP FUNCTION benefit_of_one_payer();

-- migrate:down
CREATE FUNCTION benefit_of_one_payer() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    people uuid[];
    whats  text[];
BEGIN
    WITH claim AS (
        INSERT INTO paid_by AS known (beneficiary_id, what, who)
        SELECT DISTINCT l.beneficiary_id, coalesce(l.gift, l.period), CASE WHEN l.gift IS NULL THEN l.payer ELSE l.entitlement_id::text END
          FROM added a JOIN line l USING (entitlement_id) ORDER BY 1, 2
        ON CONFLICT (beneficiary_id, what) DO UPDATE SET who = CASE WHEN known.who = EXCLUDED.who THEN known.who END
        RETURNING beneficiary_id, what, who
    )
    SELECT array_agg(beneficiary_id), array_agg(what) INTO people, whats FROM claim WHERE who IS NULL;
    IF people IS NULL THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT FROM unnest(people, whats) AS claim (beneficiary_id, what)
          JOIN line l ON l.beneficiary_id = claim.beneficiary_id AND l.period = claim.what
          JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.period = l.period AND o.payer > l.payer
         WHERE o.content::jsonb ->> 'benefit_code' = l.content::jsonb ->> 'benefit_code'
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)) THEN
        RAISE EXCEPTION 'one payer pays a benefit of a month' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_of_one_payer';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(people, whats) AS claim (beneficiary_id, what)
          JOIN line l ON l.beneficiary_id = claim.beneficiary_id AND l.gift = claim.what
          JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.gift = l.gift
         WHERE o.entitlement_id > l.entitlement_id
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)) THEN
        RAISE EXCEPTION 'a gift is given once' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_of_one_payer';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER instruction_line_of_one_payer AFTER INSERT ON instruction_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION benefit_of_one_payer();
DROP FUNCTION benefits_paid_once(uuid[], text[]);
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM added a
          LEFT JOIN instruction i USING (instruction_id)
          LEFT JOIN line l USING (entitlement_id)
          LEFT JOIN batch b ON b.batch_id = i.batch_id
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
          LEFT JOIN held h ON h.entitlement_id = a.entitlement_id AND h.until IS NULL
         WHERE (i.vnd = lines.vnd AND i.state = 'created' AND coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd
                AND l.payer = b.payer
                AND CASE WHEN i.periods IS NULL THEN l.period = b.period
                         ELSE (l.period = b.period OR EXISTS (SELECT FROM payroll_join j WHERE j.payer = b.payer AND j.period = b.period
                                                                 AND j.joined = l.period))
                              AND i.periods = (SELECT array_agg(DISTINCT o.period ORDER BY o.period)
                                                 FROM instruction_line ol JOIN line o ON o.entitlement_id = ol.entitlement_id
                                                WHERE ol.instruction_id = i.instruction_id) END) IS NOT TRUE) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM (SELECT DISTINCT instruction_id FROM added) a LEFT JOIN instruction i USING (instruction_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
                WHERE i.vnd IS DISTINCT FROM lines.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM added a LEFT JOIN line l USING (entitlement_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
                LEFT JOIN held h ON h.entitlement_id = a.entitlement_id AND h.until IS NULL
                WHERE (coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd) IS NOT TRUE) THEN
        RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'a payment pays months of its payroll' USING ERRCODE = 'check_violation';
END $$;
