-- migrate:up

-- A list is frozen in parts: `closing` from the moment nothing changes it any more, with the totals of the lines frozen so far and the
-- record after which the next part begins.
ALTER TABLE payroll_list ADD COLUMN frozen_source text, ADD COLUMN frozen_record text;
ALTER TABLE payroll_list DROP CONSTRAINT payroll_list_state_check;
ALTER TABLE payroll_list DROP CONSTRAINT payroll_list_count_check;
ALTER TABLE payroll_list DROP CONSTRAINT payroll_list_check;
ALTER TABLE payroll_list DROP CONSTRAINT payroll_list_check1;
ALTER TABLE payroll_list ADD CHECK (state IN ('open', 'closing', 'closed'));
-- Guarantee: an open list has no totals, one that is closing has them and who closes it, a closed one has all and at least one line.
ALTER TABLE payroll_list ADD CHECK (
    CASE state
        WHEN 'open' THEN num_nonnulls(count, vnd, digest, programmes, closed_by, closed_at, frozen_source, frozen_record) = 0
        WHEN 'closing' THEN num_nulls(count, vnd, digest, programmes, closed_by) = 0 AND closed_at IS NULL AND count >= 0
        ELSE num_nulls(count, vnd, digest, programmes, closed_by, closed_at) = 0 AND count > 0
    END);

-- Guarantee: what was closed stays closed, with the totals it was published with; what is closing never opens again and only grows.
CREATE OR REPLACE FUNCTION closed_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'a closed list never changes' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'closing' AND (TG_OP = 'DELETE' OR NEW.state = 'open' OR NEW.count < OLD.count) THEN
        RAISE EXCEPTION 'a list that is closing goes on to be closed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;

-- The next part of a list is found by its place, not by sorting what is left.
DROP INDEX list_row_list;
CREATE INDEX list_row_list ON list_row (period, payer, source, record);

-- Room for the next state of a payment, a result or a record on the page it stands on: then no index is touched.
ALTER TABLE payment SET (fillfactor = 60);
ALTER TABLE verified SET (fillfactor = 80);
ALTER TABLE source_record SET (fillfactor = 80);

-- migrate:down
ALTER TABLE source_record RESET (fillfactor);
ALTER TABLE verified RESET (fillfactor);
ALTER TABLE payment RESET (fillfactor);
DROP INDEX list_row_list;
CREATE INDEX list_row_list ON list_row (period, payer);
