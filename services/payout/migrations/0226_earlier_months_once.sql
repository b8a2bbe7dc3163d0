-- migrate:up

-- Lines that bring something of earlier months: arrears, or sums nobody collected.
ALTER TABLE line ADD COLUMN earlier boolean GENERATED ALWAYS AS (
    CASE WHEN content LIKE '%"arrears":{%' OR content LIKE '%"unpaid":{%' THEN true END) STORED;
CREATE INDEX line_earlier ON line (entitlement_id) INCLUDE (beneficiary_id) WHERE earlier;
CREATE INDEX line_earlier_list ON line (period, payer) WHERE earlier;

-- Guarantee as in 0190: a frozen line is never changed or removed; of an erased person it loses the circumstances, and nothing else. Looked at
-- when the row is whole: before, columns that are made from others are not made yet, and every line that has one seemed to change.
DROP TRIGGER line_append_only ON line;
CREATE TRIGGER line_append_only AFTER UPDATE OR DELETE ON line FOR EACH ROW EXECUTE FUNCTION line_stays();

-- What a line brings of one earlier month: its arrears and its unpaid sum, spread evenly over their months.
CREATE FUNCTION brings_of(content text, month text) RETURNS TABLE (kind text, vnd bigint) LANGUAGE sql IMMUTABLE AS $$
    SELECT part.kind, ceil((said.part ->> 'vnd')::numeric / jsonb_array_length(said.part -> 'periods'))::bigint
      FROM (VALUES ('arrears'), ('unpaid')) AS part (kind)
     CROSS JOIN LATERAL (SELECT content::jsonb -> part.kind AS part) said
     WHERE said.part -> 'periods' ? month
$$;

-- VND of a line whose payment came back after its payroll was finished: two people ended the break about it so. The line stays as it was settled; a later
-- list may bring the sum as unpaid.
CREATE FUNCTION came_back_late(line_id uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(il.vnd), 0)::bigint FROM instruction_line il
     WHERE il.entitlement_id = line_id AND il.live
       AND EXISTS (SELECT FROM break_item b WHERE b.instruction_id = il.instruction_id AND b.type = 'reversal' AND b.remedy = 'recovered'
                      AND b.approved_by IS NOT NULL)
$$;

-- Guarantee: a sum nobody collected is brought by one later line: of one person, programme and month no two lines in live payments name it as
-- unpaid. Whoever adds a line that brings earlier months claims its person, after all months and gifts (this trigger runs after
-- `instruction_line_added` and before `instruction_line_on_death`) and in the order of the key; the second waits there, and then sees what
-- the first added. Whether arrears are owed is a rule with tables, so the build decides that, and looks again once it holds the claim.
CREATE FUNCTION earlier_months_once() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off SET enable_seqscan = off AS $$
DECLARE
    people uuid[];
BEGIN
    WITH claim AS (
        INSERT INTO paid_by AS known (beneficiary_id, what, who)
        SELECT l.beneficiary_id, 'earlier', CASE WHEN count(DISTINCT l.entitlement_id) = 1 THEN min(l.entitlement_id::text) END
          FROM added a JOIN line l ON l.entitlement_id = a.entitlement_id AND l.earlier GROUP BY l.beneficiary_id ORDER BY l.beneficiary_id
        ON CONFLICT (beneficiary_id, what) DO UPDATE SET who = CASE WHEN known.who = EXCLUDED.who THEN known.who END
        RETURNING beneficiary_id, who
    )
    SELECT array_agg(beneficiary_id) INTO people FROM claim WHERE who IS NULL;
    IF people IS NOT NULL AND unpaid_brought_twice(people) THEN
        RAISE EXCEPTION 'what nobody collected is brought once' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_of_one_payer';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION unpaid_brought_twice(people uuid[]) RETURNS boolean LANGUAGE sql STABLE
    SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    SELECT EXISTS (
        SELECT FROM (SELECT l.beneficiary_id, l.programme, asks.month
                       FROM unnest(people) AS claim (beneficiary_id)
                       JOIN line l ON l.beneficiary_id = claim.beneficiary_id AND l.earlier AND l.content LIKE '%"unpaid":{%'
                      CROSS JOIN LATERAL jsonb_array_elements_text(l.content::jsonb -> 'unpaid' -> 'periods') AS asks (month)
                      WHERE EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
                      GROUP BY 1, 2, 3 HAVING count(DISTINCT l.entitlement_id) > 1) twice)
$$;
CREATE TRIGGER instruction_line_earlier AFTER INSERT ON instruction_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION earlier_months_once();

-- Who was paid before this guarantee meets later payments too.
INSERT INTO paid_by (beneficiary_id, what, who)
SELECT l.beneficiary_id, 'earlier', CASE WHEN count(*) = 1 THEN min(l.entitlement_id::text) END FROM line l
 WHERE l.earlier AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
 GROUP BY l.beneficiary_id ON CONFLICT DO NOTHING;

-- migrate:down
DROP TRIGGER line_append_only ON line;
CREATE TRIGGER line_append_only BEFORE UPDATE OR DELETE ON line FOR EACH ROW EXECUTE FUNCTION line_stays();
DROP TRIGGER instruction_line_earlier ON instruction_line;
DROP FUNCTION earlier_months_once();
DROP FUNCTION unpaid_brought_twice(uuid[]);
DROP FUNCTION came_back_late(uuid);
DROP FUNCTION brings_of(text, text);
DELETE FROM paid_by WHERE what = 'earlier';
DROP INDEX line_earlier_list;
DROP INDEX line_earlier;
ALTER TABLE line DROP COLUMN earlier;
