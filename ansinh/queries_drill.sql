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
       delivery_digest FROM person
 WHERE erased_at IS NULL AND beneficiary_id IN (SELECT beneficiary_id FROM line WHERE payer = $2
                             AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2));

-- name: drill_verdict
-- payout: what verification says of them now.
SELECT beneficiary_id, result_seq, identity_digest, account_digest, outcome, died_on, account, checked_at FROM verdict
 WHERE beneficiary_id IN (SELECT beneficiary_id FROM line WHERE payer = $2
                             AND period IN (SELECT $1 UNION ALL SELECT joined FROM payroll_join WHERE period = $1 AND payer = $2));

-- name: built_then
-- payout: the lists that were really built first.
SELECT provider, count, vnd FROM batch WHERE period = :period AND payer = :payer AND round = 1 ORDER BY provider;

-- name: unsent
-- payout: messages that lie in an outbox, per topic.
SELECT topic, count(*) AS count FROM outbox GROUP BY topic ORDER BY topic;

-- name: create_statement^
-- Quoted by the server: CREATE DATABASE takes no parameters.
SELECT format('CREATE DATABASE %I', :database::text) AS statement;
