-- name: erased_among
-- Which of these people are erased: nothing that is said of them is taken.
SELECT beneficiary_id FROM person WHERE beneficiary_id = ANY(:ids::uuid[]) AND erased_at IS NOT NULL;

-- name: sharing_with
-- People whose result may rest on these ones: judged to be the same register person, or one with the same old number, or claiming the account.
SELECT o.beneficiary_id FROM person p JOIN person o USING (person_token) WHERE p.beneficiary_id = ANY(:ids::uuid[]) AND o.beneficiary_id <> ALL(:ids::uuid[])
UNION
SELECT o.beneficiary_id FROM person p JOIN person o USING (entry_old_ix) WHERE p.beneficiary_id = ANY(:ids::uuid[]) AND o.beneficiary_id <> ALL(:ids::uuid[])
UNION
SELECT o.beneficiary_id FROM person p JOIN person o USING (account_ix) WHERE p.beneficiary_id = ANY(:ids::uuid[]) AND o.beneficiary_id <> ALL(:ids::uuid[]);

-- name: erase_people!
-- All that is held of these people goes; an id that was never heard of is kept as erased.
INSERT INTO person AS held (beneficiary_id, epoch, n, payer, merged, erased_at)
SELECT * FROM unnest(:ids::uuid[], :epochs::int[], :ns::int[], :payers::text[], :mergeds::bool[], :ats::timestamptz[])
ON CONFLICT (beneficiary_id) DO UPDATE
   SET epoch = greatest(held.epoch, EXCLUDED.epoch),
       n = CASE WHEN (held.epoch, held.n) < (EXCLUDED.epoch, EXCLUDED.n) THEN EXCLUDED.n ELSE held.n END, payer = EXCLUDED.payer,
       merged = EXCLUDED.merged, erased_at = EXCLUDED.erased_at, identity = NULL, payee = NULL, identity_digest = NULL, account_digest = NULL,
       number_ix = NULL, old_number_ix = NULL, name_birth_ix = NULL, account_ix = NULL, person_token = NULL, entry_old_ix = NULL,
       answered_at = NULL, unavailable = false, holder_unknown = false, holder_until = NULL;

-- name: erase_verdicts!
-- Which identity and account their results spoke of.
UPDATE verdict SET identity_digest = NULL, account_digest = NULL
 WHERE beneficiary_id = ANY(:ids::uuid[]) AND num_nonnulls(identity_digest, account_digest) > 0;

-- name: erase_questions!
-- What was asked about; what still waits is asked nobody any more.
UPDATE question q SET digest = NULL, ended_at = coalesce(q.ended_at, row.at) FROM unnest(:ids::uuid[], :ats::timestamptz[]) AS row (beneficiary_id, at)
 WHERE q.beneficiary_id = row.beneficiary_id AND q.digest IS NOT NULL;

-- name: erase_sights!
-- What reviewers saw.
UPDATE review_sight SET identity_digest = NULL, entries = '{}' WHERE beneficiary_id = ANY(:ids::uuid[]) AND identity_digest IS NOT NULL;

-- name: erase_decisions!
-- Whom reviewers decided them to be.
UPDATE review_decision SET identity_digest = NULL, person_token = NULL, register_digest = NULL
 WHERE beneficiary_id = ANY(:ids::uuid[]) AND num_nonnulls(identity_digest, person_token, register_digest) > 0;
