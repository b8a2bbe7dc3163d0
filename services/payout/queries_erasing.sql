-- name: erase_people!
-- All that is held of these people goes; an id that was never heard of is kept as erased. Whose list, which commune and until when stay with
-- the money.
INSERT INTO person AS held (beneficiary_id, epoch, n, payer, area, life, died_on, wish, home_delivery, merged, erased_at, leaves_files)
SELECT beneficiary_id, epoch, n, payer, area, life, died_on, 'none', false, merged, at, stands_in_files(beneficiary_id)
  FROM unnest(:ids::uuid[], :epochs::int[], :ns::int[], :payers::text[], :areas::text[], :lives::text[], :died_ons::date[], :mergeds::bool[],
              :ats::timestamptz[]) AS told (beneficiary_id, epoch, n, payer, area, life, died_on, merged, at)
ON CONFLICT (beneficiary_id) DO UPDATE
   SET epoch = greatest(held.epoch, EXCLUDED.epoch),
       n = CASE WHEN (held.epoch, held.n) < (EXCLUDED.epoch, EXCLUDED.n) THEN EXCLUDED.n ELSE held.n END, payer = EXCLUDED.payer,
       area = EXCLUDED.area, life = EXCLUDED.life, died_on = EXCLUDED.died_on, moved_out_on = NULL, merged = EXCLUDED.merged, erased_at = EXCLUDED.erased_at,
       leaves_files = EXCLUDED.leaves_files, wish = 'none', home_delivery = false, payee = NULL, delivery = NULL, bank_bin = NULL, identity_digest = NULL,
       account_digest = NULL, delivery_digest = NULL, account_source = NULL, paper_scope = NULL, paper_from = NULL, paper_until = NULL;

-- name: erase_verdicts!
-- What verification said of them.
DELETE FROM verdict WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_lines!
-- Circumstances on their lines.
UPDATE line SET circumstances = NULL WHERE beneficiary_id = ANY(:ids::uuid[]) AND circumstances IS NOT NULL;

-- name: people_who_leave_files
-- Erased people in whose files there may still be something.
SELECT beneficiary_id FROM person WHERE leaves_files ORDER BY beneficiary_id LIMIT :most;

-- name: empty_files!
-- Files of payrolls with these people whose list has settled and that are where they belong lose their content.
WITH theirs AS (
    SELECT DISTINCT coalesce(j.period, l.period) AS period, l.payer
      FROM line l LEFT JOIN payroll_join j ON j.payer = l.payer AND j.joined = l.period WHERE l.beneficiary_id = ANY(:ids::uuid[])
)
UPDATE file f SET emptied_at = :at FROM theirs
 WHERE (f.period, f.payer) = (theirs.period, theirs.payer) AND f.emptied_at IS NULL AND f.written_at IS NOT NULL
   AND coalesce((SELECT b.state = 'settled' FROM batch b WHERE b.batch_id = f.batch_id), true)
   AND NOT EXISTS (SELECT FROM delivery d WHERE d.path = f.path AND d.settled_at IS NULL);

-- name: drop_file_parts!
-- The content itself.
DELETE FROM file_part p USING file f WHERE f.path = p.path AND f.emptied_at IS NOT NULL AND f.removed_at IS NULL;

-- name: drop_statement_parts!
-- Statements with a line about these people, booked to the end.
DELETE FROM statement_part p
 WHERE p.file_id IN (SELECT s.file_id FROM instruction i JOIN statement_line s USING (end_to_end_id) JOIN statement_file f USING (file_id)
                      WHERE i.beneficiary_id = ANY(:ids::uuid[]) AND f.state = 'booked');

-- name: forget_accounts!
-- Which account such a line named.
UPDATE statement_line s SET account_ix = NULL FROM instruction i
 WHERE i.beneficiary_id = ANY(:ids::uuid[]) AND s.end_to_end_id = i.end_to_end_id AND s.account_ix IS NOT NULL AND s.fate IS NOT NULL;

-- name: leave_nothing!
-- People none of whose files holds anything any more.
UPDATE person p SET leaves_files = false
 WHERE p.beneficiary_id = ANY(:ids::uuid[]) AND NOT stands_in_files(p.beneficiary_id);

-- name: files_to_remove
-- Files whose content is gone from here and that may still lie on the disk.
SELECT path FROM file WHERE emptied_at IS NOT NULL AND removed_at IS NULL ORDER BY path LIMIT :most;

-- name: mark_removed!
-- They are off the disk.
UPDATE file SET removed_at = :at WHERE path = ANY(:paths::text[]);
