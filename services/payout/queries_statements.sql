-- name: take_statement_turns^
-- Files of one provider are kept and booked one after another, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'statements', :provider::text), 0));

-- name: statement_file^
-- A file by its provider and hash.
SELECT file_id, provider, kind, message_id, state, refusal, lines, to_on, received_at, received_by, booked_at FROM statement_file
 WHERE provider = :provider AND sha256 = :sha256;

-- name: statement_file_by_id^
-- A file by its id.
SELECT file_id, provider, sha256, kind, message_id, state, refusal, lines, to_on, received_at, received_by, booked_at FROM statement_file
 WHERE file_id = :file_id;

-- name: message_taken^
-- Whether another file under this provider's message id was taken.
SELECT count(*) AS count FROM statement_file
 WHERE provider = :provider AND kind = :kind AND message_id = :message_id AND sha256 <> :sha256 AND state <> 'refused';

-- name: save_statement_file!
-- A file as it was received or refused. One that was refused is judged anew when it comes again.
INSERT INTO statement_file (file_id, provider, sha256, size, received_at, received_by, state, refusal, kind, message_id, to_on, lines)
VALUES (:file_id, :provider, :sha256, :size, :at, :actor, :state, :refusal, :kind, :message_id, :to_on, :lines)
ON CONFLICT (file_id) DO UPDATE
   SET received_at = EXCLUDED.received_at, received_by = EXCLUDED.received_by, state = EXCLUDED.state, refusal = EXCLUDED.refusal,
       kind = EXCLUDED.kind, message_id = EXCLUDED.message_id, to_on = EXCLUDED.to_on, lines = EXCLUDED.lines
 WHERE statement_file.state = 'refused';

-- name: add_statement_parts!
-- Sealed parts of a file; a refused one that comes again has them already.
INSERT INTO statement_part (file_id, part, sealed)
SELECT :file_id, part, sealed FROM unnest(:parts::int[], :sealed::text[]) AS row (part, sealed) ON CONFLICT DO NOTHING;

-- name: add_statement_lines!
-- What the lines of a file say. They wait to be booked.
INSERT INTO statement_line (file_id, line, kind, end_to_end_id, batch_id, vnd, booked_on, code, reason, bank_ref, account_ix, ours_ix, from_ix,
                            fault)
SELECT :file_id, row.* FROM unnest(:lines::int[], :kinds::text[], :ids::text[], :batches::uuid[], :vnds::bigint[], :days::date[],
                                   :codes::text[], :reasons::text[], :refs::text[], :accounts::bytea[], :ours::bytea[], :sources::bytea[],
                                   :faults::text[]) AS row;

-- name: add_statement_spans!
-- The accounts a file is about, each with the day up to which all its bookings stand in it.
INSERT INTO statement_span (file_id, account_ix, to_on)
SELECT :file_id, account_ix, to_on FROM unnest(:accounts::bytea[], :days::date[]) AS row (account_ix, to_on);

-- name: claimed_batches
-- Batches a status report claims to answer, as we sent them.
SELECT batch_id, period, payer, provider, sent_count, sent_vnd FROM batch WHERE batch_id = ANY(:ids::uuid[]);

-- name: ids_of_ours^
-- How many of these ids name payments of this provider.
SELECT count(*) AS count FROM instruction WHERE provider = :provider AND end_to_end_id = ANY(:ids::text[]);

-- name: waiting_files
-- Files that were kept and are not booked to their end.
SELECT file_id, provider FROM statement_file WHERE state = 'received' ORDER BY received_at, file_id;

-- name: waiting_lines
-- The next lines of a file without a fate.
SELECT line, kind, end_to_end_id, batch_id, vnd, booked_on, code, bank_ref, account_ix, from_ix, fault FROM statement_line
 WHERE file_id = :file_id AND fate IS NULL ORDER BY line LIMIT :most;

