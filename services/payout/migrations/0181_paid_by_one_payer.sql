-- migrate:up

-- A person's lines of a month are found without reading those of all years.
DROP INDEX line_person;
CREATE INDEX line_person ON line (beneficiary_id, period);

-- Which gift of which year a line is (TET-2026 of TET-2026-BT): asked once, when the line arrives.
ALTER TABLE line ADD COLUMN gift text GENERATED ALWAYS AS (
    CASE WHEN content LIKE '%"benefit_code":"TET-%' THEN left(content::jsonb ->> 'benefit_code', 8) END) STORED;
CREATE INDEX line_gift ON line (beneficiary_id, gift) WHERE gift IS NOT NULL;

-- Where builds that put the same person into payments meet, whichever payers they are of: nobody else waits for anybody. `what`: a month, and
-- `who` the payer that pays the person in it; or a gift of a year, and `who` the line it is given by. NULL: there was more than one.
CREATE TABLE paid_by (
    beneficiary_id uuid NOT NULL,
    what           text NOT NULL,
    who            text,
    PRIMARY KEY (beneficiary_id, what)
);
CREATE INDEX paid_by_several ON paid_by (what) WHERE who IS NULL;
CREATE TRIGGER paid_by_never_removed BEFORE DELETE ON paid_by FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER paid_by_never_emptied BEFORE TRUNCATE ON paid_by EXECUTE FUNCTION append_only();

-- Guarantee: who else pays somebody is never forgotten again.
CREATE FUNCTION paid_by_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who pays a person is only added to' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER paid_by_guard BEFORE UPDATE ON paid_by FOR EACH ROW
    WHEN ((NEW.beneficiary_id, NEW.what) IS DISTINCT FROM (OLD.beneficiary_id, OLD.what) OR NEW.who IS NOT NULL AND NEW.who IS DISTINCT FROM OLD.who)
    EXECUTE FUNCTION paid_by_guard();

INSERT INTO paid_by (beneficiary_id, what, who)
SELECT beneficiary_id, what, CASE WHEN min(who) = max(who) THEN min(who) END
  FROM (SELECT beneficiary_id, coalesce(gift, period) AS what, CASE WHEN gift IS NULL THEN payer ELSE entitlement_id::text END AS who
          FROM line l
         WHERE EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)) AS paid
 GROUP BY beneficiary_id, what;

-- Guarantee: one benefit of one person and month is in live payments of one payer only, and a gift of a year is in live payments once,
-- whoever put the person on two lists and however the builds of two payers fall together. Whoever adds a line claims its person's month,
-- in the order of the key; the second payer waits there until the first has committed or given up, and then sees what it added. Two
-- claims of one statement on the same row are refused as such. Which of two benefits that exclude each other is paid is a rule with
-- settings, so the build decides that; the same one twice is never right.
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

-- migrate:down
DROP TRIGGER instruction_line_of_one_payer ON instruction_line;
DROP FUNCTION benefit_of_one_payer();
DROP TABLE paid_by;
DROP FUNCTION paid_by_guard();
DROP INDEX line_gift;
ALTER TABLE line DROP COLUMN gift;
DROP INDEX line_person;
CREATE INDEX line_person ON line (beneficiary_id);
