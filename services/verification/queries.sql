-- name: one_judge_at_a_time^
-- Held to the end of the transaction. Duplicates and shared accounts lie across partitions; two judges would not see each other.
SELECT pg_advisory_xact_lock(4721) IS NULL AS waited;

-- name: known_people
-- What we hold of these people, with the result that holds; without what is sealed.
SELECT p.beneficiary_id, p.epoch, p.n, p.identity_digest, p.account_digest, p.account_ix, p.person_token, p.result_seq, p.answered_at,
       p.entry_old_ix, p.holder_until,
       v.identity_digest AS judged_identity, v.account_digest AS judged_account, v.outcome, v.evidence, v.died_on, v.account
  FROM person p LEFT JOIN verdict v USING (beneficiary_id, result_seq)
 WHERE p.beneficiary_id = ANY(:ids::uuid[]);

-- name: save_people!
-- Newer snapshots of these people; the caller has compared versions under the judges' lock, the trigger guards them again.
INSERT INTO person SELECT * FROM unnest(:people::person[])
ON CONFLICT (beneficiary_id) DO UPDATE
   SET epoch = EXCLUDED.epoch, n = EXCLUDED.n, payer = EXCLUDED.payer, identity = EXCLUDED.identity, payee = EXCLUDED.payee,
       identity_digest = EXCLUDED.identity_digest, account_digest = EXCLUDED.account_digest, number_ix = EXCLUDED.number_ix,
       old_number_ix = EXCLUDED.old_number_ix, name_birth_ix = EXCLUDED.name_birth_ix, account_ix = EXCLUDED.account_ix,
       person_token = EXCLUDED.person_token, result_seq = EXCLUDED.result_seq, unavailable = EXCLUDED.unavailable,
       answered_at = EXCLUDED.answered_at, entry_old_ix = EXCLUDED.entry_old_ix, holder_unknown = EXCLUDED.holder_unknown,
       merged = EXCLUDED.merged, holder_until = EXCLUDED.holder_until;

-- name: people
-- Everything a judge needs of these people, with the result that holds; nobody is judged who is erased.
SELECT p.*, v.identity_digest AS judged_identity, v.account_digest AS judged_account, v.outcome, v.evidence, v.died_on, v.account
  FROM person p LEFT JOIN verdict v USING (beneficiary_id, result_seq)
 WHERE p.beneficiary_id = ANY(:ids::uuid[]) AND p.erased_at IS NULL
 ORDER BY p.beneficiary_id;

-- name: register_by_number
-- Register entries with one of these numbers.
SELECT person_token, as_of, status, status_on, sealed, content_digest, number_ix, old_number_ix, replaced_by_ix
  FROM register WHERE number_ix = ANY(:ixs::bytea[]);

-- name: register_by_old_number
-- Register entries with one of these old numbers.
SELECT person_token, as_of, status, status_on, sealed, content_digest, old_number_ix, replaced_by_ix
  FROM register WHERE old_number_ix = ANY(:ixs::bytea[]);

-- name: register_by_name
-- Register entries with one of these names and birth years.
SELECT person_token, as_of, status, status_on, sealed, content_digest, name_birth_ix, old_number_ix, replaced_by_ix
  FROM register WHERE name_birth_ix = ANY(:ixs::bytea[]);

-- name: holders
-- People judged to be one of these register people, or one with such an old number, or claiming one of these accounts.
SELECT beneficiary_id, person_token, account_ix, entry_old_ix FROM person WHERE person_token = ANY(:tokens::text[])
UNION
SELECT beneficiary_id, person_token, account_ix, entry_old_ix FROM person WHERE entry_old_ix = ANY(:old_ixs::bytea[])
UNION
SELECT beneficiary_id, person_token, account_ix, entry_old_ix FROM person WHERE account_ix = ANY(:account_ixs::bytea[]) AND NOT merged;