-- name: told_payments
-- Payments with these ids: through whom, on which list, of how much, not before which day; the payee where the account is still the same.
SELECT i.instruction_id, i.batch_id, i.end_to_end_id, i.provider, i.vnd, i.beneficiary_id, i.state, b.period, b.payer,
       coalesce(b.told_on, greatest(b.execution_date, (b.sent_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) AS execution_on,
       CASE WHEN i.account_digest = p.account_digest THEN p.payee END AS payee
  FROM instruction i JOIN batch b USING (batch_id) LEFT JOIN person p USING (beneficiary_id)
 WHERE i.end_to_end_id = ANY(:ids::text[]);

-- name: earlier_bookings
-- What files of one kind have already named of these ids and was believed, in this file or before it.
SELECT l.end_to_end_id, l.file_id = :file_id AS same_file, l.line, l.kind, l.bank_ref, l.booked_on
  FROM statement_line l JOIN statement_file f USING (file_id)
 WHERE l.end_to_end_id = ANY(:ids::text[]) AND l.fate IN ('applied', 'repeat') AND f.provider = :provider AND f.kind = :kind;

-- name: set_fates!
-- What became of lines.
UPDATE statement_line l SET fate = row.fate, break_id = row.break_id
  FROM unnest(:lines::int[], :fates::text[], :breaks::uuid[]) AS row (line, fate, break_id)
 WHERE l.file_id = :file_id AND l.line = row.line;

-- name: mark_booked!
-- Every line of a file has its fate.
UPDATE statement_file SET state = 'booked', booked_at = :at WHERE file_id = :file_id AND state = 'received';

-- name: fates_of_file
-- What became of the lines of a file: count and VND.
SELECT coalesce(fate, 'waits') AS fate, kind, count(*) AS count, coalesce(sum(vnd), 0)::bigint AS vnd FROM statement_line
 WHERE file_id = :file_id GROUP BY 1, 2 ORDER BY 1, 2;

-- name: funding_of_file
-- What a file says we were funded with, per account of ours: count and VND.
SELECT ours_ix, count(*) AS count, sum(vnd)::bigint AS vnd FROM statement_line WHERE file_id = :file_id AND fate = 'funding' GROUP BY 1 ORDER BY 1;

-- name: funding_of_payroll
-- What we were funded with on the accounts that a payroll was debited from, in the month up to the last day a provider was told: count and VND.
-- Only of whole statements, a booking that two of them name once.
SELECT provider, ours_ix, count(*) AS count, sum(vnd)::bigint AS vnd
  FROM (SELECT DISTINCT b.provider, l.ours_ix, l.booked_on, l.vnd, coalesce(l.bank_ref, concat_ws(' ', l.file_id, l.line)) AS booking
          FROM (SELECT provider, debtor_ix, (min(told_on) - interval '1 month')::date AS after, max(told_on) AS until FROM batch
                 WHERE period = :period AND payer = :payer AND told_on IS NOT NULL AND (:provider::text IS NULL OR provider = :provider)
                 GROUP BY 1, 2) b
          JOIN statement_line l ON l.ours_ix = b.debtor_ix AND l.fate = 'funding' AND l.booked_on > b.after AND l.booked_on <= b.until
          JOIN statement_file f ON f.file_id = l.file_id AND f.provider = b.provider AND f.kind IN ('camt.053', 'mt940')) once
 GROUP BY 1, 2 ORDER BY 1, 2;

-- name: shown_statement_files
-- The newest files.
SELECT file_id, provider, sha256, kind, message_id, state, refusal, lines, to_on, received_at, received_by, booked_at FROM statement_file
 ORDER BY received_at DESC, file_id LIMIT 200;

-- name: open_breaks
-- Breaks that are new, each with the posting that puts its amount into question. Returns their ids.
WITH told AS (
    SELECT * FROM unnest(:ids::uuid[], :types::text[], :providers::text[], :vnds::bigint[], :end_to_end_ids::text[], :instructions::uuid[],
                         :batches::uuid[], :files::uuid[], :lines::int[], :postings::uuid[])
                  AS row (break_id, type, provider, vnd, end_to_end_id, instruction_id, batch_id, file_id, line, posting_id)
), opened AS (
    INSERT INTO break_item (break_id, type, provider, vnd, end_to_end_id, instruction_id, batch_id, file_id, line, opened_at)
    SELECT break_id, type, provider, vnd, end_to_end_id, instruction_id, batch_id, file_id, line, :at FROM told
    ON CONFLICT (break_id) DO NOTHING RETURNING break_id
), posted AS (
    INSERT INTO break_posting (posting_id, break_id, debit, credit, vnd, at)
    SELECT posting_id, break_id, concat_ws(chr(58), 'breaks', provider), concat_ws(chr(58), 'statement', provider), vnd, :at
      FROM told WHERE break_id IN (SELECT break_id FROM opened)
)
SELECT break_id FROM opened;

-- name: shown_breaks
-- Breaks, oldest first: what they are about, who owns them, how they ended. Open ones only, or all.
SELECT k.break_id, k.type, k.provider, k.vnd, k.end_to_end_id, k.batch_id, b.period, b.payer, k.file_id, k.line, l.ours_ix, k.opened_at, k.owner, k.owned_at,
       k.remedy, k.proposed_by, k.proposed_at, k.approved_by, k.approved_at
  FROM break_item k LEFT JOIN batch b USING (batch_id) LEFT JOIN statement_line l ON (l.file_id, l.line) = (k.file_id, k.line)
 WHERE (NOT :open::boolean OR k.approved_by IS NULL) AND (:provider::text IS NULL OR k.provider = :provider)
   AND (:type::text IS NULL OR k.type = :type)
 ORDER BY k.opened_at, k.break_id LIMIT :most;

-- name: counted_breaks
-- Open breaks per provider and type: count, VND, the oldest.
SELECT provider, type, count(*) AS count, sum(vnd)::bigint AS vnd, min(opened_at) AS oldest FROM break_item
 WHERE approved_by IS NULL GROUP BY 1, 2 ORDER BY 1, 2;

-- name: break_item^
-- One break, locked.
SELECT k.*, l.kind AS said, l.booked_on, l.code, f.sha256, b.period, b.payer FROM break_item k LEFT JOIN batch b USING (batch_id)
  LEFT JOIN statement_line l ON (l.file_id, l.line) = (k.file_id, k.line) LEFT JOIN statement_file f ON f.file_id = k.file_id
 WHERE k.break_id = :break_id FOR UPDATE OF k;

-- name: own_break!
-- Somebody looks after a break from now on.
UPDATE break_item SET owner = :actor, owned_at = :at WHERE break_id = :break_id;

-- name: propose_remedy!
-- How its owner would end a break.
UPDATE break_item SET remedy = :remedy, proposed_by = :actor, proposed_at = :at, proposed_token = :token WHERE break_id = :break_id;

-- name: post_break!
-- The posting that ends a break.
INSERT INTO break_posting (posting_id, break_id, debit, credit, vnd, at) VALUES (:posting_id, :break_id, :debit, :credit, :vnd, :at);

-- name: approve_remedy!
-- The second person agrees: the break ends by its posting.
UPDATE break_item SET approved_by = :actor, approved_at = :at, approved_token = :token, posting_id = :posting_id WHERE break_id = :break_id;

-- name: sent_batches
-- The batches of a payroll that were sent: as signed, as the ledger put them into flight, as their files count them, as the payments stand,
-- and what files of providers prove of them.
SELECT b.batch_id, b.provider, b.round, b.state, b.sent_count, b.sent_vnd, flown.vnd AS flown_vnd, told.count AS file_count, told.vnd AS file_vnd,
       stood.paid_count, stood.paid_vnd, stood.dead_count, stood.dead_vnd, stood.open_count, stood.open_vnd,
       proven.paid_count AS proven_count, proven.paid_vnd AS proven_vnd, proven.back_count, proven.back_vnd, proven.unproven_count,
       (SELECT count(*) FROM break_item k WHERE k.batch_id = b.batch_id AND k.approved_by IS NULL) AS open_breaks,
       (SELECT max(s.to_on) FROM statement_span s JOIN statement_file f USING (file_id)
         WHERE f.provider = b.provider AND f.state = 'booked' AND s.account_ix = b.debtor_ix) AS statements_to
  FROM batch b
  CROSS JOIN LATERAL (SELECT coalesce(sum(p.vnd), 0)::bigint AS vnd FROM posting p JOIN instruction i USING (instruction_id)
                       WHERE i.batch_id = b.batch_id AND p.debit = concat_ws(chr(58), 'in_flight', b.provider)) flown
  CROSS JOIN LATERAL (SELECT coalesce(sum(f.count), 0)::bigint AS count, coalesce(sum(f.vnd), 0)::bigint AS vnd FROM file f
                       WHERE f.batch_id = b.batch_id
                         AND (f.kind IN ('pain.001', 'postal_list') OR (f.kind = 'transfer_csv' AND b.provider = 'post'))) told
  CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE state IN ('paid', 'collected')) AS paid_count,
             coalesce(sum(vnd) FILTER (WHERE state IN ('paid', 'collected')), 0)::bigint AS paid_vnd,
             count(*) FILTER (WHERE state IN ('rejected', 'returned', 'expired', 'cancelled')) AS dead_count,
             coalesce(sum(vnd) FILTER (WHERE state IN ('rejected', 'returned', 'expired', 'cancelled')), 0)::bigint AS dead_vnd,
             count(*) FILTER (WHERE state IN ('sending', 'accepted', 'issued', 'unknown')) AS open_count,
             coalesce(sum(vnd) FILTER (WHERE state IN ('sending', 'accepted', 'issued', 'unknown')), 0)::bigint AS open_vnd
        FROM instruction i WHERE i.batch_id = b.batch_id) stood
  CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE said.paid) AS paid_count, coalesce(sum(i.vnd) FILTER (WHERE said.paid), 0)::bigint AS paid_vnd,
             count(*) FILTER (WHERE said.back) AS back_count, coalesce(sum(i.vnd) FILTER (WHERE said.back), 0)::bigint AS back_vnd,
             count(*) FILTER (WHERE i.state IN ('paid', 'collected') AND said.paid IS NOT TRUE) AS unproven_count
        FROM instruction i
        CROSS JOIN LATERAL (SELECT bool_or(l.kind = 'paid') AS paid, bool_or(l.kind IN ('rejected', 'returned')) AS back FROM statement_line l
                             WHERE l.end_to_end_id = i.end_to_end_id AND l.fate IN ('applied', 'repeat')) said
       WHERE i.batch_id = b.batch_id) proven
 WHERE b.period = :period AND b.payer = :payer AND b.sent_at IS NOT NULL AND b.sent_count > 0
   AND (:provider::text IS NULL OR b.provider = :provider)
 ORDER BY b.round, b.provider;

