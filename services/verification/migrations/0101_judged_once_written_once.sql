-- migrate:up

-- Whom the register has given no answer about: found at once when it can, however many people there are.
ALTER TABLE person ADD COLUMN unavailable boolean NOT NULL DEFAULT false;
UPDATE person p SET unavailable = true FROM verdict v
 WHERE v.beneficiary_id = p.beneficiary_id AND v.result_seq = p.result_seq AND v.outcome = 'unavailable';
CREATE INDEX person_unavailable ON person (beneficiary_id) WHERE unavailable;

-- Only people without a number are looked for by old number or by name: nobody else needs a place in these indexes.
DROP INDEX person_old_number;
CREATE INDEX person_old_number ON person (old_number_ix) WHERE number_ix IS NULL AND old_number_ix IS NOT NULL;
DROP INDEX person_name_birth;
CREATE INDEX person_name_birth ON person (name_birth_ix) WHERE number_ix IS NULL AND name_birth_ix IS NOT NULL;

-- Room for the same entry of the next extract on the page it stands on: then no index is touched.
ALTER TABLE register SET (fillfactor = 80);

-- migrate:down
ALTER TABLE register RESET (fillfactor);
DROP INDEX person_name_birth;
CREATE INDEX person_name_birth ON person (name_birth_ix) WHERE name_birth_ix IS NOT NULL;
DROP INDEX person_old_number;
CREATE INDEX person_old_number ON person (old_number_ix) WHERE old_number_ix IS NOT NULL;
DROP INDEX person_unavailable;
ALTER TABLE person DROP COLUMN unavailable;
