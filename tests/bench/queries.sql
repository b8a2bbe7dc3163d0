-- name: hold_door!
-- The bench holds registry at the door until everything is written.
UPDATE consumed SET stopped_reason = 'BENCH' WHERE topic = :topic;

-- name: open_door!
-- The clock starts.
UPDATE consumed SET stopped_reason = NULL WHERE topic = :topic AND stopped_reason = 'BENCH';

-- name: reached
-- How far a service has read.
SELECT topic, partition, next_offset FROM consumed;

-- name: unpublished^
-- Whether a decision waits to be published: the newest row lies behind the cursor. One look into the index, however many rows there are.
SELECT EXISTS (
    SELECT FROM outbox_cursor c, LATERAL (SELECT xid, id FROM outbox ORDER BY xid DESC, id DESC LIMIT 1) newest
     WHERE (newest.xid, newest.id) > (c.xid, c.id)) AS waits;

-- name: registry_totals^
-- What registry made of the events.
SELECT (SELECT count(*) FROM person) AS people,
       (SELECT count(*) FROM person WHERE account_digest IS NOT NULL) AS accounts,
       (SELECT count(*) FROM list_row WHERE state = 'active') AS rows,
       (SELECT COALESCE(sum(declared_vnd), 0)::bigint FROM list_row WHERE state = 'active') AS vnd,
       (SELECT count(*) FROM entitlement_line) AS lines,
       (SELECT count(*) FROM waiting) AS waiting;

-- name: registry_fates
-- What became of every statement.
SELECT fate, count(*) AS statements FROM source_event GROUP BY fate;

-- name: verification_outcomes
-- People by the outcome that holds.
SELECT v.outcome, count(*) AS people FROM person p JOIN verdict v USING (beneficiary_id, result_seq) GROUP BY v.outcome;

-- name: payout_totals^
-- What payout holds: lines, their places, payments, batches and what was sent.
SELECT (SELECT count(*) FROM line) AS lines,
       (SELECT COALESCE(sum(declared_vnd), 0)::bigint FROM line) AS vnd,
       (SELECT count(DISTINCT entitlement_id) FROM instruction_line) AS lines_paid,
       (SELECT count(*) FROM instruction) AS payments,
       (SELECT count(*) FROM batch) AS batches,
       (SELECT COALESCE(sum(sent_count), 0)::bigint FROM batch) AS sent,
       (SELECT count(*) FROM file) AS files;

-- name: payout_held
-- Lines held now by reason.
SELECT reason, count(*) AS lines FROM held WHERE until IS NULL GROUP BY reason;

-- name: payout_by_provider
-- Payments by provider.
SELECT provider, count(*) AS payments FROM instruction GROUP BY provider;

-- name: notify_totals^
-- Who was decided on.
SELECT COALESCE(sum(people), 0)::bigint AS people, COALESCE(sum(texts), 0)::bigint AS texts,
       (SELECT count(*) FROM message) AS messages,
       (SELECT COALESCE(sum(each.value::text::bigint), 0)::bigint FROM campaign_round r, jsonb_each(r.left_out) AS each) AS left_out
  FROM campaign_round;

-- name: database_bytes^
-- Size on disk of one service's database.
SELECT pg_database_size(current_database()) AS bytes;

-- name: records_of
-- The records of these people.
SELECT record, beneficiary_id FROM source_record WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: people_by_record
-- Whose benefits a source's are: records that stand on a list.
SELECT DISTINCT record, beneficiary_id FROM list_row WHERE source = :source;

-- name: frozen_lines
-- Every line of every closed list.
SELECT beneficiary_id, period, payer, area, declared_vnd FROM entitlement_line;

-- name: money_that_arrived
-- What people have in hand, by person, month and payer.
SELECT l.beneficiary_id, l.period, l.payer, sum(il.vnd)::bigint AS vnd
  FROM instruction i JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
 WHERE i.state IN ('paid', 'collected') GROUP BY 1, 2, 3;

-- name: cases_of
-- Who waits for a decision about their commune.
SELECT beneficiary_id FROM area_case WHERE fate IS NULL;

-- name: refusals_of
-- Why statements of a source were refused.
SELECT reason, count(*) AS statements FROM source_event WHERE fate = 'refused' AND source = :source GROUP BY reason;
