-- name: led_elsewhere
-- Merged-away people whom these blind indexes mean or who were merged into one of these people, with who stays.
SELECT beneficiary_id, survivor_id FROM merged WHERE survivor_id = ANY(:ids::uuid[])
UNION
SELECT m.beneficiary_id, m.survivor_id FROM merged_key k JOIN merged m USING (beneficiary_id) WHERE k.ix = ANY(:ixs::bytea[]);

-- name: anybody_merged^
-- Whether anybody is merged away at all: most of the time nobody is.
SELECT EXISTS (SELECT FROM merged) AS merged;

-- name: propose!
-- Somebody proposes that two are one, or are two again.
INSERT INTO merge_act (act_id, kind, merged_id, survivor_id, undoes, paper, proposed_sight, proposed_by, proposed_token, proposed_at)
VALUES (:act_id, :kind, :merged_id, :survivor_id, :undoes, :paper, :sight_id, :actor, :token, :at);

-- name: act^
-- An act, ours until the transaction ends.
SELECT act_id, kind, merged_id, survivor_id, undoes, proposed_by, confirmed_at FROM merge_act WHERE act_id = :act_id FOR UPDATE;

-- name: whom^
-- Whom an act is about.
SELECT merged_id, survivor_id FROM merge_act WHERE act_id = :act_id;

-- name: waiting_act^
-- What waits for a second person about this pair.
SELECT act_id FROM merge_act WHERE one = :one AND other = :other AND confirmed_at IS NULL;

-- name: withdraw!
-- A proposal nobody confirmed.
DELETE FROM merge_act WHERE act_id = :act_id AND confirmed_at IS NULL;

-- name: confirm!
-- A second person confirmed it.
UPDATE merge_act SET confirmed_sight = :sight_id, confirmed_by = :actor, confirmed_token = :token, confirmed_at = :at,
       absorbed = :absorbed::text[]
 WHERE act_id = :act_id AND confirmed_at IS NULL;

-- name: acts_of
-- Everything that was done and proposed about one person and others, in order.
SELECT act_id, kind, merged_id, survivor_id, undoes, paper, proposed_by, proposed_at, confirmed_by, confirmed_at, absorbed FROM merge_act
 WHERE merged_id = :beneficiary_id OR survivor_id = :beneficiary_id ORDER BY ordinal;

-- name: standing
-- How these two stand: merged away (with the act), or others merged into them.
SELECT beneficiary_id, survivor_id, act_id FROM merged
 WHERE beneficiary_id = ANY(:ids::uuid[]) OR survivor_id = ANY(:ids::uuid[]);

-- name: last_merge^
-- The newest merge into somebody that still stands, and what was taken over with it.
SELECT m.act_id, a.absorbed FROM merged m JOIN merge_act a USING (act_id)
 WHERE m.survivor_id = :survivor_id ORDER BY a.ordinal DESC LIMIT 1;

-- name: lists_being_closed^
-- Whether a list that is being closed has a live row of one of the two.
SELECT EXISTS (SELECT FROM list_row r JOIN payroll_list l USING (period, payer)
                WHERE r.beneficiary_id = ANY(:ids::uuid[]) AND r.state = 'active' AND l.state = 'closing') AS closing;

-- name: end_double_rows!
-- Live rows of open lists that say what the survivor's own row of that month says already.
UPDATE list_row r SET state = 'ended', end_reason = 'merged', beneficiary_id = :survivor_id
  FROM payroll_list l
 WHERE r.beneficiary_id = :merged_id AND r.state = 'active' AND (l.period, l.payer) = (r.period, r.payer) AND l.state = 'open'
   AND EXISTS (SELECT FROM list_row s WHERE s.beneficiary_id = :survivor_id AND s.state = 'active'
                                        AND (s.period, s.benefit_code) = (r.period, r.benefit_code));

-- name: move_rows!
-- The other live rows of open lists go over to the survivor.
UPDATE list_row r SET beneficiary_id = :survivor_id
  FROM payroll_list l
 WHERE r.beneficiary_id = :merged_id AND r.state = 'active' AND (l.period, l.payer) = (r.period, r.payer) AND l.state = 'open';

-- name: save_merged!
-- From now on this id leads to another one.
INSERT INTO merged (beneficiary_id, survivor_id, act_id) VALUES (:merged_id, :survivor_id, :act_id);

