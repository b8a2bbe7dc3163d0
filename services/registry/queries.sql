-- name: one_registrar_at_a_time^
-- Held to the end of the transaction. One person may come through two partitions and a file at once; two registrars would make them twice.
-- A registrar looks everything up by its key: a plan made while a table is small must not go on reading it whole when it is large.
SELECT pg_advisory_xact_lock(4731) IS NULL AS waited, set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true);

-- name: known_people
-- Everybody these records or these blind indexes may mean.
SELECT p.* FROM person p JOIN (
    SELECT beneficiary_id FROM source_record WHERE (source, record) IN (SELECT * FROM unnest(:sources::text[], :records::text[]))
    UNION
    SELECT beneficiary_id FROM person WHERE number_ix = ANY(:number_ixs::bytea[])
    UNION
    SELECT beneficiary_id FROM person WHERE old_number_ix = ANY(:old_number_ixs::bytea[])
    UNION
    SELECT beneficiary_id FROM person WHERE name_birth_ix = ANY(:name_birth_ixs::bytea[])
    UNION
    SELECT beneficiary_id FROM person WHERE name_place_ix = ANY(:name_place_ixs::bytea[])
    UNION
    SELECT beneficiary_id FROM person WHERE name_area_ix = ANY(:name_area_ixs::bytea[])
) meant USING (beneficiary_id)
ORDER BY p.beneficiary_id;