-- name: missing_payments
-- Payments of a payroll that a bank was told and that a statement of the account they are debited from, whole up to a day well after
-- theirs, does not name as paid, though we hold them as paid or still wait.
SELECT i.instruction_id, i.batch_id, i.provider, i.vnd, i.end_to_end_id
  FROM batch b JOIN instruction i USING (batch_id)
 WHERE b.period = :period AND b.payer = :payer AND b.sent_at IS NOT NULL AND (:provider::text IS NULL OR b.provider = :provider)
   AND i.channel = 'account' AND i.state IN ('sending', 'accepted', 'unknown', 'paid')
   AND EXISTS (SELECT FROM statement_span s JOIN statement_file f USING (file_id)
                WHERE f.provider = b.provider AND f.state = 'booked' AND s.account_ix = b.debtor_ix AND s.to_on >= b.told_on + :days::int)
   AND NOT EXISTS (SELECT FROM statement_line l JOIN statement_file f USING (file_id)
                    WHERE l.end_to_end_id = i.end_to_end_id AND l.kind = 'paid' AND f.kind IN ('camt.053', 'mt940'));

-- name: files_of_batch
-- The files that told a provider of a batch, without what says the same for other eyes (prints, workbooks of transfers).
SELECT path, owner, sha256, kind, emptied_at IS NOT NULL AS is_emptied FROM file
 WHERE batch_id = :batch_id AND kind IN ('pain.001', 'postal_list', 'transfer_csv') ORDER BY path;

-- name: told_otherwise^
-- How many payments stand in the files of a batch and not in its list, the other way round, or with another amount.
SELECT count(*) AS count
  FROM unnest(:ids::text[], :vnds::bigint[]) AS told (end_to_end_id, vnd)
  FULL JOIN (SELECT end_to_end_id, vnd FROM instruction WHERE batch_id = :batch_id AND state <> 'withdrawn') i USING (end_to_end_id)
 WHERE told.vnd IS DISTINCT FROM i.vnd;
