-- name: ask_erasure!
-- Somebody asks that a person is erased.
INSERT INTO erasure (erasure_id, beneficiary_id, reason, requester, paper, asked_by, asked_token, asked_at)
VALUES (:erasure_id, :beneficiary_id, :reason, :requester, :paper, :actor, :token, :at);

-- name: erasure^
-- A request, ours until the transaction ends.
SELECT erasure_id, beneficiary_id, reason, asked_by, confirmed_at FROM erasure WHERE erasure_id = :erasure_id FOR UPDATE;

-- name: erasure_is_about^
-- Whom a request is about.
SELECT beneficiary_id FROM erasure WHERE erasure_id = :erasure_id;

-- name: erasure_waiting^
-- What waits for a second person about this one.
SELECT erasure_id FROM erasure WHERE beneficiary_id = :beneficiary_id AND confirmed_at IS NULL;

-- name: withdraw_erasure!
-- A request nobody confirmed.
DELETE FROM erasure WHERE erasure_id = :erasure_id AND confirmed_at IS NULL;

-- name: confirm_erasure!
-- A second person confirmed it.
UPDATE erasure SET confirmed_by = :actor, confirmed_token = :token, confirmed_at = :at, with_merged = :with_merged::uuid[]
 WHERE erasure_id = :erasure_id AND confirmed_at IS NULL;

-- name: erasures
-- Requests, the newest first: of one person or of all, waiting ones or all.
SELECT erasure_id, beneficiary_id, reason, requester, paper, asked_by, asked_at, confirmed_by, confirmed_at, with_merged FROM erasure
 WHERE (:beneficiary_id::uuid IS NULL OR beneficiary_id = :beneficiary_id OR :beneficiary_id = ANY (with_merged))
   AND (NOT :waiting::boolean OR confirmed_at IS NULL)
 ORDER BY ordinal DESC LIMIT :most;

-- name: payers_of_all
-- On whose lists these people are. No row: nobody is known under this id.
SELECT DISTINCT payer FROM person WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: merged_into
-- Who was merged into somebody.
SELECT beneficiary_id FROM merged WHERE survivor_id = :beneficiary_id ORDER BY beneficiary_id;

-- name: affairs^
-- How things stand with people who are erased together: see `erasing.Affairs`. A line is owed while no payment of its list has paid it, unless its
-- whole sum is for a month after a death; so is a payment that came back and was not made again under a later attempt, and what waits for a
-- place. Who waits is known by a blind index only.
SELECT bool_or(p.erased_at IS NOT NULL) AS is_erased,
       EXISTS (SELECT FROM merged m WHERE m.beneficiary_id = :beneficiary_id) AS is_merged_away,
       EXISTS (SELECT FROM list_row r JOIN payroll_list l USING (period, payer)
                WHERE r.beneficiary_id = ANY(:ids::uuid[]) AND l.state <> 'closed')
       OR EXISTS (SELECT FROM area_case c JOIN person o ON c.beneficiary_id = o.beneficiary_id
                                                        OR c.subject IN (o.number_ix, o.old_number_ix, o.name_birth_ix, o.name_place_ix)
                   WHERE c.fate IS NULL AND o.beneficiary_id = ANY(:ids::uuid[])) AS on_open_list,
       bool_or(p.life = 'alive' AND m.beneficiary_id IS NULL) AND EXISTS (
           SELECT FROM source_event e WHERE e.beneficiary_id = ANY(:ids::uuid[]) AND e.kind = 'enrolled' AND e.fate = 'applied'
              AND NOT EXISTS (SELECT FROM source_event f WHERE (f.source, f.record) = (e.source, e.record) AND f.id > e.id
                                 AND f.kind IN ('ended', 'import_undone') AND f.fate = 'applied')) AS runs,
       EXISTS (SELECT FROM payment m WHERE m.beneficiary_id = ANY(:ids::uuid[])
                  AND m.state NOT IN ('paid', 'collected', 'withdrawn', 'rejected', 'returned', 'expired', 'cancelled')) AS unsettled,
       EXISTS (SELECT FROM entitlement_line l JOIN person o USING (beneficiary_id)
                WHERE l.beneficiary_id = ANY(:ids::uuid[]) AND l.declared_vnd > 0
                  AND NOT (o.died_on IS NOT NULL AND l.period > to_char(o.died_on, 'YYYY-MM') AND l.line ->> 'benefit_code' NOT LIKE 'MT-%'
                           AND NOT l.line ?| '{arrears,unpaid}'::text[] AND coalesce((l.line ->> 'one_off_vnd')::bigint, 0) = 0)
                  AND NOT EXISTS (SELECT FROM payment m WHERE m.beneficiary_id = l.beneficiary_id AND m.payer = l.payer
                                     AND l.period = ANY(m.periods) AND m.state IN ('paid', 'collected', 'withdrawn')))
       OR EXISTS (SELECT FROM payment m WHERE m.beneficiary_id = ANY(:ids::uuid[])
                     AND m.state IN ('rejected', 'returned', 'expired', 'cancelled')
                     AND NOT EXISTS (SELECT FROM payment a WHERE a.beneficiary_id = m.beneficiary_id AND a.payer = m.payer
                                        AND a.attempt > m.attempt AND a.periods && m.periods
                                        AND a.state IN ('paid', 'collected', 'withdrawn'))) AS owed,
       (SELECT max(r.period) FROM list_row r WHERE r.beneficiary_id = ANY(:ids::uuid[])) AS last_period,
       (SELECT max(m.at) FROM payment m WHERE m.beneficiary_id = ANY(:ids::uuid[])) AS last_paid_at,
       EXISTS (SELECT FROM outbox o WHERE (o.xid, o.id) > (SELECT c.xid, c.id FROM outbox_cursor c) AND o.key = ANY(:ids::uuid[]::text[])) AS unpublished
  FROM person p LEFT JOIN merged m USING (beneficiary_id) WHERE p.beneficiary_id = ANY(:ids::uuid[]);