-- name: save_merged_keys!
-- Who stays is known under these indexes too.
INSERT INTO merged_key (ix, beneficiary_id) SELECT ix, :merged_id FROM unnest(:ixs::bytea[]) AS ix;

-- name: move_records!
-- The records of the merged-away id go over, to be found again.
WITH went AS (
    UPDATE source_record SET beneficiary_id = :survivor_id WHERE beneficiary_id = :merged_id RETURNING source, record
)
INSERT INTO merged_record (source, record, beneficiary_id) SELECT source, record, :merged_id FROM went;

-- name: move_rows_back!
-- Rows of open lists that came with the merged-away id's records go back.
UPDATE list_row r SET beneficiary_id = :merged_id
  FROM merged_record m, payroll_list l
 WHERE m.beneficiary_id = :merged_id AND (r.source, r.record) = (m.source, m.record) AND r.beneficiary_id = :survivor_id
   AND (l.period, l.payer) = (r.period, r.payer) AND l.state = 'open';

-- name: revive_rows!
-- Rows of open lists that had ended with the merge live again.
UPDATE list_row r SET state = 'active', end_reason = NULL
  FROM payroll_list l
 WHERE r.beneficiary_id = :merged_id AND r.end_reason = 'merged' AND (l.period, l.payer) = (r.period, r.payer) AND l.state = 'open'
   AND NOT EXISTS (SELECT FROM list_row s WHERE s.beneficiary_id = :merged_id AND s.state = 'active'
                                            AND (s.period, s.benefit_code) = (r.period, r.benefit_code));

-- name: rows_too_late^
-- Rows that had ended with the merge and whose list has closed since: what they said is owed in the next list.
SELECT count(*) AS rows FROM merged_record m JOIN list_row r USING (source, record)
 WHERE m.beneficiary_id = :merged_id AND r.end_reason = 'merged';

-- name: move_records_back!
-- The records that went over go back.
UPDATE source_record s SET beneficiary_id = :merged_id
  FROM merged_record m WHERE m.beneficiary_id = :merged_id AND (s.source, s.record) = (m.source, m.record);

-- name: forget_merged!
-- This id leads nowhere else any more.
DELETE FROM merged WHERE beneficiary_id = :merged_id;

-- name: forget_records!
-- The records are where they were.
DELETE FROM merged_record WHERE beneficiary_id = :merged_id;

-- name: save_merge_events!
-- Both people's history says what was done; nothing that was said before about either is put back over it.
INSERT INTO source_event (source, record, sequence, kind, fate, notes, beneficiary_id, event_id, at, known_at)
SELECT 'registry', NULL, 0, :kind::text, 'applied', '{}', who, :act_id::text, :at::timestamptz, :at::timestamptz FROM unnest(:ids::uuid[]) AS who;

-- name: drop_pair!
-- The two are no candidates: they are one.
DELETE FROM candidate WHERE one = :merged_id OR other = :merged_id;

-- name: forget_looked!
-- These people are looked at again.
DELETE FROM looked_at WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: drop_keys_of!
-- Nobody meets a merged-away id any more.
DELETE FROM person_key WHERE beneficiary_id = :merged_id;

-- name: one_person_at
-- Under which ids somebody was known at a moment: the newest act about each pair that was confirmed by then decides.
WITH newest AS (
    SELECT DISTINCT ON (one, other) kind, merged_id, survivor_id FROM merge_act
     WHERE (merged_id = :beneficiary_id OR survivor_id = :beneficiary_id) AND confirmed_at <= :at ORDER BY one, other, ordinal DESC)
SELECT merged_id, survivor_id FROM newest WHERE kind = 'merge';

-- name: said_by
-- What had been taken about these ids by a moment, in order.
SELECT kind, source, record, period, payer, declared_vnd, acts_on, word,
       (coalesce(known_at, at) AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS said_on
  FROM source_event
 WHERE beneficiary_id = ANY(:ids::uuid[]) AND fate = 'applied' AND coalesce(known_at, at) <= :at ORDER BY id;

-- name: frozen_by
-- Lines of a month's lists that had closed by a moment.
SELECT l.entitlement_id, l.beneficiary_id, l.payer, l.declared_vnd FROM entitlement_line l JOIN payroll_list p USING (period, payer)
 WHERE l.beneficiary_id = ANY(:ids::uuid[]) AND l.period = :period AND p.closed_at <= :at ORDER BY l.entitlement_id;