-- name: point_people!
-- Whom of the register these people were judged to be, and the result that holds now.
UPDATE person p SET person_token = row.person_token, result_seq = row.result_seq, unavailable = row.unavailable,
       answered_at = row.answered_at, entry_old_ix = row.entry_old_ix, holder_unknown = row.holder_unknown,
       holder_until = row.holder_until
  FROM unnest(:ids::uuid[], :tokens::text[], :seqs::int[], :unavailables::bool[], :answered_ats::timestamptz[], :old_ixs::bytea[],
              :holders::bool[], :untils::timestamptz[])
       AS row (beneficiary_id, person_token, result_seq, unavailable, answered_at, entry_old_ix, holder_unknown, holder_until)
 WHERE p.beneficiary_id = row.beneficiary_id;

-- name: save_verdicts!
-- New results, append-only.
INSERT INTO verdict SELECT * FROM unnest(:verdicts::verdict[]);

-- name: save_register
-- Entries newer than what we hold; returns each one taken, with what it said before. One that the newest whole extract did not name changes.
WITH given AS (
    SELECT * FROM unnest(:tokens::text[], :as_ofs::timestamptz[], :statuses::text[], :status_ons::date[], :areas::text[],
                         :sealeds::text[], :digests::text[], :number_ixs::bytea[], :old_number_ixs::bytea[],
                         :name_birth_ixs::bytea[], :replaced_by_ixs::bytea[])
         AS g (person_token, as_of, status, status_on, area, sealed, content_digest, number_ix, old_number_ix, name_birth_ix,
               replaced_by_ix)
), before AS (
    SELECT person_token, as_of, content_digest, old_number_ix, name_birth_ix FROM register WHERE person_token = ANY(:tokens::text[])
), taken AS (
    INSERT INTO register (person_token, as_of, status, status_on, area, sealed, content_digest, number_ix, old_number_ix,
                          name_birth_ix, replaced_by_ix)
    SELECT person_token, as_of, status, status_on, area, sealed, content_digest, number_ix, old_number_ix, name_birth_ix,
           replaced_by_ix FROM given
    ON CONFLICT (person_token) DO UPDATE
       SET as_of = EXCLUDED.as_of, status = EXCLUDED.status, status_on = EXCLUDED.status_on, area = EXCLUDED.area,
           sealed = EXCLUDED.sealed, content_digest = EXCLUDED.content_digest, number_ix = EXCLUDED.number_ix,
           old_number_ix = EXCLUDED.old_number_ix, name_birth_ix = EXCLUDED.name_birth_ix,
           replaced_by_ix = EXCLUDED.replaced_by_ix
     WHERE register.as_of < EXCLUDED.as_of
    RETURNING person_token, as_of, content_digest
)
SELECT t.person_token, t.as_of,
       t.content_digest IS DISTINCT FROM b.content_digest
           OR COALESCE(b.as_of < (SELECT max(as_of) FROM extract WHERE applied = entries AND NOT part), false) AS changed,
       b.old_number_ix AS old_number_ix_before, b.name_birth_ix AS name_birth_ix_before
  FROM taken t LEFT JOIN before b USING (person_token);

-- name: affected_people
-- People whom a change of these entries may concern.
SELECT beneficiary_id FROM person WHERE person_token = ANY(:tokens::text[])
UNION
SELECT beneficiary_id FROM person WHERE number_ix = ANY(:number_ixs::bytea[])
UNION
SELECT p.beneficiary_id FROM person p JOIN register r ON r.number_ix = p.number_ix
 WHERE r.replaced_by_ix = ANY(:number_ixs::bytea[])
UNION
SELECT p.beneficiary_id FROM person p JOIN register r USING (person_token)
 WHERE r.replaced_by_ix = ANY(:number_ixs::bytea[])
UNION
SELECT beneficiary_id FROM person WHERE old_number_ix = ANY(:old_number_ixs::bytea[]) AND number_ix IS NULL
UNION
SELECT beneficiary_id FROM person WHERE name_birth_ix = ANY(:name_birth_ixs::bytea[]) AND number_ix IS NULL;

-- name: announce_extract!
-- An extract of so many entries is about to be published.
INSERT INTO extract (as_of, entries, part) VALUES (:as_of, :entries, :part) ON CONFLICT DO NOTHING;

