-- name: newest_whole^
-- The newest extract of the whole register that arrived whole; none where none was announced.
SELECT as_of, looked_through FROM extract WHERE applied = entries AND NOT part ORDER BY as_of DESC LIMIT 1;

-- name: people_no_longer_named
-- People paid by an entry that an extract of the whole register does not name.
SELECT p.beneficiary_id FROM person p JOIN register r USING (person_token) JOIN verdict v USING (beneficiary_id, result_seq)
 WHERE r.as_of < :whole AND v.outcome = ANY(:payable::text[])
 ORDER BY p.beneficiary_id LIMIT :most;

-- name: looked_through!
-- Nobody is left to look for in this extract and those before it.
UPDATE extract SET looked_through = true WHERE as_of <= :as_of AND NOT looked_through;

-- name: people_holder_over
-- People of whose account a bank's word counts no more, the oldest first.
SELECT beneficiary_id FROM person WHERE holder_until <= :at ORDER BY holder_until, beneficiary_id LIMIT :most;

-- name: result_ages^
-- Of how many people the register, or a bank, is to be asked anew before a list closes, and the oldest word of the register.
SELECT count(*) AS people, count(*) FILTER (WHERE answered_at < :renew_before) AS register_due, min(answered_at) AS oldest,
       count(*) FILTER (WHERE holder_until < :holders_before) AS banks_due
  FROM person WHERE (:payer::text IS NULL OR payer = :payer) AND NOT merged AND erased_at IS NULL;
