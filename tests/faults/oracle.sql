-- What the oracle reads of the four databases. Every query returns rows to compare, never a verdict.

-- name: outbox
-- Every decision with its place in the order of decisions.
SELECT xid::text::bigint AS xid, id, event_id::text AS event_id, topic, key, payload FROM outbox ORDER BY xid, id;

-- name: acknowledged
-- How far the relay says it has got.
SELECT xid::text::bigint AS xid, id FROM outbox_cursor;

-- name: consumed
-- Where reading goes on.
SELECT topic, partition, next_offset, last_event_id, stopped_reason FROM consumed;

-- name: dead_letters
-- Records set aside.
SELECT topic, partition, "offset", disposition, reason FROM dead_letter;

-- name: people
-- Versions of the snapshots held; the same columns in every service.
SELECT beneficiary_id, epoch, n FROM person;

-- name: source_events
-- registry: every statement with its fate, in the order in which they were taken.
SELECT event_id, source, record, sequence, kind, fate, reason, beneficiary_id FROM source_event ORDER BY id;

-- name: waiting
-- registry: statements that wait for their person or their key.
SELECT source, record, sequence FROM waiting;

-- name: registry_closings
-- registry: totals of closed lists.
SELECT period, payer, count, vnd FROM payroll_list WHERE state = 'closed';

-- name: registry_lines
-- registry: frozen lines.
SELECT entitlement_id, beneficiary_id, period, payer, declared_vnd FROM entitlement_line;

-- name: verified
-- registry: the newest result of each person.
SELECT beneficiary_id, result_seq, outcome FROM verified;

-- name: registry_payments
-- registry: the newest state of each payment.
SELECT instruction_id, state_seq, state FROM payment;

-- name: texts
-- registry: the furthest state of each text.
SELECT message_id, status FROM text;

-- name: verification_verdicts
-- verification: every result ever told.
SELECT beneficiary_id, result_seq, outcome, identity_digest, account_digest FROM verdict;

-- name: payout_verdicts
-- payout: the newest result of each person.
SELECT beneficiary_id, result_seq, outcome FROM verdict;

-- name: payout_closings
-- payout: totals of lists as received.
SELECT period, payer, count, vnd FROM closing;

-- name: payout_lines
-- payout: lines as received.
SELECT entitlement_id, beneficiary_id, period, payer, declared_vnd FROM line;

-- name: batches
-- payout: lists that people signed, and what left of them.
SELECT batch_id, period, payer, provider, state, count, vnd, sha256, sent_count, sent_vnd, sent_sha256 FROM batch;

-- name: instructions
-- payout: payments.
SELECT instruction_id, batch_id, provider, channel, vnd, end_to_end_id, state_seq, state FROM instruction;

-- name: shares
-- payout: which part of which line a payment pays.
SELECT instruction_id, entitlement_id, vnd, live FROM instruction_line;

-- name: held
-- payout: lines that are held now.
SELECT entitlement_id, reason, vnd FROM held WHERE until IS NULL;

-- name: files
-- payout: files of lists that left.
SELECT batch_id, kind, count, vnd FROM file WHERE kind IN ('pain.001', 'postal_list');

-- name: results
-- payout: every answer ever kept.
SELECT result_id, fate FROM result;

-- name: notify_verdicts
-- notify: whom the register knows to be dead.
SELECT beneficiary_id, result_seq, dead FROM verdict;

-- name: account_payments
-- notify: the newest state of payments to accounts.
SELECT instruction_id, state_seq, state FROM account_payment;

-- name: messages
-- notify: every text.
SELECT message_id, campaign, round, status FROM message;
