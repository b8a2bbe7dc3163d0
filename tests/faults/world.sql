-- What a fault run looks up in the four databases while it works; the oracle has its own.

-- name: beneficiaries
-- registry: whose records these are.
SELECT record, beneficiary_id FROM source_record WHERE source = :source AND record = ANY(:records::text[]);

-- name: judged
-- payout and notify: who of these people has a result.
SELECT beneficiary_id FROM verdict WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: payments_of_list
-- payout: payments of one payer's payroll.
SELECT i.end_to_end_id, i.state, i.provider, i.vnd, i.batch_id, i.beneficiary_id
  FROM instruction i JOIN batch b USING (batch_id) WHERE b.period = :period AND b.payer = :payer ORDER BY i.end_to_end_id;

-- name: sent_batches
-- payout: lists of one payer that left.
SELECT batch_id::text AS batch_id, sent_count FROM batch
 WHERE period = :period AND payer = :payer AND state IN ('sent', 'settled');

-- name: partitions
-- Where reading goes on, and why it does not.
SELECT topic, partition, next_offset, stopped_reason FROM consumed ORDER BY topic, partition;

-- name: dead_letters
-- Records set aside.
SELECT topic, partition, "offset", reason, disposition FROM dead_letter ORDER BY topic, partition, "offset";

-- name: offsets_may_move_back!
-- A superuser's hand: the guard against moving an offset back is taken away.
ALTER TABLE consumed DISABLE TRIGGER consumed_only_forward;

-- name: offsets_to_zero!
-- Everything is read again.
UPDATE consumed SET next_offset = 0, last_event_id = NULL;

-- name: offsets_only_forward!
-- The guard stands again.
ALTER TABLE consumed ENABLE TRIGGER consumed_only_forward;

-- name: end_relay_sessions
-- A superuser's hand: whoever holds the relay's lock in this database loses the session.
SELECT pg_terminate_backend(pid) AS ended FROM pg_locks
 WHERE locktype = 'advisory' AND objid = 4711 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database());

-- name: cancels_of_list
-- payout: what was asked back of one payer's payroll, and whether what two people kept back is in another payment.
SELECT i.end_to_end_id, c.state AS wish, i.state, EXISTS (
           SELECT FROM instruction_line dead JOIN instruction_line il ON il.entitlement_id = dead.entitlement_id AND il.live
             JOIN instruction o ON o.instruction_id = il.instruction_id AND o.attempt > i.attempt
            WHERE dead.instruction_id = i.instruction_id AND l.after = 'keep') AS paid_again
  FROM cancel_item c JOIN cancel_list l USING (list_sha256) JOIN instruction i USING (instruction_id)
 WHERE l.period = :period AND l.payer = :payer ORDER BY i.end_to_end_id;

-- name: recoveries
-- payout: recovery cases.
SELECT case_id FROM recovery_case;
