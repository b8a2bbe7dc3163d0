-- migrate:up

-- The old number of the register entry a person was judged to be: two entries that share one are one person under two numbers.
ALTER TABLE person ADD COLUMN entry_old_ix bytea;
UPDATE person p SET entry_old_ix = r.old_number_ix FROM register r WHERE r.person_token = p.person_token;
CREATE INDEX person_entry_old ON person (entry_old_ix) WHERE entry_old_ix IS NOT NULL;
-- Who is led to a number by the note of a replaced one.
CREATE INDEX register_replaced_by ON register (replaced_by_ix) WHERE replaced_by_ix IS NOT NULL;

-- migrate:down
DROP INDEX register_replaced_by;
DROP INDEX person_entry_old;
ALTER TABLE person DROP COLUMN entry_old_ix;