-- name: records_of
-- The records of these people.
SELECT source, record FROM source_record WHERE beneficiary_id = ANY(:ids::uuid[])
 UNION SELECT source, record FROM merged_record WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: keys_of_merged
-- Under which indexes merged-away people lead to who stays.
SELECT ix FROM merged_key WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_people!
-- Everything of these people that is theirs; whose list, which commune and until when stays with the money. Readers get a next version.
UPDATE person
   SET erased_at = :at, changed_at = :at, epoch = greatest(epoch, :epoch), n = n + 1, identity = NULL, payee = NULL, delivery = NULL,
       collector = NULL, contact = NULL, circumstances = NULL, identity_digest = NULL, account_digest = NULL, delivery_digest = NULL,
       number_ix = NULL, old_number_ix = NULL, name_birth_ix = NULL, name_place_ix = NULL, name_area_ix = NULL, birth_year = NULL, wish = 'none', wish_reason = NULL,
       account_source = NULL, home_delivery = false, cannot_reason = NULL, cannot_until = NULL, collector_from = NULL, collector_until = NULL,
       moved_out_on = NULL, paper_from = NULL, paper_until = NULL, aside = NULL
 WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_lines!
-- Circumstances on their frozen lines.
UPDATE entitlement_line SET circumstances = NULL WHERE beneficiary_id = ANY(:ids::uuid[]) AND circumstances IS NOT NULL;

-- name: erase_records!
-- What their records last said, as a keyed digest. How far a record has got stays: an older statement about it has no effect.
UPDATE source_record SET digest = '' WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_import_rows!
-- The same as files found it.
UPDATE import_before SET digest = '' WHERE (source, record) IN (SELECT * FROM unnest(:sources::text[], :records::text[]));

-- name: erase_cases!
-- What waited for their place, as it was said and whom it named.
UPDATE area_case SET subject = NULL, sealed = NULL
 WHERE fate IS NOT NULL AND (beneficiary_id = ANY(:ids::uuid[]) OR subject = ANY(:ixs::bytea[])
                             OR (source, record) IN (SELECT * FROM unnest(:sources::text[], :records::text[])));

-- name: erase_placings!
-- Under what they were placed; in which commune stays.
UPDATE area_decision d SET subject = NULL
 WHERE d.subject IS NOT NULL AND (d.beneficiary_id = ANY(:ids::uuid[])
       OR EXISTS (SELECT FROM area_case c WHERE c.case_id = d.case_id AND c.beneficiary_id = ANY(:ids::uuid[])));

-- name: erase_people_before!
-- How files found them.
DELETE FROM person_before WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_verified!
-- What verification said of them.
DELETE FROM verified WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_keys!
-- Under what they met others.
DELETE FROM person_key WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_merged_keys!
-- Under what they were found after a merge.
DELETE FROM merged_key WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_looked!
-- As what they were looked at.
DELETE FROM looked_at WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: erase_candidates!
-- Who they may have been.
DELETE FROM candidate WHERE one = ANY(:ids::uuid[]) OR other = ANY(:ids::uuid[]);

-- name: erase_sights!
-- What reviewers saw of them: their side of each pair.
UPDATE pair_sight SET one_digest = CASE WHEN one <> ALL(:ids::uuid[]) THEN one_digest END,
                      other_digest = CASE WHEN other <> ALL(:ids::uuid[]) THEN other_digest END
 WHERE one = ANY(:ids::uuid[]) OR other = ANY(:ids::uuid[]);

-- name: erase_apart!
-- The same of decisions that two are two.
UPDATE pair_apart SET one_digest = CASE WHEN one <> ALL(:ids::uuid[]) THEN one_digest END,
                      other_digest = CASE WHEN other <> ALL(:ids::uuid[]) THEN other_digest END
 WHERE one = ANY(:ids::uuid[]) OR other = ANY(:ids::uuid[]);

-- name: erase_unmatched!
-- Names under which their rows waited, which begin with a keyed index; only sources they have records of can have used them.
UPDATE source_event SET record = 'unmatched.erased' WHERE source = ANY(:sources::text[]) AND left(record, :length::int) = ANY(:names::text[]);

-- name: erase_waiting!
-- Statements about them that still wait are refused and gone.
WITH gone AS (
    DELETE FROM waiting WHERE number_ix = ANY(:numbers::bytea[]) OR (source, record) IN (SELECT * FROM unnest(:sources::text[], :records::text[]))
    RETURNING source, record, sequence
)
INSERT INTO source_event (source, record, sequence, kind, fate, reason, notes, at, known_at)
SELECT source, CASE WHEN record LIKE 'unmatched.%' THEN 'unmatched.erased' ELSE record END, sequence, 'erased', 'refused', 'PERSON_ERASED', '{}', :at::timestamptz, :at::timestamptz
  FROM gone;

-- name: save_erasure_events!
-- Their history ends here.
INSERT INTO source_event (source, record, sequence, kind, fate, notes, beneficiary_id, event_id, at, known_at)
SELECT 'registry', NULL, 0, 'erased', 'applied', '{}', who, :erasure_id::text, :at::timestamptz, :at::timestamptz FROM unnest(:ids::uuid[]) AS who;

-- name: erased_people
-- Erased people as readers are told of them.
SELECT beneficiary_id, epoch, n, payer, area, life, died_on, wish, erased_at, m.survivor_id AS merged_into
  FROM person LEFT JOIN merged m USING (beneficiary_id) WHERE beneficiary_id = ANY(:ids::uuid[]) ORDER BY beneficiary_id;
