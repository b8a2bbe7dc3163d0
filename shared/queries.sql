-- name: partitions_expected
-- Every partition of this service with where it goes on.
SELECT topic, partition, next_offset, last_event_id, dead_in_a_row, stopped_reason FROM consumed ORDER BY topic, partition;

-- name: next_offsets
-- Where partitions go on; no row means that the partition was never created by command and must not be read.
SELECT partition, next_offset, last_event_id, dead_in_a_row, read_since_resume, recent_dead, stopped_reason FROM consumed
 WHERE topic = :topic AND partition = ANY(:partitions::int[]);

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

-- name: stop_partition^
-- A gap or a recreated topic: nothing is read until a person has looked. Only where whoever stops it believes it to be.
UPDATE consumed SET stopped_reason = coalesce(stopped_reason, :reason)
 WHERE topic = :topic AND partition = :partition AND next_offset = :before RETURNING stopped_reason;

-- name: resume_partition^
-- A person has looked: the partition goes on where it stopped, with its counts at zero.
UPDATE consumed SET stopped_reason = NULL, dead_in_a_row = 0, read_since_resume = 0, recent_dead = '{}'
 WHERE topic = :topic AND partition = :partition AND stopped_reason IS NOT NULL RETURNING next_offset;

-- name: resume_at_log_start^
-- Retention has cut records that were never read, and a person knows it: reading goes on where the log begins now.
UPDATE consumed SET stopped_reason = NULL, dead_in_a_row = 0, read_since_resume = 0, recent_dead = '{}',
       next_offset = :log_start, last_event_id = NULL
 WHERE topic = :topic AND partition = :partition AND stopped_reason = 'LOG_STARTS_ABOVE' AND next_offset < :log_start
RETURNING next_offset;

-- name: set_aside!
-- Records that cannot be taken; read again, they change nothing.
INSERT INTO dead_letter (dead_letter_id, topic, partition, "offset", event_id, disposition, reason, original, key_ix, at)
SELECT dead_letter_id, :topic, :partition, place, event_id, disposition, reason, original, key_ix, :at
  FROM unnest(:ids::uuid[], :offsets::bigint[], :event_ids::text[], :dispositions::text[], :reasons::text[], :originals::text[], :key_ixs::bytea[])
       AS row (dead_letter_id, place, event_id, disposition, reason, original, key_ix)
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
-- Set-aside records that were not taken since, in the order they were read; those that were tried in vain come last.
SELECT dead_letter_id FROM dead_letter
 WHERE outcome IS DISTINCT FROM 'taken' AND (:ids::uuid[] IS NULL OR dead_letter_id = ANY (:ids))
   AND (:topic::text IS NULL OR topic = :topic) AND (:reason::text IS NULL OR reason = :reason)
 ORDER BY redriven_at NULLS FIRST, topic, partition, "offset" LIMIT :most;

-- name: dead_letter_locked^
-- One set-aside record that was not taken, for this transaction alone.
SELECT dead_letter_id, topic, partition, "offset", at, original
  FROM dead_letter WHERE dead_letter_id = :dead_letter_id AND outcome IS DISTINCT FROM 'taken' FOR UPDATE;

-- name: mark_redriven^
-- Taken, or still set aside under the reason it has now; written in the transaction of its effects.
UPDATE dead_letter SET redriven_at = :at, redriven_by = :actor, outcome = :outcome, reason = coalesce(:reason::text, reason),
       disposition = CASE WHEN :outcome = 'taken' THEN disposition ELSE :outcome END
 WHERE dead_letter_id = :dead_letter_id RETURNING dead_letter_id;

-- name: wake_relay^
-- Tell the relay that rows wait; delivered at commit.
SELECT pg_notify('outbox', '');

-- name: cursor^
-- How far the relay has got, and whether it may go on.
SELECT xid::text AS xid, id, t.locked_reason FROM outbox_cursor, timeline t;

-- name: unpublished
-- The next rows in commit-safe order: only of transactions below every running one, so none can appear before them later. The order is
-- that of the column, named with its table: `xid` alone would be the text of the output, in which 10000 comes before 9999.
SELECT (SELECT epoch FROM timeline) AS epoch, xid::text AS xid, id, event_id, topic, key, type, at, payload FROM outbox
 WHERE (xid, id) > (:xid::text::xid8, :id) AND xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY outbox.xid, outbox.id LIMIT :most;

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

-- name: begin_republish^
-- Begin to tell a topic again; one that was not finished goes on.
INSERT INTO republish AS r (topic, after, messages, begun_by, begun_at) VALUES (:topic, '', 0, :actor, :at)
ON CONFLICT (topic) DO UPDATE SET
    after = CASE WHEN r.done_at IS NULL THEN r.after ELSE '' END,
    messages = CASE WHEN r.done_at IS NULL THEN r.messages ELSE 0 END,
    begun_by = excluded.begun_by, begun_at = excluded.begun_at, done_at = NULL
