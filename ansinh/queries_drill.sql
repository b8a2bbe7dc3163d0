-- name: drill_line
-- payout: the frozen lines of one payer's list, and of those that are paid with it.
SELECT entitlement_id, beneficiary_id, period, payer, area, programme, declared_vnd, content, content_sha256, ages, circumstances FROM line
 WHERE payer = $2 AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2);

-- name: drill_closing
-- payout: their closings.
SELECT period, payer, count, vnd, digest, content, closed_at FROM closing
 WHERE payer = $2 AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2);

-- name: drill_payroll
-- payout: a payroll that nothing was built of yet.
SELECT period, payer FROM payroll
 WHERE payer = $2 AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2);

-- name: drill_payroll_join
-- payout: which months are paid with it.
SELECT period, payer, joined, joined_by, joined_at, token FROM payroll_join WHERE period = $1 AND payer = $2;

-- name: drill_person
-- payout: the people on it as they are known now.
SELECT beneficiary_id, epoch, n, payer, area, life, died_on, wish, home_delivery, payee, delivery, bank_bin, identity_digest, account_digest,
       delivery_digest, account_source, paper_scope, paper_from, paper_until, merged, moved_out_on FROM person
 WHERE erased_at IS NULL AND beneficiary_id IN (SELECT beneficiary_id FROM line WHERE payer = $2
                             AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2));

-- name: drill_verdict
-- payout: what verification says of them now.
SELECT beneficiary_id, result_seq, identity_digest, account_digest, outcome, died_on, account, checked_at FROM verdict
 WHERE beneficiary_id IN (SELECT beneficiary_id FROM line WHERE payer = $2
                             AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2));

-- name: drill_opened_period
-- payout: its months, where they were opened for budgets.
SELECT period, opened_by, opened_at, token FROM opened_period
 WHERE period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2);

-- name: drill_budget_sheet
-- payout: the budget in force of each.
SELECT sheet_sha256, period, payer, version, proposed_by, proposed_at, proposed_token FROM budget_sheet s
 WHERE EXISTS (SELECT FROM budget_confirmation c WHERE c.sheet_sha256 = s.sheet_sha256 AND c.version = (
                   SELECT max(version) FROM budget_confirmation n WHERE n.period = c.period AND n.payer = c.payer))
   AND payer = $2 AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2);

-- name: drill_budget_row
-- payout: what those budgets give each programme.
SELECT sheet_sha256, programme, r.vnd FROM budget_row r JOIN budget_confirmation c USING (sheet_sha256)
 WHERE c.version = (SELECT max(version) FROM budget_confirmation n WHERE n.period = c.period AND n.payer = c.payer)
   AND c.payer = $2 AND c.period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2);

-- name: drill_budget_confirmation
-- payout: who confirmed them. Nothing of them is spent yet.
SELECT sheet_sha256, period, payer, version, proposed_by, confirmed_by, confirmed_at, confirmed_token FROM budget_confirmation c
 WHERE version = (SELECT max(version) FROM budget_confirmation n WHERE n.period = c.period AND n.payer = c.payer)
   AND payer = $2 AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2);

-- name: built_then
-- payout: the lists that were really built first.
SELECT provider, count, vnd FROM batch WHERE period = :period AND payer = :payer AND round = 1 ORDER BY provider;

-- name: unsent
-- payout: messages that lie in an outbox, per topic.
SELECT topic, count(*) AS count FROM outbox GROUP BY topic ORDER BY topic;

-- name: create_statement^
-- Quoted by the server: CREATE DATABASE takes no parameters.
SELECT format('CREATE DATABASE %I', :database::text) AS statement;
