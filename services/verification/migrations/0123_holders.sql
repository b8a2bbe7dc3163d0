-- migrate:up

-- Whose account no bank has answered about yet: found at once when somebody can be asked.
ALTER TABLE person ADD COLUMN holder_unknown boolean NOT NULL DEFAULT false;
CREATE INDEX person_holder_unknown ON person (beneficiary_id) WHERE holder_unknown;

-- migrate:down
DROP INDEX person_holder_unknown;
ALTER TABLE person DROP COLUMN holder_unknown;
