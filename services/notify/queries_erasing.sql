-- name: erase_people!
-- All that is held of these people goes; an id that was never heard of is kept as erased.
INSERT INTO person AS held (beneficiary_id, epoch, n, payer, life, has_account, cannot, merged, erased_at)
SELECT beneficiary_id, epoch, n, payer, life, false, false, merged, at
  FROM unnest(:ids::uuid[], :epochs::int[], :ns::int[], :payers::text[], :lives::text[], :mergeds::bool[], :ats::timestamptz[])
       AS told (beneficiary_id, epoch, n, payer, life, merged, at)
ON CONFLICT (beneficiary_id) DO UPDATE
   SET epoch = greatest(held.epoch, EXCLUDED.epoch),
       n = CASE WHEN (held.epoch, held.n) < (EXCLUDED.epoch, EXCLUDED.n) THEN EXCLUDED.n ELSE held.n END, payer = EXCLUDED.payer,
       life = EXCLUDED.life, merged = EXCLUDED.merged, erased_at = EXCLUDED.erased_at, has_account = false, cannot = false,
       contact = NULL, phone_ix = NULL;

-- name: erase_verdicts!
-- What verification said of them.
DELETE FROM verdict WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: give_texts_over!
-- Texts that others with the same phone are served by are from now on to one of those.
UPDATE message m SET owner = o.beneficiary_id, contact = o.contact
  FROM message_person s JOIN person o USING (beneficiary_id)
 WHERE m.owner = ANY(:ids::uuid[]) AND s.message_id = m.message_id AND o.phone_ix = m.phone_ix AND o.contact IS NOT NULL;

-- name: end_texts
-- Texts that are left to them: what was not sent is not, and nobody asks about the others again.
UPDATE message SET status = CASE status WHEN 'created' THEN 'skipped' ELSE 'failed' END, changed_at = :at
 WHERE owner = ANY(:ids::uuid[]) AND status IN ('created', 'sending', 'unknown')
RETURNING message_id;

-- name: erase_texts!
-- Where texts went. In place of the phone's index stands the text's own id: as many texts as there were.
UPDATE message SET contact = NULL, phone_ix = decode(replace(message_id::text, '-', ''), 'hex') WHERE owner = ANY(:ids::uuid[]) AND contact IS NOT NULL;
