-- migrate:up

-- When somebody who is away moved out: months before are owed still, money for months after is claimed back.
ALTER TABLE person ADD COLUMN moved_out_on date CHECK (moved_out_on IS NULL OR life = 'moved_out');
CREATE INDEX person_moved_out ON person (beneficiary_id) WHERE moved_out_on IS NOT NULL;
ALTER TABLE recovery_case DROP CONSTRAINT recovery_case_reason_check,
    ADD CONSTRAINT recovery_case_reason_check CHECK (reason IN ('DEAD', 'MOVED_OUT'));

-- migrate:down
ALTER TABLE recovery_case DROP CONSTRAINT recovery_case_reason_check,
    ADD CONSTRAINT recovery_case_reason_check CHECK (reason IN ('DEAD'));
DROP INDEX person_moved_out;
ALTER TABLE person DROP COLUMN moved_out_on;
