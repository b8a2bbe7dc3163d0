-- migrate:up

-- VND of a line that a death brought, of one kind (`gift`: MT, MT-BM), as in 0221, but for a one-off sum that says itself which kind it is: beside
-- the allowance of a Heroic Mother exactly three of its months are what her relatives get (Decree 75/2021; `rates/funeral.csv`), and not her
-- burial money. Any other sum beside it may be either.
CREATE OR REPLACE FUNCTION on_death_vnd(its uuid, kind text) RETURNS bigint LANGUAGE plpgsql STABLE
    SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    whole    record;
    declared jsonb;
    since    text;
    beside   bigint;
    within   bigint;
BEGIN
    SELECT * INTO whole FROM line l WHERE l.entitlement_id = its AND l.may_be_on_death;
    IF NOT FOUND OR whole.gift <> kind THEN
        RETURN 0;
    ELSIF whole.gift = kind THEN
        RETURN whole.declared_vnd;
    END IF;
    declared := whole.content::jsonb;
    SELECT to_char(least(p.died_on, CASE WHEN v.outcome = 'dead' THEN v.died_on END), 'YYYY-MM') INTO since
      FROM person p LEFT JOIN verdict v USING (beneficiary_id) WHERE p.beneficiary_id = whole.beneficiary_id;
    beside := CASE WHEN kind = 'MT' AND declared ->> 'benefit_code' = 'NCC-BM'
                        AND (declared ->> 'one_off_vnd')::bigint = 3 * (declared ->> 'monthly_vnd')::bigint THEN 0
                   WHEN whole.period >= since THEN (declared ->> 'one_off_vnd')::bigint ELSE 0 END;
    SELECT greatest(0, least(sum(part.vnd), (declared -> 'unpaid' ->> 'vnd')::bigint - sum(past.vnd - part.vnd))) INTO within
      FROM jsonb_array_elements_text(declared -> 'unpaid' -> 'periods') AS asks (month)
      JOIN line o ON o.beneficiary_id = whole.beneficiary_id AND o.period = asks.month AND o.period < whole.period
      LEFT JOIN carried c USING (entitlement_id)
      LEFT JOIN held h ON h.entitlement_id = o.entitlement_id AND h.until IS NULL
      LEFT JOIN payroll_closed f ON f.period = o.period AND f.payer = o.payer
      CROSS JOIN LATERAL (SELECT CASE WHEN f.period IS NULL THEN o.declared_vnd ELSE coalesce(c.vnd, 0) + coalesce(h.vnd, 0) END AS vnd) past
      CROSS JOIN LATERAL (SELECT least(on_death_vnd(o.entitlement_id, kind), past.vnd) AS vnd) part;
    RETURN beside + coalesce(within, 0);
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION on_death_vnd(its uuid, kind text) RETURNS bigint LANGUAGE plpgsql STABLE
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
