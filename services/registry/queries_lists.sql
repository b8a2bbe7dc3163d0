-- name: kept_answer^
-- What this actor was answered under this key.
SELECT request_sha256, answer FROM event_request WHERE actor = :actor AND key = :key;

-- name: keep_answer!
-- The answer to a request, kept with its effects.
INSERT INTO event_request (actor, key, request_sha256, answer, at) VALUES (:actor, :key, :request_sha256, :answer::jsonb, :at);

-- name: forget_answers!
-- Answers whose requests nobody sends again.
DELETE FROM event_request WHERE at < :before;

-- name: column_words^
-- What this office calls its columns now.
SELECT words FROM column_words WHERE kind = :kind AND payer = :payer AND source = :source ORDER BY id DESC LIMIT 1;

-- name: save_column_words!
-- What this office calls its columns from now on.
INSERT INTO column_words (kind, payer, source, words, actor, at) VALUES (:kind, :payer, :source, :words::jsonb, :actor, :at);

-- name: gone
-- File rows of a source that are gone from the full list of a period: active in the latest earlier period and without a successor in this
-- one, or in this period and not said again by the newest full file; with what was decided. A benefit that another source lists is not gone.
-- `refused_row`: a row of that file that means the person and was refused; they are not gone from it. `last_row`: where they stood last.
WITH newest AS (
    SELECT max(ordinal) AS ordinal FROM list_import
     WHERE kind = 'payroll' AND state = 'done' AND is_full AND undone_by IS NULL
       AND period = :period AND payer = :payer AND source = :source),
refused AS (
    SELECT who::uuid AS beneficiary_id, max(row_no::int) AS row_no
      FROM newest JOIN list_import i USING (ordinal) JOIN import_part t USING (import_id),
           jsonb_each_text(COALESCE(t.told -> 'refused_people', '{}')) AS told (who, row_no) GROUP BY 1),
earlier AS (SELECT max(period) AS period FROM list_row WHERE payer = :payer AND source = :source AND period < :period)
SELECT r.source, r.record, r.period, r.beneficiary_id, r.area, r.benefit_code, r.declared_vnd, d.choice, d.reason, d.ended_on, d.actor,
       f.row_no AS refused_row, r.state, r.row_no AS last_row, (SELECT at FROM list_import l WHERE l.import_id = r.import_id) AS last_handed_at
  FROM newest, list_row r JOIN source_record s ON (s.source, s.record) = (r.source, r.record)
  LEFT JOIN refused f ON f.beneficiary_id = COALESCE((SELECT survivor_id FROM merged m WHERE m.beneficiary_id = r.beneficiary_id), r.beneficiary_id)
  LEFT JOIN gone_decision d ON (d.source, d.record, d.period) = (r.source, r.record, :period)
 WHERE r.payer = :payer AND r.source = :source AND r.import_id IS NOT NULL AND newest.ordinal IS NOT NULL
   AND (r.state = 'active' OR d.choice IS NOT NULL)
   AND NOT EXISTS (SELECT FROM person p WHERE p.beneficiary_id = r.beneficiary_id AND p.erased_at IS NOT NULL)
   AND ((r.period = :period AND (s.sequence < newest.ordinal OR d.choice IS NOT NULL))
        OR (r.period = (SELECT period FROM earlier)
            AND NOT EXISTS (SELECT FROM list_row n WHERE n.period = :period AND n.benefit_code = r.benefit_code
                               AND n.beneficiary_id IN (r.beneficiary_id, (SELECT survivor_id FROM merged m
                                                                            WHERE m.beneficiary_id = r.beneficiary_id)))))
 ORDER BY r.period DESC, r.record;

-- name: undecided^
-- How many rows of an open list its newest full files do not have any more, with nobody's decision.
WITH newest AS (
    SELECT source, max(ordinal) AS ordinal FROM list_import
     WHERE kind = 'payroll' AND state = 'done' AND is_full AND undone_by IS NULL AND period = :period AND payer = :payer
     GROUP BY source)
SELECT count(*) AS rows
  FROM newest JOIN list_row r ON r.source = newest.source AND r.period = :period AND r.payer = :payer
  JOIN source_record s ON (s.source, s.record) = (r.source, r.record)
 WHERE r.state = 'active' AND r.import_id IS NOT NULL AND s.sequence < newest.ordinal
   AND NOT EXISTS (SELECT FROM gone_decision d WHERE (d.source, d.record, d.period) = (r.source, r.record, r.period));

