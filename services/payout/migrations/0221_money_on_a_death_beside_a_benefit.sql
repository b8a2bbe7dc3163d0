-- migrate:up

-- Lines that may hold money a death brings: under a code of its own, or not seen from the code, as a one-off sum beside a benefit or as a sum
-- of an earlier month in which it was not collected.
ALTER TABLE line ADD COLUMN may_be_on_death boolean GENERATED ALWAYS AS (
    CASE WHEN content LIKE '%"benefit_code":"MT-%' THEN true
         WHEN content LIKE '%"benefit_code":"TET-%' THEN NULL
         WHEN content LIKE '%"unpaid":{%' OR content ~ '"one_off_vnd":[1-9]' THEN true END) STORED;
CREATE INDEX line_may_be_on_death ON line (entitlement_id) INCLUDE (beneficiary_id) WHERE may_be_on_death;
CREATE INDEX line_may_be_on_death_list ON line (period, payer) WHERE may_be_on_death;

-- VND of a line that a death brought, of one kind (`gift`: MT, MT-BM). Under its code all of it. Beside a benefit the one-off sum, on lists from
-- the month of death on: which kind it is nobody says. Of unpaid sums what is more than those months left over of everything else.
CREATE FUNCTION on_death_vnd(its uuid, kind text) RETURNS bigint LANGUAGE plpgsql STABLE
    SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    whole  record;
    since  text;
    beside bigint;
    within bigint;
BEGIN
    SELECT * INTO whole FROM line l WHERE l.entitlement_id = its AND l.may_be_on_death;
    IF NOT FOUND OR whole.gift <> kind THEN
        RETURN 0;
    ELSIF whole.gift = kind THEN
        RETURN whole.declared_vnd;
    END IF;
    SELECT to_char(least(p.died_on, CASE WHEN v.outcome = 'dead' THEN v.died_on END), 'YYYY-MM') INTO since
      FROM person p LEFT JOIN verdict v USING (beneficiary_id) WHERE p.beneficiary_id = whole.beneficiary_id;
    beside := CASE WHEN whole.period >= since THEN (whole.content::jsonb ->> 'one_off_vnd')::bigint ELSE 0 END;
    SELECT greatest(0, least(sum(part.vnd), (whole.content::jsonb -> 'unpaid' ->> 'vnd')::bigint - sum(past.vnd - part.vnd))) INTO within
      FROM jsonb_array_elements_text(whole.content::jsonb -> 'unpaid' -> 'periods') AS asks (month)
      JOIN line o ON o.beneficiary_id = whole.beneficiary_id AND o.period = asks.month AND o.period < whole.period
      LEFT JOIN carried c USING (entitlement_id)
      LEFT JOIN held h ON h.entitlement_id = o.entitlement_id AND h.until IS NULL
      LEFT JOIN payroll_closed f ON f.period = o.period AND f.payer = o.payer
      CROSS JOIN LATERAL (SELECT CASE WHEN f.period IS NULL THEN o.declared_vnd ELSE coalesce(c.vnd, 0) + coalesce(h.vnd, 0) END AS vnd) past
      CROSS JOIN LATERAL (SELECT least(on_death_vnd(o.entitlement_id, kind), past.vnd) AS vnd) part;
    RETURN beside + coalesce(within, 0);
END $$;

-- Whether somebody of these has, in live payments together, a line under a code of a death and another that holds at least half as much of its
-- kind. (Rates of two years differ by less than half; a small one-off sum is not funeral money.)
CREATE FUNCTION paid_twice_on_death(people uuid[]) RETURNS boolean LANGUAGE sql STABLE
    SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    SELECT EXISTS (
        SELECT FROM unnest(people) AS claim (beneficiary_id)
          JOIN line l ON l.beneficiary_id = claim.beneficiary_id AND l.may_be_on_death AND l.gift IS NOT NULL
          JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.may_be_on_death AND o.gift IS NULL
         WHERE EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)
           AND 2 * on_death_vnd(o.entitlement_id, l.gift) >= l.declared_vnd)
$$;

-- Guarantee: what a death brings is paid once, also where a list holds it beside a benefit or as a sum carried over (0216: under its own code). Whoever
-- adds a line that may hold such money claims its person, after all months and gifts (this trigger runs after
-- `instruction_line_of_one_payer`) and in the order of the key; the second payer waits there and then sees what the first added. (Without nested
-- loops: what is added, a million or one, is gone through once beside the few lines that may hold such money.)
CREATE FUNCTION money_on_death_once() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off SET enable_seqscan = off AS $$
DECLARE
    people uuid[];
BEGIN
    WITH claim AS (
        INSERT INTO paid_by AS known (beneficiary_id, what, who)
        SELECT l.beneficiary_id, 'on_death', CASE WHEN count(DISTINCT l.entitlement_id) = 1 THEN min(l.entitlement_id::text) END
          FROM added a JOIN line l ON l.entitlement_id = a.entitlement_id AND l.may_be_on_death GROUP BY l.beneficiary_id ORDER BY l.beneficiary_id
        ON CONFLICT (beneficiary_id, what) DO UPDATE SET who = CASE WHEN known.who = EXCLUDED.who THEN known.who END
        RETURNING beneficiary_id, who
    )
    SELECT array_agg(beneficiary_id) INTO people FROM claim WHERE who IS NULL;
    IF people IS NULL THEN
        RETURN NULL;
    END IF;
    IF paid_twice_on_death(people) THEN
        RAISE EXCEPTION 'money on a death is paid once, under whatever name' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_of_one_payer';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER instruction_line_on_death AFTER INSERT ON instruction_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION money_on_death_once();

-- Who was paid before this guarantee meets later payments too.
INSERT INTO paid_by (beneficiary_id, what, who)
SELECT l.beneficiary_id, 'on_death', CASE WHEN count(*) = 1 THEN min(l.entitlement_id::text) END FROM line l
 WHERE l.may_be_on_death AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
 GROUP BY l.beneficiary_id ON CONFLICT DO NOTHING;

-- migrate:down
DROP TRIGGER instruction_line_on_death ON instruction_line;
DROP FUNCTION money_on_death_once();
DROP FUNCTION paid_twice_on_death(uuid[]);
DROP FUNCTION on_death_vnd(uuid, text);
DROP INDEX line_may_be_on_death_list;
DROP INDEX line_may_be_on_death;
ALTER TABLE line DROP COLUMN may_be_on_death;
