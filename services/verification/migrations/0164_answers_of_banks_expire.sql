-- migrate:up

-- Until when what a bank said of the account's holder counts; NULL where no bank was asked. Found at once when it is to be renewed or is over.
ALTER TABLE person ADD COLUMN holder_until timestamptz;
UPDATE person p SET holder_until = q.ended_at + interval '64 days'
  FROM (SELECT DISTINCT ON (beneficiary_id, digest) beneficiary_id, digest, ended_at FROM question
         WHERE about = 'holder' AND answer IS NOT NULL ORDER BY beneficiary_id, digest, ended_at DESC) q
 WHERE q.beneficiary_id = p.beneficiary_id AND q.digest = concat(p.account_digest, ':', p.identity_digest)
   AND p.account_digest IS NOT NULL AND p.erased_at IS NULL;
CREATE INDEX person_holder_until ON person (holder_until) WHERE holder_until IS NOT NULL;
-- Guarantee: of an erased person nothing is left that a bank said.
ALTER TABLE person ADD CONSTRAINT person_erased_has_no_holder CHECK (erased_at IS NULL OR holder_until IS NULL);

-- Whether everybody was looked for whose entry this extract of the whole register no longer names.
ALTER TABLE extract ADD COLUMN looked_through boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE extract DROP COLUMN looked_through;
ALTER TABLE person DROP CONSTRAINT person_erased_has_no_holder;
DROP INDEX person_holder_until;
ALTER TABLE person DROP COLUMN holder_until;
