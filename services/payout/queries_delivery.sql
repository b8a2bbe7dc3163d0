-- name: undelivered_files
-- Files of some folders that are written whole and not planned yet, for these providers. A release makes all files of a folder at once,
-- and prints follow: with `printed`, a folder waits for them.
WITH written AS (
    SELECT regexp_replace(f.path, '/[^/]*$', '') AS folder, f.path, b.provider, f.kind, f.sha256, f.size, f.count, f.vnd
      FROM file f JOIN batch b USING (batch_id)
     WHERE b.provider = ANY(:providers::text[]) AND f.emptied_at IS NULL
       AND NOT EXISTS (SELECT FROM file other WHERE other.batch_id = f.batch_id AND other.written_at IS NULL)
       AND NOT (:printed AND EXISTS (
           SELECT FROM file list WHERE list.batch_id = f.batch_id AND list.kind = 'postal_list'
              AND NOT EXISTS (SELECT FROM file p WHERE p.path = regexp_replace(list.path, '[.]xlsx$', '.pdf'))))
)
SELECT * FROM written
 WHERE folder IN (SELECT DISTINCT folder FROM written WHERE NOT EXISTS (SELECT FROM delivery d WHERE d.path = written.path) LIMIT :most)
   AND NOT EXISTS (SELECT FROM delivery d WHERE d.folder = written.folder)
 ORDER BY folder, path;

-- name: plan_deliveries!
-- What is to be delivered; what is planned already stays as it is.
INSERT INTO delivery (path, folder, provider, manifest, sha256, size, planned_at, next_try_at)
SELECT path, folder, provider, manifest, sha256, size, :at, :at
  FROM unnest(:paths::text[], :folders::text[], :providers::text[], :manifests::boolean[], :hashes::text[], :sizes::int[])
       AS row (path, folder, provider, manifest, sha256, size)
ON CONFLICT (path) DO NOTHING;

-- name: due_deliveries
-- Everything open in folders where something is due, files before manifests.
SELECT path, folder, provider, manifest, sha256, size, state, attempts FROM delivery d
 WHERE settled_at IS NULL AND provider = ANY(:providers::text[])
   AND NOT EXISTS (SELECT FROM delivery o WHERE o.folder = d.folder AND o.settled_at IS NULL AND o.next_try_at > :at)
   AND NOT EXISTS (SELECT FROM delivery o WHERE o.folder = d.folder AND o.state = 'conflict')
 ORDER BY folder, manifest, path;

-- name: move_deliveries!
-- One state for these rows. To be sent is one attempt more.
UPDATE delivery SET state = :state, trouble = :trouble, attempts = attempts + (:state::text = 'sending')::int,
       settled_at = CASE WHEN :state::text IN ('delivered', 'conflict') THEN :at::timestamptz END
 WHERE path = ANY(:paths::text[]);

-- name: no_answer!
-- A call about these rows ended badly: what was being sent is unknown now, all of them wait.
UPDATE delivery SET state = CASE state WHEN 'sending' THEN 'unknown' ELSE state END, trouble = :trouble, next_try_at = :next_try_at
 WHERE path = ANY(:paths::text[]) AND settled_at IS NULL;

-- name: delivery_conflicts
-- Files in conflict, per provider.
SELECT provider, count(*) AS count FROM delivery WHERE state = 'conflict' GROUP BY provider;

-- name: shown_deliveries
-- Deliveries of one payroll's folders.
SELECT d.path, d.provider, d.state, d.attempts, d.trouble, d.settled_at FROM delivery d
 WHERE d.folder IN (SELECT regexp_replace(f.path, '/[^/]*$', '') FROM file f WHERE f.period = :period AND f.payer = :payer)
 ORDER BY d.path;
