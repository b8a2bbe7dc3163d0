-- name: paid_beyond_what_was_owed
-- What reached people of a line for a month after the last one they were owed, so far not claimed back. Of two days of death told the later
-- counts. Who moved out is owed no more by the payer they left; months another payer paid are not in question. `old_pays_month_of_move`: a setting.
WITH dead AS (
    SELECT beneficiary_id, max(died_on) AS died_on
      FROM (SELECT beneficiary_id, died_on FROM person WHERE life = 'dead'
            UNION ALL SELECT beneficiary_id, died_on FROM verdict WHERE outcome = 'dead') AS told
     WHERE died_on IS NOT NULL GROUP BY beneficiary_id
), fact AS (
    SELECT beneficiary_id, 'DEAD' AS reason, died_on AS fact_on, to_char(died_on, 'YYYY-MM') AS through, NULL AS payer FROM dead
    UNION ALL
    SELECT beneficiary_id, 'MOVED_OUT', moved_out_on,
           to_char(moved_out_on - CASE WHEN :old_pays_month_of_move THEN interval '0' ELSE interval '1 month' END, 'YYYY-MM'), payer
      FROM person WHERE moved_out_on IS NOT NULL AND NOT EXISTS (SELECT FROM dead WHERE dead.beneficiary_id = person.beneficiary_id)
)
SELECT l.entitlement_id, i.instruction_id, l.beneficiary_id, l.period, l.payer, l.content, il.vnd, fact.reason, fact.fact_on, fact.through,
       (SELECT b.period FROM batch b WHERE b.batch_id = i.batch_id) AS payroll,
       (SELECT coalesce(sum(o.vnd), 0)::bigint FROM recovery_case o WHERE o.entitlement_id = l.entitlement_id) AS claimed_vnd
  FROM fact
  JOIN line l ON l.beneficiary_id = fact.beneficiary_id AND l.period > fact.through AND l.payer = coalesce(fact.payer, l.payer)
  JOIN instruction_line il ON il.entitlement_id = l.entitlement_id AND il.live
  JOIN instruction i ON i.instruction_id = il.instruction_id AND i.state IN ('paid', 'collected')
 WHERE NOT EXISTS (SELECT FROM recovery_case k WHERE k.entitlement_id = l.entitlement_id AND k.instruction_id = i.instruction_id)
 ORDER BY l.entitlement_id, i.instruction_id;

-- name: open_cases
-- Cases that are not known yet, each with its posting; returns the new ones.
WITH opened AS (
    INSERT INTO recovery_case (case_id, entitlement_id, instruction_id, beneficiary_id, period, payer, vnd, reason, fact_on, opened_at)
    SELECT row.*, :at FROM unnest(:ids::uuid[], :lines::uuid[], :payments::uuid[], :people::uuid[], :periods::text[], :payers::text[],
                                  :vnds::bigint[], :reasons::text[], :days::date[]) AS row
    ON CONFLICT DO NOTHING RETURNING case_id
), booked AS (
    INSERT INTO recovery_posting (posting_id, case_id, payer, debit, credit, vnd, at)
    SELECT row.posting_id, row.case_id, row.payer, :debit::text, :credit::text, row.vnd, :at
      FROM unnest(:postings::uuid[], :ids::uuid[], :payers::text[], :vnds::bigint[]) AS row (posting_id, case_id, payer, vnd)
      JOIN opened USING (case_id) ORDER BY row.case_id
    RETURNING case_id
)
SELECT case_id FROM booked ORDER BY case_id;

-- name: cases_that_came_back
-- Open cases whose payment its provider gave back.
SELECT k.case_id, k.instruction_id, k.period, k.payer, k.vnd FROM recovery_case k JOIN instruction i USING (instruction_id)
 WHERE k.ended_at IS NULL AND i.state = 'returned' ORDER BY k.case_id;

-- name: post_recovery
-- The posting that ends a case; a second time it is not new.
INSERT INTO recovery_posting (posting_id, case_id, payer, debit, credit, vnd, at)
VALUES (:posting_id, :case_id, :payer, :debit, :credit, :vnd, :at) ON CONFLICT (posting_id) DO NOTHING RETURNING posting_id;

-- name: end_as_came_back!
-- Nothing is out any more.
UPDATE recovery_case SET ending = 'came_back', ended_at = :at WHERE case_id = :case_id AND ended_at IS NULL;

-- name: recovery_case^
-- One case, locked, with the payroll that paid it.
SELECT case_id, instruction_id, period, payer, vnd, owner, ending, why, proposed_by, ended_at,
       (SELECT b.period FROM instruction i JOIN batch b USING (batch_id) WHERE i.instruction_id = recovery_case.instruction_id) AS payroll
  FROM recovery_case WHERE case_id = :case_id FOR UPDATE;

-- name: own_recovery!
-- Somebody looks after a case.
UPDATE recovery_case SET owner = :actor, owned_at = :at WHERE case_id = :case_id;

-- name: propose_ending!
-- How a case would end; a new proposal replaces the last.
UPDATE recovery_case SET ending = :ending, why = :why, proposed_by = :actor, proposed_at = :at, proposed_token = :token WHERE case_id = :case_id;

-- name: approve_ending!
-- The second signature ends a case.
UPDATE recovery_case SET approved_by = :actor, approved_at = :at, approved_token = :token, ended_at = :at WHERE case_id = :case_id;

-- name: shown_recoveries
-- Cases, oldest first.
SELECT case_id, entitlement_id, instruction_id, beneficiary_id, period, payer, vnd, reason, fact_on, opened_at, owner, ending, why,
       proposed_by, approved_by, ended_at FROM recovery_case
 WHERE (NOT :open::boolean OR ended_at IS NULL) AND (:payer::text IS NULL OR payer = :payer) ORDER BY opened_at, case_id LIMIT :most;

-- name: counted_recoveries
-- Open cases and VND per payer.
SELECT payer, count(*) AS count, sum(vnd)::bigint AS vnd, min(opened_at) AS since FROM recovery_case WHERE ended_at IS NULL
 GROUP BY payer ORDER BY payer;