RETURNING messages;

-- name: republish_locked^
-- How far a topic has been told, ours until the transaction ends.
SELECT after, messages, done_at FROM republish WHERE topic = :topic FOR UPDATE;

-- name: republish_told^
-- So many more were told; written in the transaction of their outbox rows.
UPDATE republish SET after = :after, messages = messages + :more, done_at = :done_at WHERE topic = :topic RETURNING messages;

-- name: timeline^
-- Which life of this database this is, and whether publishing is locked.
SELECT epoch, locked_at, locked_reason, proposed_by FROM timeline;

-- name: timeline_locked^
-- The same, ours until the transaction ends.
SELECT epoch, locked_at, locked_reason, proposed_by FROM timeline FOR UPDATE;

-- name: cursor_of_another_cluster^
-- Transaction numbers only rise within one cluster: a cursor ahead of them was copied from another, and nothing new would ever be published.
SELECT xid >= pg_snapshot_xmax(pg_current_snapshot()) AS ahead FROM outbox_cursor;

-- name: positions_unknown^
-- Places on our topics that this database never wrote: of a later epoch, or of this one, beyond the cursor and without a row. Those of an
-- earlier epoch were seen when it ended.
SELECT count(*) AS count
  FROM unnest(:epochs::int[], :xids::text[], :ids::bigint[], :event_ids::uuid[]) AS seen (epoch, xid, id, event_id),
       timeline t, outbox_cursor c
 WHERE seen.epoch > t.epoch
    OR (seen.epoch = t.epoch AND (seen.xid::xid8, seen.id) > (c.xid, c.id)
        AND NOT EXISTS (SELECT FROM outbox o
                         WHERE o.xid = seen.xid::xid8 AND o.id = seen.id AND o.event_id = seen.event_id));

-- name: lock_timeline^
-- Nothing is published from now on, and what is decided from now on is of a new epoch.
UPDATE timeline SET epoch = greatest(epoch, :seen_epoch) + 1, locked_at = :at, locked_reason = :reason
 WHERE locked_at IS NULL RETURNING epoch, locked_at;

-- name: propose_unlock!
-- The first of two signatures.
UPDATE timeline SET proposed_by = :actor, proposed_token = :token, proposed_at = :at WHERE locked_at IS NOT NULL;

-- name: record_unlock!
-- Both signatures, kept.
INSERT INTO timeline_unlock (epoch, locked_at, locked_reason, sha256, proposed_by, proposed_token, proposed_at,
                             confirmed_by, confirmed_token, confirmed_at)
SELECT epoch, locked_at, locked_reason, :sha256, proposed_by, proposed_token, proposed_at, :actor, :token, :at FROM timeline;

-- name: unlock_timeline!
-- Publishing goes on.
UPDATE timeline SET locked_at = NULL, locked_reason = NULL, proposed_by = NULL, proposed_token = NULL, proposed_at = NULL;

-- name: unindexed_originals
-- Sealed originals of set-aside records of which it is not kept whose they are.
SELECT dead_letter_id, original FROM dead_letter WHERE key_ix IS NULL AND original <> '';

-- name: keep_key_ixs!
-- Whose these set-aside records are.
UPDATE dead_letter d SET key_ix = row.key_ix FROM unnest(:letters::uuid[], :key_ixs::bytea[]) AS row (letter, key_ix)
 WHERE d.dead_letter_id = row.letter;

-- name: letters_of
-- Set-aside records under these keys whose original is still there.
SELECT dead_letter_id, key_ix FROM dead_letter WHERE key_ix = ANY(:key_ixs::bytea[]) AND original <> '';

-- name: erase_originals!
-- Originals about erased people: the rows stay, and say for whom.
UPDATE dead_letter d SET original = '', key_ix = NULL, erased_for = row.who FROM unnest(:letters::uuid[], :people::uuid[]) AS row (letter, who)
 WHERE d.dead_letter_id = row.letter;

-- name: erase_payloads!
-- What was published about erased people, and about set-aside records whose original is gone. What still waits to be published stays.
UPDATE outbox o SET payload = ''
 WHERE (o.xid, o.id) <= (SELECT c.xid, c.id FROM outbox_cursor c) AND o.payload <> ''
   AND ((o.topic = ANY(:topics::text[]) AND o.key = ANY(:keys::text[]))
        OR CASE WHEN o.topic = :dead_letters::text AND o.payload <> '' THEN convert_from(o.payload, 'UTF8')::jsonb ->> 'dead_letter_id' END
           = ANY(:letters::text[]));

-- name: erased
-- Who is erased here, in order of their ids.
SELECT beneficiary_id, erased_at FROM person WHERE erased_at IS NOT NULL AND beneficiary_id > :after ORDER BY beneficiary_id LIMIT :most;