-- name: people_whose_day_passed
-- Of whom readers were told what is over since: that they cannot have an account (told as of the day they were kept), or another's account by
-- a paper while their own is set aside. Once they are kept again nobody finds them.
WITH passed AS MATERIALIZED (
    SELECT beneficiary_id FROM person
     WHERE cannot_reason IS NOT NULL AND cannot_until < :today AND cannot_until >= (changed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
    UNION
    SELECT beneficiary_id FROM person WHERE aside IS NOT NULL AND paper_until < :today
)
SELECT p.* FROM passed JOIN person p USING (beneficiary_id)
 WHERE beneficiary_id > :after AND NOT EXISTS (SELECT FROM merged m WHERE m.beneficiary_id = p.beneficiary_id)
 ORDER BY beneficiary_id LIMIT :most;

-- name: known_records
-- The records of these people and their last statements that took effect.
SELECT source, record, beneficiary_id, sequence, digest FROM source_record WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: known_rows
-- What the records of these people say for a period and later ones; and what these records said under an id that is erased since.
SELECT source, record, period, beneficiary_id, payer, area, line, end_reason, row_no FROM list_row
 WHERE beneficiary_id = ANY(:ids::uuid[]) AND period >= :since AND state = 'active'
 UNION ALL
SELECT source, record, period, beneficiary_id, payer, area, line, end_reason, row_no FROM list_row
 WHERE beneficiary_id = ANY(:ids::uuid[]) AND period >= :since AND state = 'ended'
 UNION ALL
SELECT source, record, period, beneficiary_id, payer, area, line, end_reason, row_no FROM list_row
 WHERE (SELECT EXISTS (SELECT FROM person WHERE erased_at IS NOT NULL))
   AND (source, record) IN (SELECT * FROM unnest(:sources::text[], :records::text[])) AND period >= :since
   AND beneficiary_id <> ALL(:ids::uuid[]);

-- name: closed_lists
-- Lists of a period and later that nothing changes any more.
SELECT period, payer FROM payroll_list WHERE state <> 'open' AND period >= :since;

-- name: save_people!
-- Changed people; the caller holds the registrars' lock and raised n where published content changed.
INSERT INTO person SELECT * FROM unnest(:people::person[])
ON CONFLICT (beneficiary_id) DO UPDATE
   SET epoch = EXCLUDED.epoch, n = EXCLUDED.n, payer = EXCLUDED.payer, area = EXCLUDED.area, life = EXCLUDED.life,
       died_on = EXCLUDED.died_on, wish = EXCLUDED.wish, wish_reason = EXCLUDED.wish_reason,
       account_source = EXCLUDED.account_source, home_delivery = EXCLUDED.home_delivery, cannot_reason = EXCLUDED.cannot_reason,
       cannot_until = EXCLUDED.cannot_until, collector_from = EXCLUDED.collector_from, collector_until = EXCLUDED.collector_until,
       identity = EXCLUDED.identity, payee = EXCLUDED.payee, delivery = EXCLUDED.delivery, collector = EXCLUDED.collector,
       contact = EXCLUDED.contact, identity_digest = EXCLUDED.identity_digest, account_digest = EXCLUDED.account_digest,
       delivery_digest = EXCLUDED.delivery_digest, number_ix = EXCLUDED.number_ix, old_number_ix = EXCLUDED.old_number_ix,
       name_birth_ix = EXCLUDED.name_birth_ix, name_place_ix = EXCLUDED.name_place_ix, name_area_ix = EXCLUDED.name_area_ix, changed_at = EXCLUDED.changed_at,
       circumstances = EXCLUDED.circumstances, birth_year = EXCLUDED.birth_year, moved_out_on = EXCLUDED.moved_out_on,
       paper_from = EXCLUDED.paper_from, paper_until = EXCLUDED.paper_until, aside = EXCLUDED.aside;

-- name: save_records!
-- Whose records these are and how far they have got.
INSERT INTO source_record SELECT * FROM unnest(:records::source_record[])
ON CONFLICT (source, record) DO UPDATE
   SET beneficiary_id = EXCLUDED.beneficiary_id, sequence = EXCLUDED.sequence, digest = EXCLUDED.digest;

-- name: save_rows!
-- Lines of open lists, in the order given.
INSERT INTO list_row SELECT * FROM unnest(:rows::list_row[])
ON CONFLICT (source, record, period) DO UPDATE
   SET beneficiary_id = EXCLUDED.beneficiary_id, payer = EXCLUDED.payer, area = EXCLUDED.area,
       benefit_code = EXCLUDED.benefit_code, declared_vnd = EXCLUDED.declared_vnd, line = EXCLUDED.line, state = EXCLUDED.state,
       end_reason = EXCLUDED.end_reason, import_id = COALESCE(EXCLUDED.import_id, list_row.import_id),
       row_no = COALESCE(EXCLUDED.row_no, list_row.row_no);

-- name: somebody_waits^
-- Whether anything waits for a person at all: most of the time nothing does.
SELECT EXISTS (SELECT FROM waiting WHERE kid IS NULL) AS waits;

-- name: waiting_for
-- What waited for these people, or came before the first statement of these records; a record's whole queue, in order.
SELECT w.source, w.record, w.sequence, w.sealed FROM waiting w
 WHERE w.kid IS NULL AND (w.source, w.record) IN (
    SELECT source, record FROM waiting WHERE number_ix = ANY(:number_ixs::bytea[])
    UNION SELECT source, record FROM waiting WHERE old_number_ix = ANY(:old_number_ixs::bytea[])
    UNION SELECT source, record FROM waiting WHERE name_birth_ix = ANY(:name_birth_ixs::bytea[])
    UNION SELECT * FROM unnest(:sources::text[], :records::text[]))
 ORDER BY w.source, w.record, w.sequence;

-- name: waiting
-- A page of what waits, the longest first, and whether for a person or for a content key; how many wait on all pages.
SELECT w.*, a.waiting FROM (SELECT count(*) AS waiting FROM waiting) a LEFT JOIN LATERAL (
    SELECT source, record, sequence, CASE WHEN kid IS NULL THEN 'person' ELSE 'key' END AS waits_for, since FROM waiting
     WHERE :after_since::timestamptz IS NULL
        OR (since, source, record, sequence) > (:after_since::timestamptz, :after_source::text, :after_record::text, :after_sequence::bigint)
     ORDER BY since, source, record, sequence LIMIT :most) w ON true
 ORDER BY w.since, w.source, w.record, w.sequence;

-- name: waiting_for_key
-- What waited for a content key.
SELECT source, record, sequence, sealed FROM waiting WHERE kid = ANY(:kids::text[]) ORDER BY source, record, sequence;

-- name: save_waiting!
-- Keep statements until they can take effect; the same one again changes nothing.
INSERT INTO waiting SELECT * FROM unnest(:waiting::waiting[])
ON CONFLICT (source, record, sequence) DO NOTHING;

-- name: end_waiting!
-- These have found their person or their key.
DELETE FROM waiting WHERE (source, record, sequence) IN (
    SELECT * FROM unnest(:sources::text[], :records::text[], :sequences::bigint[]));

-- name: content_keys
-- The keys of these lists.
SELECT kid, sealed FROM content_key WHERE kid = ANY(:kids::text[]);

-- name: save_content_keys!
-- A list's content key, once.
INSERT INTO content_key (kid, sealed, since) SELECT row.*, :at::timestamptz FROM unnest(:kids::text[], :sealeds::text[]) AS row
ON CONFLICT (kid) DO NOTHING;

-- name: open_lists!
-- Lists somebody speaks of; one that is known stays as it is.
INSERT INTO payroll_list (period, payer, state) SELECT period, payer, 'open'
  FROM unnest(:periods::text[], :payers::text[]) AS row (period, payer)
ON CONFLICT (period, payer) DO NOTHING;

-- name: declare!
-- What an upstream says its part adds up to; its latest word holds.
INSERT INTO list_declaration (period, payer, source, sequence, count, vnd)
SELECT * FROM unnest(:periods::text[], :payers::text[], :sources::text[], :sequences::bigint[], :counts::int[], :vnds::bigint[])
ON CONFLICT (period, payer, source) DO UPDATE SET sequence = EXCLUDED.sequence, count = EXCLUDED.count, vnd = EXCLUDED.vnd
  WHERE list_declaration.sequence < EXCLUDED.sequence;

-- name: leave_imports!
-- Another file for the same list has come: what was left half taken is not finished any more.
UPDATE list_import SET state = 'left'
 WHERE state = 'running' AND kind = :kind AND source = :source AND payer = :payer AND period IS NOT DISTINCT FROM :period
   AND sha256 <> :sha256;

-- name: begin_import!
-- A file begins; its ordinal is the sequence of its rows. One that is being taken stays as it is.
INSERT INTO list_import (import_id, kind, source, payer, period, sha256, actor, at, is_full)
VALUES (:import_id, :kind, :source, :payer, :period, :sha256, :actor, :at, :is_full)
ON CONFLICT (kind, source, payer, COALESCE(period, ''), sha256) WHERE state = 'running' DO NOTHING;

-- name: running_import^
-- The file that is being taken.
SELECT import_id, ordinal FROM list_import
 WHERE state = 'running' AND kind = :kind AND source = :source AND payer = :payer AND period IS NOT DISTINCT FROM :period
   AND sha256 = :sha256;

-- name: parts_of_import
-- Where the parts that are taken end.
SELECT upto_row FROM import_part WHERE import_id = :import_id ORDER BY part_no;

-- name: lock_import^
-- The file, ours until the transaction ends; nothing when it is not being taken any more.
SELECT import_id FROM list_import WHERE import_id = :import_id AND state = 'running' FOR UPDATE;

-- name: count_parts^
-- How many parts of a file are taken.
SELECT count(*) AS parts FROM import_part WHERE import_id = :import_id;

-- name: save_part!
-- A part of a file is taken.
INSERT INTO import_part (import_id, part_no, upto_row, told) VALUES (:import_id, :part_no, :upto_row, :told::jsonb);

-- name: people_with
-- People of ours whom these rows may mean, by number, old number, or name with the whole birth date.
WITH rows AS (
    SELECT * FROM unnest(:row_nos::int[], :number_ixs::bytea[], :old_number_ixs::bytea[], :name_birth_ixs::bytea[])
        AS r (row_no, number_ix, old_number_ix, name_birth_ix)
), meant AS (
    SELECT r.row_no, p.beneficiary_id FROM rows r JOIN person p USING (number_ix)
    UNION
    SELECT r.row_no, p.beneficiary_id FROM rows r JOIN person p USING (old_number_ix)
    UNION
    SELECT r.row_no, p.beneficiary_id FROM rows r JOIN person p USING (name_birth_ix)
)
SELECT COALESCE(m.survivor_id, beneficiary_id) AS beneficiary_id, max(row_no) AS row_no
  FROM meant LEFT JOIN merged m USING (beneficiary_id) GROUP BY 1;

-- name: told_of_part^
-- What was told of a part.
SELECT told FROM import_part WHERE import_id = :import_id AND part_no = :part_no;

-- name: end_import!
-- What became of the file's rows.
UPDATE list_import SET state = 'done', row_count = :row_count, accepted = :accepted, unchanged = :unchanged, refused = :refused,
       waiting = :waiting, declared_vnd = :declared_vnd
 WHERE import_id = :import_id AND state = 'running';

-- name: half_taken^
-- Whether a file of this list is taken only in part.
SELECT EXISTS (SELECT FROM list_import WHERE state = 'running' AND kind <> 'accounts' AND period = :period AND payer = :payer) AS half;

-- name: lock_list^
-- The list as it stands, ours until the transaction ends.
SELECT state, digest, programmes, frozen_source, frozen_record, closed_at FROM payroll_list
 WHERE period = :period AND payer = :payer FOR UPDATE;

-- name: lists_closing
-- Lists whose closing has begun and not ended.
SELECT period, payer FROM payroll_list WHERE state = 'closing' ORDER BY period, payer;

-- name: rows_to_freeze
-- The next active rows of a list with what is known of their person. The line's area is where the person lives now, as long as this payer
-- pays.
SELECT r.source, r.record, r.beneficiary_id, CASE WHEN p.payer = r.payer THEN p.area ELSE r.area END AS area, r.line, p.epoch, p.n,
       p.identity, p.circumstances
  FROM list_row r JOIN person p USING (beneficiary_id)
 WHERE r.period = :period AND r.payer = :payer AND r.state = 'active' AND (r.source, r.record) > (:source, :record)
 ORDER BY r.source, r.record LIMIT :most;

-- name: undeclared
-- Sources whose declared totals are not what we hold: rows, plus enrolments that were refused. Who was put onto another payer's list by a
-- decision about their commune counts where upstream listed them.
SELECT d.source FROM list_declaration d
  LEFT JOIN LATERAL (SELECT count(*) AS count, COALESCE(sum(vnd), 0) AS vnd FROM (
                         SELECT r.declared_vnd AS vnd FROM list_row r
                          WHERE r.period = d.period AND r.payer = d.payer AND r.source = d.source
                            AND r.end_reason IS DISTINCT FROM 'import_undone'
                            AND NOT EXISTS (SELECT FROM area_case c WHERE (c.source, c.record, c.period) = (r.source, r.record, r.period)
                                                                      AND c.fate = 'applied' AND c.payer <> r.payer)
                         UNION ALL
                         SELECT r.declared_vnd FROM area_case c JOIN list_row r USING (source, record, period)
                          WHERE c.period = d.period AND c.payer = d.payer AND c.source = d.source AND c.fate = 'applied'
                            AND r.payer <> c.payer) listed) held ON true
  LEFT JOIN LATERAL (SELECT count(*) AS count, COALESCE(sum(vnd), 0) AS vnd FROM (
                         SELECT DISTINCT ON (e.record) e.declared_vnd AS vnd FROM source_event e
                          WHERE e.period = d.period AND e.payer = d.payer AND e.source = d.source AND e.fate = 'refused'
                            AND e.import_id IS NULL
                            AND NOT EXISTS (SELECT FROM list_row r WHERE r.source = e.source AND r.record = e.record
                                                                    AND r.period = e.period)
                          ORDER BY e.record, e.id DESC) last) refused ON true
 WHERE d.period = :period AND d.payer = :payer
   AND (d.count, d.vnd) IS DISTINCT FROM (held.count + refused.count, (held.vnd + refused.vnd)::bigint);

-- name: begin_closing!
-- From now on nothing changes the list; nothing of it is frozen yet. What waits for a decision about its commune stays out, and is counted.
UPDATE payroll_list SET state = 'closing', count = 0, vnd = 0, digest = :digest, programmes = '[]', closed_by = :actor,
       (area_held, area_held_vnd) = (SELECT count(*), COALESCE(sum(declared_vnd), 0)::bigint FROM area_case c
                                      WHERE c.period = :period AND c.payer = :payer AND c.fate IS NULL)
 WHERE period = :period AND payer = :payer AND state = 'open';

-- name: save_totals!
-- What is frozen so far adds up to this; with a time the list is closed.
UPDATE payroll_list SET state = CASE WHEN :at::timestamptz IS NULL THEN 'closing' ELSE 'closed' END, count = :count, vnd = :vnd,
       digest = :digest, programmes = :programmes::jsonb, frozen_source = :source, frozen_record = :record, closed_at = :at
 WHERE period = :period AND payer = :payer AND state = 'closing';

-- name: freeze_lines!
-- The lines as they are published: each is its row, copied, with what is known of the person.
INSERT INTO entitlement_line (entitlement_id, beneficiary_id, period, payer, area, epoch, n, declared_vnd, line, source, record, ages,
                              circumstances)
SELECT frozen.entitlement_id, r.beneficiary_id, r.period, r.payer, frozen.area, frozen.epoch, frozen.n, r.declared_vnd, r.line,
       r.source, r.record, frozen.ages, frozen.circumstances
  FROM unnest(:ids::uuid[], :areas::text[], :epochs::int[], :ns::int[], :sources::text[], :records::text[], :ages::text[],
              :circumstances::text[])
       AS frozen (entitlement_id, area, epoch, n, source, record, ages, circumstances)
  JOIN list_row r ON (r.source, r.record, r.period) = (frozen.source, frozen.record, :period);

-- name: list_totals^
-- A list with its rows by state and what was refused of its files and events; what waits for a decision about its commune, now and when
-- it closed.
SELECT l.period, l.payer, l.state, l.count, l.vnd, l.digest, l.programmes, l.closed_at, l.closed_by, l.area_held, l.area_held_vnd,
       (SELECT count(*) FROM area_case c WHERE c.period = l.period AND c.payer = l.payer AND c.fate IS NULL) AS area_waiting,
       (SELECT COALESCE(sum(declared_vnd), 0)::bigint FROM area_case c
         WHERE c.period = l.period AND c.payer = l.payer AND c.fate IS NULL) AS area_waiting_vnd,
       (SELECT count(*) FROM list_row r WHERE r.period = l.period AND r.payer = l.payer AND r.state = 'active') AS active_rows,
       (SELECT COALESCE(sum(declared_vnd), 0)::bigint FROM list_row r
         WHERE r.period = l.period AND r.payer = l.payer AND r.state = 'active') AS active_vnd,
       (SELECT count(*) FROM list_row r WHERE r.period = l.period AND r.payer = l.payer AND r.state = 'ended') AS ended_rows,
       (SELECT COALESCE(sum(declared_vnd), 0)::bigint FROM list_row r
         WHERE r.period = l.period AND r.payer = l.payer AND r.state = 'ended') AS ended_vnd,
       (SELECT count(DISTINCT beneficiary_id) FROM list_row r
         WHERE r.period = l.period AND r.payer = l.payer AND r.state = 'active') AS people
  FROM payroll_list l WHERE l.period = :period AND l.payer = :payer;

-- name: list_imports
-- The files of a payer, newest first.
SELECT import_id, kind, source, period, state, sha256, actor, at, is_full, undone_by, row_count, accepted, unchanged, refused, waiting,
       declared_vnd
  FROM list_import WHERE payer = :payer AND (period IS NULL OR period = :period) ORDER BY ordinal DESC LIMIT 20;

-- name: save_verified!
-- Newer results; an older one changes nothing, and nothing is kept of erased people.
INSERT INTO verified SELECT * FROM unnest(:results::verified[]) AS told
 WHERE NOT EXISTS (SELECT FROM person p WHERE p.beneficiary_id = told.beneficiary_id AND p.erased_at IS NOT NULL)
ON CONFLICT (beneficiary_id) DO UPDATE
   SET result_seq = EXCLUDED.result_seq, outcome = EXCLUDED.outcome, account = EXCLUDED.account,
       identity_digest = EXCLUDED.identity_digest, account_digest = EXCLUDED.account_digest, checked_at = EXCLUDED.checked_at
 WHERE verified.result_seq < EXCLUDED.result_seq;

-- name: save_payments!
-- Newer states of payments; an older one changes nothing.
INSERT INTO payment SELECT * FROM unnest(:payments::payment[])
ON CONFLICT (instruction_id) DO UPDATE
   SET state_seq = EXCLUDED.state_seq, state = EXCLUDED.state, provider = EXCLUDED.provider, channel = EXCLUDED.channel,
       periods = EXCLUDED.periods, attempt = EXCLUDED.attempt, vnd = EXCLUDED.vnd, reason = EXCLUDED.reason, at = EXCLUDED.at
 WHERE payment.state_seq < EXCLUDED.state_seq;

-- name: save_texts!
-- Further states of texts; one that is not further changes nothing.
INSERT INTO text SELECT * FROM unnest(:texts::public.text[])
ON CONFLICT (message_id) DO UPDATE
   SET beneficiary_ids = EXCLUDED.beneficiary_ids, status = EXCLUDED.status, rank = EXCLUDED.rank, at = EXCLUDED.at
 WHERE text.rank < EXCLUDED.rank;

-- name: person^
-- What may be shown of a person: nothing personal.
SELECT beneficiary_id, epoch, n, payer, area, life, died_on, wish, wish_reason, account_source, home_delivery, cannot_reason,
       cannot_until, collector_from, collector_until, paper_from, paper_until, account_digest IS NOT NULL AS has_account, contact IS NOT NULL AS has_phone,
       number_ix IS NOT NULL AS has_number, changed_at, erased_at
  FROM person WHERE beneficiary_id = :beneficiary_id;

-- name: events_of_person
-- Every statement about a person with its fate.
SELECT source, record, sequence, kind, fate, reason, notes, period, declared_vnd, import_id, row_no, at FROM source_event
 WHERE beneficiary_id = :beneficiary_id ORDER BY id;

-- name: rows_of_person
-- What a person's records say, period by period.
SELECT source, record, period, payer, area, benefit_code, declared_vnd, state, end_reason FROM list_row
 WHERE (beneficiary_id = :beneficiary_id AND state = 'active') OR (beneficiary_id = :beneficiary_id AND state = 'ended')
 ORDER BY period, source, record;

-- name: lines_of_person
-- A person's frozen lines.
SELECT entitlement_id, period, payer, area, n, declared_vnd FROM entitlement_line
 WHERE beneficiary_id = :beneficiary_id ORDER BY period, entitlement_id;

-- name: verified_of_person^
-- What verification says.
SELECT result_seq, outcome, account, checked_at FROM verified WHERE beneficiary_id = :beneficiary_id;

-- name: payments_of_person
-- A person's payments.
SELECT instruction_id, state_seq, state, provider, channel, periods, attempt, vnd, reason, at FROM payment
 WHERE beneficiary_id = :beneficiary_id ORDER BY at, instruction_id;

-- name: texts_of_person
-- Texts that served a person.
SELECT message_id, campaign, round, status, at FROM text WHERE beneficiary_ids @> ARRAY[:beneficiary_id::uuid] ORDER BY at, message_id;

-- name: record^
-- Whose record this is.
SELECT source, record, beneficiary_id, sequence FROM source_record WHERE source = :source AND record = :record;

-- name: events_of_record
-- Every statement of a record with its fate, and what still waits.
SELECT sequence, kind, fate, reason, notes, beneficiary_id, import_id, row_no, at FROM source_event
 WHERE source = :source AND record = :record ORDER BY id;

-- name: snapshots_after
-- People as readers know them. Who could not have an account is judged on the day of the last change, as when it was told.
SELECT beneficiary_id, epoch, n, payer, area, life, died_on, moved_out_on, wish, account_source, home_delivery,
       cannot_reason IS NOT NULL
           AND COALESCE(cannot_until >= (changed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, true) AS cannot,
       identity, payee, delivery, contact, identity_digest, account_digest, delivery_digest, m.survivor_id AS merged_into, erased_at
  FROM person LEFT JOIN merged m USING (beneficiary_id) WHERE beneficiary_id > :after ORDER BY beneficiary_id LIMIT :most;

-- name: raise_epoch!
-- The people of one page, under the epoch of a restored database.
UPDATE person SET epoch = :epoch
 WHERE epoch < :epoch
   AND beneficiary_id IN (SELECT beneficiary_id FROM person WHERE beneficiary_id > :after ORDER BY beneficiary_id LIMIT :most);

-- name: lines_after
-- Frozen lines as they were published.
SELECT entitlement_id, beneficiary_id, period, payer, area, epoch, n, declared_vnd, line, ages, circumstances
  FROM entitlement_line WHERE entitlement_id > :after ORDER BY entitlement_id LIMIT :most;

-- name: closings_after
-- Closed lists as they were published.
SELECT period, payer, count, vnd, digest, programmes, closed_at FROM payroll_list
 WHERE state = 'closed' AND (period, payer) > (:period, :payer) ORDER BY period, payer LIMIT :most;
