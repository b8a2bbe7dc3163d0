-- name: anybody_split^
-- Whether any enrolment ever waited for a decision: most of the time none has.
SELECT EXISTS (SELECT FROM area_case) AS split;

-- name: replace_cases!
-- What these records say of a period is listed anew: nobody has to place what they said before. A file's row about somebody who was nobody of
-- ours yet waits under a name of its own: it is known by whom it named.
UPDATE area_case c SET fate = 'replaced', reason = NULL, beneficiary_id = COALESCE(c.beneficiary_id, said.beneficiary_id)
  FROM (SELECT * FROM unnest(:sources::text[], :records::text[], :periods::text[], :codes::text[], :subjects::bytea[], :who::uuid[])
            AS row (source, record, period, benefit_code, subject, beneficiary_id)) said
 WHERE (c.source, c.period) = (said.source, said.period) AND c.fate IS DISTINCT FROM 'replaced'
   AND (c.record = said.record OR c.fate IS NULL AND c.benefit_code = said.benefit_code AND c.subject = said.subject);

-- name: save_cases!
-- Enrolments that wait for a decision; a newer word of the same record takes the place of an older one.
INSERT INTO area_case (case_id, source, record, period, benefit_code, sequence, payer, declared_vnd, old_area, old_until, since, codes,
                       beneficiary_id, subject, sealed, import_id, row_no, found_at)
SELECT row.case_id, row.source, row.record, row.period, row.benefit_code, row.sequence, row.payer, row.declared_vnd, row.old_area,
       row.old_until, row.since, string_to_array(row.codes, ','), row.beneficiary_id, row.subject, row.sealed,
       CASE WHEN row.row_no IS NOT NULL THEN :import_id::uuid END, row.row_no, :at::timestamptz
  FROM unnest(:case_ids::uuid[], :sources::text[], :records::text[], :periods::text[], :benefit_codes::text[], :sequences::bigint[],
              :payers::text[], :vnds::bigint[], :old_areas::text[], :old_untils::date[], :sinces::date[], :codes::text[],
              :who::uuid[], :subjects::bytea[], :sealeds::text[], :row_nos::int[])
       AS row (case_id, source, record, period, benefit_code, sequence, payer, declared_vnd, old_area, old_until, since, codes,
               beneficiary_id, subject, sealed, row_no)
ON CONFLICT (source, record, period, benefit_code) DO UPDATE
   SET sequence = EXCLUDED.sequence, payer = EXCLUDED.payer, declared_vnd = EXCLUDED.declared_vnd, old_area = EXCLUDED.old_area,
       old_until = EXCLUDED.old_until, since = EXCLUDED.since, codes = EXCLUDED.codes, beneficiary_id = EXCLUDED.beneficiary_id,
       subject = EXCLUDED.subject, sealed = EXCLUDED.sealed, import_id = EXCLUDED.import_id, row_no = EXCLUDED.row_no, fate = NULL,
       reason = NULL
 WHERE area_case.sequence <= EXCLUDED.sequence;

-- name: withdraw_cases!
-- A file is undone: nobody has to place its rows.
UPDATE area_case SET fate = 'replaced' WHERE import_id = :import_id AND fate IS NULL;

-- name: decided
-- What was decided of these people and keys.
SELECT old_area, old_until, since, beneficiary_id, subject, area FROM area_decision
 WHERE beneficiary_id = ANY(:ids::uuid[]) OR subject = ANY(:subjects::bytea[]);

-- name: cases_waiting
-- Enrolments that wait for a decision, page by page. Nothing personal.
SELECT case_id, period, payer, old_area, old_until, codes, beneficiary_id, benefit_code, declared_vnd, import_id, row_no, found_at
  FROM area_case
 WHERE fate IS NULL AND (:payer::text IS NULL OR payer = :payer) AND case_id > :after
 ORDER BY case_id LIMIT :most;

-- name: cases_too_late
-- Enrolments that were placed when the list had closed, whose month no later line of the person carries yet.
SELECT c.case_id, c.period, d.area, c.beneficiary_id, c.benefit_code, c.declared_vnd, d.decider, d.decided_at
  FROM area_case c JOIN area_decision d ON (d.old_area, d.old_until, d.since) = (c.old_area, c.old_until, c.since)
                                       AND (d.subject = c.subject OR d.beneficiary_id = c.beneficiary_id)
 WHERE c.reason = 'LIST_CLOSED' AND c.case_id > :after
   AND NOT EXISTS (SELECT FROM list_row r WHERE r.beneficiary_id = c.beneficiary_id AND r.benefit_code = c.benefit_code AND r.state = 'active'
                      AND (r.line -> 'unpaid' -> 'periods' ? c.period OR r.line -> 'arrears' -> 'periods' ? c.period))
 ORDER BY c.case_id LIMIT :most;

-- name: lock_cases
-- These cases, ours until the transaction ends, with what was decided of who they are about.
SELECT c.case_id, c.source, c.record, c.period, c.payer, c.old_area, c.old_until, c.since, c.codes, c.subject, c.beneficiary_id, c.sealed, c.fate,
       d.area
  FROM area_case c LEFT JOIN area_decision d ON (d.old_area, d.old_until, d.since) = (c.old_area, c.old_until, c.since)
                                            AND (d.subject = c.subject OR d.beneficiary_id = c.beneficiary_id)
 WHERE c.case_id = ANY(:ids::uuid[]) ORDER BY c.case_id FOR UPDATE OF c;

-- name: cases_like
-- The waiting cases of everybody these cases are about.
SELECT DISTINCT c.case_id FROM area_case named JOIN area_case c
    ON (c.old_area, c.old_until, c.since) = (named.old_area, named.old_until, named.since) AND c.fate IS NULL
   AND (c.subject = named.subject OR c.beneficiary_id = named.beneficiary_id)
 WHERE named.case_id = ANY(:ids::uuid[]);

-- name: payers_of_cases
-- Whose lists these cases stand on.
SELECT case_id, payer, period FROM area_case WHERE case_id = ANY(:ids::uuid[]);

-- name: save_decisions!
-- Where people live who lived in a unit that was split.
INSERT INTO area_decision (case_id, old_area, old_until, since, codes, area, evidence, beneficiary_id, subject, decider, decider_token,
                           decided_at)
SELECT c.case_id, c.old_area, c.old_until, c.since, c.codes, said.area, said.evidence, c.beneficiary_id, c.subject, :decider::text,
       :token::text, :at::timestamptz
  FROM unnest(:ids::uuid[], :areas::text[], :evidences::text[]) AS said (case_id, area, evidence) JOIN area_case c USING (case_id)
ON CONFLICT DO NOTHING;

-- name: end_cases!
-- What became of enrolments that were placed, and whose they are.
UPDATE area_case c SET fate = done.fate, reason = done.reason, beneficiary_id = COALESCE(done.beneficiary_id, c.beneficiary_id)
  FROM (SELECT * FROM unnest(:ids::uuid[], :fates::text[], :reasons::text[], :who::uuid[])
            AS row (case_id, fate, reason, beneficiary_id)) done
 WHERE c.case_id = done.case_id;

-- name: sealed_case^
-- One enrolment as it was said, sealed; none of an erased person.
SELECT source, record, payer, sealed FROM area_case WHERE case_id = :case_id AND sealed IS NOT NULL;

-- name: held_at_closing^
-- What of a list waited for a decision when it closed.
SELECT area_held AS count, area_held_vnd AS vnd FROM payroll_list WHERE period = :period AND payer = :payer;
