-- migrate:up

-- What a booking says besides, as keyed indexes: the account of ours it stands on, and of a credit under no id of ours the account it came
-- from. Lines that were kept before say neither.
ALTER TABLE statement_line ADD COLUMN ours_ix bytea, ADD COLUMN from_ix bytea;

ALTER TABLE statement_line DROP CONSTRAINT statement_line_fate_check;
ALTER TABLE statement_line ADD CONSTRAINT statement_line_fate_check
    CHECK (fate IN ('applied', 'repeat', 'break', 'nothing', 'funding')) NOT VALID;
ALTER TABLE statement_line VALIDATE CONSTRAINT statement_line_fate_check;
-- Guarantee: what is taken for money we are funded with is a credit under no id of ours, without a reason of a return, from a named account.
ALTER TABLE statement_line ADD CONSTRAINT funding_is_no_return
    CHECK (fate <> 'funding' OR (kind = 'returned' AND end_to_end_id IS NULL AND batch_id IS NULL AND code IS NULL AND fault IS NULL
                                 AND vnd IS NOT NULL AND ours_ix IS NOT NULL AND from_ix IS NOT NULL)) NOT VALID;
ALTER TABLE statement_line VALIDATE CONSTRAINT funding_is_no_return;
CREATE INDEX statement_line_funding ON statement_line (ours_ix, booked_on) WHERE fate = 'funding';

-- Guarantee: what a line says never changes, and it gets its fate once; a line about an erased person loses the account's index.
CREATE OR REPLACE FUNCTION statement_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.account_ix IS NULL AND OLD.fate IS NOT NULL AND to_jsonb(NEW) - 'account_ix' = to_jsonb(OLD) - 'account_ix'
       AND EXISTS (SELECT FROM instruction i WHERE i.end_to_end_id = OLD.end_to_end_id AND is_erased(i.beneficiary_id)) THEN
        RETURN NEW;
    END IF;
    IF OLD.fate IS NOT NULL
       OR (NEW.file_id, NEW.line, NEW.kind, NEW.end_to_end_id, NEW.batch_id, NEW.vnd, NEW.booked_on, NEW.code, NEW.reason, NEW.bank_ref,
           NEW.account_ix, NEW.ours_ix, NEW.from_ix, NEW.fault)
          IS DISTINCT FROM
          (OLD.file_id, OLD.line, OLD.kind, OLD.end_to_end_id, OLD.batch_id, OLD.vnd, OLD.booked_on, OLD.code, OLD.reason, OLD.bank_ref,
           OLD.account_ix, OLD.ours_ix, OLD.from_ix, OLD.fault) THEN
        RAISE EXCEPTION 'a line of a statement never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION statement_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.account_ix IS NULL AND OLD.fate IS NOT NULL AND to_jsonb(NEW) - 'account_ix' = to_jsonb(OLD) - 'account_ix'
       AND EXISTS (SELECT FROM instruction i WHERE i.end_to_end_id = OLD.end_to_end_id AND is_erased(i.beneficiary_id)) THEN
        RETURN NEW;
    END IF;
    IF OLD.fate IS NOT NULL
       OR (NEW.file_id, NEW.line, NEW.kind, NEW.end_to_end_id, NEW.batch_id, NEW.vnd, NEW.booked_on, NEW.code, NEW.reason, NEW.bank_ref,
           NEW.account_ix, NEW.fault)
          IS DISTINCT FROM
          (OLD.file_id, OLD.line, OLD.kind, OLD.end_to_end_id, OLD.batch_id, OLD.vnd, OLD.booked_on, OLD.code, OLD.reason, OLD.bank_ref,
           OLD.account_ix, OLD.fault) THEN
        RAISE EXCEPTION 'a line of a statement never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
DROP INDEX statement_line_funding;
ALTER TABLE statement_line DROP CONSTRAINT funding_is_no_return;
ALTER TABLE statement_line DROP CONSTRAINT statement_line_fate_check;
ALTER TABLE statement_line ADD CONSTRAINT statement_line_fate_check CHECK (fate IN ('applied', 'repeat', 'break', 'nothing')) NOT VALID;
ALTER TABLE statement_line DROP COLUMN ours_ix, DROP COLUMN from_ix;
