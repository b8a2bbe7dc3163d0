-- migrate:up

-- Registry found that this id is somebody else's who stays: it is nobody's register person and claims no account.
ALTER TABLE person ADD COLUMN merged boolean NOT NULL DEFAULT false;
-- Guarantee: a merged-away id is judged to be nobody, so it never makes a duplicate of who stays.
ALTER TABLE person ADD CONSTRAINT person_merged_is_nobody CHECK (NOT merged OR (person_token IS NULL AND entry_old_ix IS NULL));

-- migrate:down
ALTER TABLE person DROP COLUMN merged;