-- name: save_gone!
-- What a person decided, record by record.
INSERT INTO gone_decision (source, record, period, payer, choice, reason, ended_on, import_id, actor, at)
SELECT :source::text, record, :period::text, :payer::text, choice, reason, ended_on, :import_id::uuid, :actor::text, :at::timestamptz
  FROM unnest(:records::text[], :choices::text[], :reasons::text[], :days::date[]) AS decided (record, choice, reason, ended_on);

-- name: keep_rows_before!
-- Rows and records as a file finds them; where there is nothing yet, nothing is kept.
INSERT INTO import_before (import_id, source, record, period, row_then, digest)
SELECT :import_id::uuid, s.source, s.record, changed.period, to_jsonb(r), s.digest
  FROM unnest(:sources::text[], :records::text[], :periods::text[]) AS changed (source, record, period)
  JOIN source_record s ON (s.source, s.record) = (changed.source, changed.record)
  LEFT JOIN list_row r ON (r.source, r.record, r.period) = (changed.source, changed.record, changed.period)
 WHERE changed.period = '' OR r.record IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: keep_people_before!
-- People as a file finds them.
INSERT INTO person_before (import_id, beneficiary_id, person_then)
SELECT :import_id::uuid, beneficiary_id, to_jsonb(person) FROM person WHERE beneficiary_id = ANY(:ids::uuid[])
ON CONFLICT DO NOTHING;

-- name: import_to_undo^
-- A file and what became of it.
SELECT import_id, ordinal, kind, source, payer, period, state, undone_by FROM list_import WHERE import_id = :import_id FOR UPDATE;

-- name: applied_of_import
-- The statements of a file that took effect, in the order of its rows.
SELECT row_no, record, beneficiary_id FROM source_event
 WHERE import_id = :import_id AND row_no > :after AND fate = 'applied' ORDER BY row_no LIMIT :most;

-- name: rows_with_before
-- Rows of these records as they are, with what a file found there.
SELECT r.source, r.record, r.period, r.beneficiary_id, r.payer, r.area, r.line, r.end_reason, r.row_no, r.import_id, b.row_then
  FROM list_row r LEFT JOIN import_before b
    ON b.import_id = :import_id AND (b.source, b.record, b.period) = (r.source, r.record, r.period)
 WHERE r.source = :source AND r.period = :period AND r.record = ANY(:records::text[]);

-- name: records_with_before
-- These records as they are, with the digest a file found.
SELECT s.record, s.beneficiary_id, s.sequence, s.digest, b.digest AS digest_then
  FROM source_record s LEFT JOIN import_before b
    ON b.import_id = :import_id AND b.source = s.source AND b.record = s.record AND b.period = :period
 WHERE s.source = :source AND s.record = ANY(:records::text[]);

-- name: people_then
-- People as a file found them, of whom nobody has said anything since and whose number then is nobody else's now.
SELECT was.* FROM person_before b CROSS JOIN LATERAL jsonb_populate_record(NULL::person, b.person_then) AS was
 WHERE b.import_id = :import_id AND b.beneficiary_id = ANY(:ids::uuid[])
   AND NOT EXISTS (SELECT FROM source_event e
                    WHERE e.beneficiary_id = b.beneficiary_id AND e.fate = 'applied' AND e.import_id IS DISTINCT FROM :import_id
                      AND e.kind <> 'import_undone'
                      AND e.id > (SELECT max(m.id) FROM source_event m
                                   WHERE m.beneficiary_id = b.beneficiary_id AND m.import_id = :import_id))
   AND NOT EXISTS (SELECT FROM person o WHERE o.number_ix = was.number_ix AND o.beneficiary_id <> was.beneficiary_id)
 ORDER BY b.beneficiary_id;

-- name: people_by_id
-- People as they are.
SELECT * FROM person WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: withdraw_waiting!
-- Statements of a file that still wait and that no other file said.
DELETE FROM waiting w USING source_event e
 WHERE e.import_id = :import_id AND e.fate = 'no_person' AND (w.source, w.record) = (e.source, e.record) AND w.sequence = 0
   AND NOT EXISTS (SELECT FROM source_event o WHERE o.source = e.source AND o.record = e.record AND o.fate = 'no_person'
                                                AND o.import_id <> :import_id);

-- name: mark_undone!
-- The file names its undoing.
UPDATE list_import SET undone_by = :undone_by WHERE import_id = :import_id AND undone_by IS NULL;

-- name: payer_of_import^
-- Whose file it is.
SELECT payer FROM list_import WHERE import_id = :import_id;

-- name: listed
-- Which of these records of a source stand, or stood, on a list of a payer.
SELECT DISTINCT record FROM list_row WHERE source = :source AND payer = :payer AND record = ANY(:records::text[]);
