-- migrate:up

-- Of an erased person what waited for a place, and under what they were placed, goes too; where they were put stays under the random id.
ALTER TABLE area_case ALTER COLUMN subject DROP NOT NULL, ALTER COLUMN sealed DROP NOT NULL;
-- Guarantee: what waits can be taken when it is decided.
ALTER TABLE area_case ADD CONSTRAINT area_case_waits_whole CHECK (fate IS NOT NULL OR num_nulls(subject, sealed) = 0);

ALTER TABLE area_decision ALTER COLUMN subject DROP NOT NULL;
-- Guarantee: a decision stays as it was taken; one about an erased person loses their index and nothing else.
CREATE FUNCTION area_decision_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.subject IS NULL AND to_jsonb(NEW) - 'subject' = to_jsonb(OLD) - 'subject'
       AND (is_erased(OLD.beneficiary_id)
            OR EXISTS (SELECT FROM area_case c WHERE c.case_id = OLD.case_id AND is_erased(c.beneficiary_id))) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER area_decision_append_only ON area_decision;
CREATE TRIGGER area_decision_append_only BEFORE UPDATE OR DELETE ON area_decision FOR EACH ROW EXECUTE FUNCTION area_decision_stays();

-- migrate:down
DROP TRIGGER area_decision_append_only ON area_decision;
CREATE TRIGGER area_decision_append_only BEFORE UPDATE OR DELETE ON area_decision FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION area_decision_stays();
ALTER TABLE area_case DROP CONSTRAINT area_case_waits_whole;
