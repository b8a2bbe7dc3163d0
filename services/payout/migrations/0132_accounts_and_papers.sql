-- migrate:up

-- Where the account came from, and the authorisation of its holder when that is somebody else (with a paper number; scope, days). It
-- ends with its last day, its revocation or the holder's death, whichever comes first. Names stay sealed in `payee` and `delivery`.
ALTER TABLE person ADD COLUMN account_source text;
ALTER TABLE person ADD COLUMN paper_scope text CHECK (paper_scope IN ('cash', 'account', 'both'));
ALTER TABLE person ADD COLUMN paper_from date;
ALTER TABLE person ADD COLUMN paper_until date;

-- migrate:down
ALTER TABLE person DROP COLUMN paper_until;
ALTER TABLE person DROP COLUMN paper_from;
ALTER TABLE person DROP COLUMN paper_scope;
ALTER TABLE person DROP COLUMN account_source;