-- name: register_size^
-- How many entries the replica holds.
SELECT count(*) AS entries FROM register;

-- name: count_applied!
-- Entries of an extract that have reached the replica.
UPDATE extract e SET applied = least(e.entries, e.applied + row.applied)
  FROM unnest(:as_ofs::timestamptz[], :counts::int[]) AS row (as_of, applied)
 WHERE e.as_of = row.as_of;

-- name: register_as_of^
-- When the newest extract of the whole register that arrived whole was made; entries that no extract announced are as new as the question.
-- NULL: no answer.
SELECT CASE WHEN NOT EXISTS (SELECT FROM register) THEN NULL
            WHEN NOT EXISTS (SELECT FROM extract) THEN :at::timestamptz
            ELSE (SELECT max(as_of) FROM extract WHERE applied = entries AND NOT part) END AS as_of;

-- name: people_answered_before
-- People whose result rests on what the register said before a moment, oldest first.
SELECT beneficiary_id FROM person WHERE answered_at < :before ORDER BY answered_at, beneficiary_id LIMIT :most;

-- name: people_unavailable
-- The first people whom the register has given no answer about.
SELECT beneficiary_id FROM person WHERE unavailable ORDER BY beneficiary_id LIMIT :most;

-- name: save_closed_list!
-- A closing; the same one again changes nothing.
INSERT INTO closed_list (period, payer, count, vnd, digest, closed_at)
VALUES (:period, :payer, :count, :vnd, :digest, :closed_at) ON CONFLICT DO NOTHING;

-- name: outcomes
-- How many people have each outcome, of one payer or of all.
SELECT COALESCE(v.outcome, 'not_judged') AS outcome, count(*) AS people
  FROM person p LEFT JOIN verdict v USING (beneficiary_id, result_seq)
 WHERE :payer::text IS NULL OR p.payer = :payer
 GROUP BY 1 ORDER BY 1;

-- name: closed_list^
-- One closed list.
SELECT count, vnd, closed_at FROM closed_list WHERE period = :period AND payer = :payer;

-- name: extracts
-- The newest extracts and how much of each has arrived.
SELECT as_of, entries, applied, part FROM extract ORDER BY as_of DESC LIMIT 5;

-- name: person^
-- The version we hold of one person.
SELECT epoch, n, payer, result_seq FROM person WHERE beneficiary_id = :beneficiary_id;

-- name: results
-- Every result told of one person, oldest first.
SELECT result_seq, outcome, evidence, died_on, account, checked_at FROM verdict
 WHERE beneficiary_id = :beneficiary_id ORDER BY result_seq;

-- name: results_after
-- The result that holds of each person, as it was told.
SELECT v.beneficiary_id, v.result_seq, v.identity_digest, v.account_digest, v.outcome, v.evidence, v.died_on, v.account, v.checked_at
  FROM person p JOIN verdict v ON v.beneficiary_id = p.beneficiary_id AND v.result_seq = p.result_seq
 WHERE p.beneficiary_id > :after AND p.erased_at IS NULL ORDER BY p.beneficiary_id LIMIT :most;

-- name: raise_results!
-- The results of one page, told again under the first number of a restored database's epoch.
WITH page AS (
    SELECT beneficiary_id, result_seq, erased_at FROM person WHERE beneficiary_id > :after ORDER BY beneficiary_id LIMIT :most
), old AS (
    SELECT beneficiary_id, result_seq FROM page WHERE result_seq BETWEEN 1 AND :first - 1 AND erased_at IS NULL
), again AS (
    INSERT INTO verdict (beneficiary_id, result_seq, identity_digest, account_digest, outcome, evidence, died_on, account, checked_at)
    SELECT v.beneficiary_id, :first, v.identity_digest, v.account_digest, v.outcome, v.evidence, v.died_on, v.account, v.checked_at
      FROM old JOIN verdict v USING (beneficiary_id, result_seq)
)
UPDATE person p SET result_seq = :first FROM old WHERE p.beneficiary_id = old.beneficiary_id;
