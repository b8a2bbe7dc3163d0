-- name: batches_sent^
-- Batches that left for a provider (payout).
SELECT count(*) AS count FROM batch WHERE state IN ('sent', 'settled');

-- name: person_of^
-- Whose record an upstream record is (registry).
SELECT beneficiary_id FROM source_record WHERE source = :source AND record = :record;
