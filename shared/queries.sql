-- name: partitions_expected
-- Every partition of this service with where it goes on.
SELECT topic, partition, next_offset, last_event_id, dead_in_a_row, stopped_reason FROM consumed ORDER BY topic, partition;

-- name: next_offset^
-- Where one partition goes on; no row means that the partition was never created by command and must not be read.
SELECT next_offset, last_event_id, dead_in_a_row, read_since_resume, recent_dead, stopped_reason FROM consumed
 WHERE topic = :topic AND partition = :partition;

-- name: expect_partitions*!
-- A partition that is new starts at 0; one that is known stays as it is.
INSERT INTO consumed (topic, partition, next_offset) VALUES (:topic, :partition, 0) ON CONFLICT DO NOTHING;

-- name: take^
-- The fence: first statement of every batch. Not exactly one row means another owner moved on.
UPDATE consumed SET next_offset = :next_offset, last_event_id = :last_event_id, read_since_resume = read_since_resume + :records
 WHERE topic = :topic AND partition = :partition AND next_offset = :before AND stopped_reason IS NULL
RETURNING read_since_resume - :records AS read, dead_in_a_row, recent_dead;

-- name: count_dead!
-- How many records in a row, and which of the last ones, were set aside, and the stop when it is too many; the row is ours since `take`.
UPDATE consumed SET dead_in_a_row = :dead_in_a_row, recent_dead = :recent_dead, stopped_reason = :stopped_reason
 WHERE topic = :topic AND partition = :partition;

-- name: stop_partition!
-- A gap or a recreated topic: nothing is read until a person has looked.
UPDATE consumed SET stopped_reason = :reason WHERE topic = :topic AND partition = :partition AND stopped_reason IS NULL;

-- name: resume_partition^
-- A person has looked: the partition goes on where it stopped, with its counts at zero.
UPDATE consumed SET stopped_reason = NULL, dead_in_a_row = 0, read_since_resume = 0, recent_dead = '{}'
 WHERE topic = :topic AND partition = :partition AND stopped_reason IS NOT NULL RETURNING next_offset;

-- name: set_aside!
-- Records that cannot be taken; read again, they change nothing.
INSERT INTO dead_letter (dead_letter_id, topic, partition, "offset", event_id, disposition, reason, original, at)
SELECT dead_letter_id, :topic, :partition, place, event_id, disposition, reason, original, :at
  FROM unnest(:ids::uuid[], :offsets::bigint[], :event_ids::text[], :dispositions::text[], :reasons::text[], :originals::text[])
       AS row (dead_letter_id, place, event_id, disposition, reason, original)
ON CONFLICT (topic, partition, "offset") DO NOTHING;

-- name: dead_letters
-- The newest set-aside records.
SELECT dead_letter_id, topic, partition, "offset", event_id, disposition, reason, at, redriven_at, redriven_by, outcome
  FROM dead_letter ORDER BY at DESC LIMIT :most;

-- name: dead_letter^
-- One set-aside record with its sealed original.
SELECT dead_letter_id, topic, partition, "offset", event_id, disposition, reason, at, redriven_at, redriven_by, outcome, original
  FROM dead_letter WHERE dead_letter_id = :dead_letter_id;

-- name: dead_letters_chosen
-- Set-aside records that were not taken since, in the order they were read.
SELECT dead_letter_id FROM dead_letter
 WHERE outcome IS DISTINCT FROM 'taken' AND (:ids::uuid[] IS NULL OR dead_letter_id = ANY (:ids))
   AND (:topic::text IS NULL OR topic = :topic) AND (:reason::text IS NULL OR reason = :reason)
 ORDER BY topic, partition, "offset" LIMIT :most;

-- name: dead_letter_locked^
-- One set-aside record that was not taken, for this transaction alone.
SELECT dead_letter_id, topic, partition, "offset", at, original
  FROM dead_letter WHERE dead_letter_id = :dead_letter_id AND outcome IS DISTINCT FROM 'taken' FOR UPDATE;

-- name: mark_redriven^
-- Taken, or still set aside under the reason it has now; written in the transaction of its effects.
UPDATE dead_letter SET redriven_at = :at, redriven_by = :actor, outcome = :outcome, reason = coalesce(:reason::text, reason),
       disposition = CASE WHEN :outcome = 'taken' THEN disposition ELSE :outcome END
 WHERE dead_letter_id = :dead_letter_id RETURNING dead_letter_id;

-- name: put_events!
-- Outbox rows of one decision, one statement.
INSERT INTO outbox (day, event_id, topic, key, type, at, payload)
SELECT :day, event_id, topic, key, type, :at, payload
  FROM unnest(:event_ids::uuid[], :topics::text[], :keys::text[], :types::text[], :payloads::bytea[])
       AS row (event_id, topic, key, type, payload);

-- name: wake_relay^
-- Tell the relay that rows wait; delivered at commit.
SELECT pg_notify('outbox', '');

-- name: cursor^
-- How far the relay has got.
SELECT xid::text AS xid, id FROM outbox_cursor;

-- name: unpublished
-- The next rows in commit-safe order: only of transactions below every running one, so none can appear before them later.
SELECT xid::text AS xid, id, event_id, topic, key, type, at, payload FROM outbox
 WHERE (xid, id) > (:xid::text::xid8, :id) AND xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY xid, id LIMIT :most;

-- name: move_cursor^
-- Only after the broker acknowledged every row up to here, and only from where this relay began.
UPDATE outbox_cursor SET xid = :xid::text::xid8, id = :id WHERE (xid, id) = (:from_xid::text::xid8, :from_id) RETURNING id;

-- name: outbox_behind^
-- How many rows wait.
SELECT count(*) AS waiting FROM outbox, outbox_cursor c WHERE (outbox.xid, outbox.id) > (c.xid, c.id);

-- name: relay_lock^
-- Only one relay per database at a time; released with the session.
SELECT pg_try_advisory_lock(4711) AS held;

-- name: relay_unlock^
-- Give the relay's place to another.
SELECT pg_advisory_unlock(4711) AS released;
