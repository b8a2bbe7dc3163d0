-- name: prepare#
-- Loading only: no triggers and foreign keys (the checks then ask whether every promise holds), no waiting for the disk.
SET session_replication_role = replica;
SET synchronous_commit = off;

-- name: make_people!
-- Every database derives the same people from their number: ids, payer (blocks of equal size), way of payment and fate.
CREATE UNLOGGED TABLE seed AS
SELECT n, md5('person:' || n)::uuid AS id, md5(n::text) || md5('i' || n) AS identity, md5('a' || n) || md5('b' || n) AS account,
       'xa-' || lpad(((n - 1) / (:people / 100))::text, 3, '0') AS payer, (18000 + n % 216)::text AS area,
       CASE WHEN n % 1000 < 275 THEN 'bank-a' WHEN n % 1000 < 550 THEN 'bank-b' ELSE 'post' END AS provider,
       CASE WHEN n % 1000 >= 980 THEN 'held' WHEN n % 1000 < 5 THEN 'rejected' WHEN n % 1000 IN (275, 276) THEN 'returned'
            WHEN n % 1000 = 10 THEN 'unknown' WHEN n % 1000 = 30 THEN 'withdrawn' ELSE 'paid' END AS fate,
       CASE WHEN n % 20 = 7 THEN 2 ELSE 1 END AS lines
  FROM generate_series(1, :people::int) AS n;

-- name: make_lines!
-- Their lines: 5 in 100 people have two.
CREATE UNLOGGED TABLE seed_line AS
SELECT s.*, k, md5('line:' || n || ':' || k)::uuid AS line_id, 'rec-' || n || '-' || k AS record,
       CASE k WHEN 1 THEN 'social_assistance' ELSE 'merit' END AS programme, CASE k WHEN 1 THEN 500000 ELSE 2055000 END AS vnd
  FROM seed s CROSS JOIN LATERAL generate_series(1, s.lines) AS k;

-- name: make_payments!
-- Their payments: rejected ones are paid again by the post, as the second attempt of the second round.
CREATE UNLOGGED TABLE seed_payment AS
SELECT s.*, round, md5('pay:' || n || ':' || round)::uuid AS pay_id,
       md5('batch:' || payer || ':' || p.by || ':' || round)::uuid AS batch_id, p.by,
       upper(translate(substr(md5('e2e:' || n || ':' || round), 1, 16), '0189', 'wxyz')) AS e2e,
       CASE WHEN p.by <> 'post' THEN 'account' WHEN n % 10 = 3 THEN 'home' ELSE 'counter' END AS channel, t.vnd,
       CASE WHEN round = 1 AND fate <> 'paid' THEN fate WHEN p.by = 'post' THEN 'collected' ELSE 'paid' END AS state
  FROM seed s CROSS JOIN LATERAL generate_series(1, CASE fate WHEN 'rejected' THEN 2 ELSE 1 END) AS round
  CROSS JOIN LATERAL (SELECT CASE round WHEN 2 THEN 'post' ELSE provider END AS by) p
  CROSS JOIN LATERAL (SELECT 500000 + (lines - 1) * 2055000 AS vnd) t
 WHERE fate <> 'held';

-- name: find_seed#
-- They are joined by number.
CREATE INDEX seed_line_n ON seed_line (n);
ANALYZE seed, seed_line, seed_payment;

-- name: drop_seed#
-- The derived tables have served.
DROP TABLE IF EXISTS seed, seed_line, seed_payment;

-- name: fill_outbox!
-- Rows of one topic as long as real ones; the relay has published all of them.
INSERT INTO outbox (day, event_id, topic, key, type, at, payload)
SELECT '2024-02-01', md5(:topic || s.n || ':' || copy)::uuid, :topic, s.id::text, 'vn.ansinh.synthetic.v1', '2024-02-01Z', convert_to(repeat('x', :size), 'UTF8')
  FROM seed s CROSS JOIN generate_series(1, :copies::int) AS copy;

-- name: tell_payments!
-- What payout told of every payment: created, sending, answered.
INSERT INTO outbox (day, event_id, topic, key, type, at, payload)
SELECT '2024-02-01', md5('told:' || pay_id || told.seq)::uuid, 'payout.payment.v1', id::text, 'vn.ansinh.payout.payment.v1', '2024-02-01Z',
       convert_to(format('{"beneficiary_id":"%s","instruction_id":"%s","state_seq":%s,"state":"%s","provider":"%s","channel":"%s","periods":["2024-02"],"payer":"%s","attempt":%s,"vnd":%s}',
                         id, pay_id, told.seq, told.state, by, channel, payer, round, vnd), 'UTF8')
  FROM seed_payment CROSS JOIN LATERAL (VALUES
       (1, 'created', true), (2, 'withdrawn', state = 'withdrawn'), (3, 'sending', state <> 'withdrawn'),
       (4, CASE WHEN state IN ('unknown', 'rejected') THEN state WHEN by = 'post' THEN 'issued' ELSE 'accepted' END, state <> 'withdrawn'),
       (5, CASE state WHEN 'returned' THEN 'paid' ELSE state END, state IN ('paid', 'collected', 'returned')), (6, state, state = 'returned')
  ) AS told (seq, state, is_so) WHERE told.is_so;

-- name: publish_all!
-- The relay's cursor stands behind the last row.
UPDATE outbox_cursor SET (xid, id) = (SELECT xid, id FROM outbox ORDER BY xid DESC, id DESC LIMIT 1);

-- name: vacuum#
-- What autovacuum would have done by the next hour.
VACUUM (ANALYZE);

-- name: registry_people!
-- Registry's people.
INSERT INTO person (beneficiary_id, epoch, n, payer, area, life, wish, account_source, home_delivery, identity, payee, delivery, contact,
                    identity_digest, account_digest, delivery_digest, number_ix, name_birth_ix, changed_at)
SELECT id, 1, 2, payer, area, 'alive', CASE provider WHEN 'post' THEN 'none' ELSE 'account' END,
       CASE WHEN provider <> 'post' THEN 'bulk' END, false, 'v1.identity.' || repeat('x', 300), 'v1.payee.' || repeat('x', 250),
       'v1.delivery.' || repeat('x', 200), 'v1.contact.' || repeat('x', 100), identity, CASE WHEN provider <> 'post' THEN account END,
       account, decode(identity, 'hex'), decode(account, 'hex'), '2024-01-22Z' FROM seed;

-- name: registry_records!
-- Whose records they are.
INSERT INTO source_record (source, record, beneficiary_id, sequence, digest)
SELECT 'ministry', record, id, CASE WHEN k = 1 AND provider <> 'post' THEN 2 ELSE 1 END, account FROM seed_line;

-- name: registry_rows!
-- The rows of the open list.
INSERT INTO list_row (source, record, period, beneficiary_id, payer, area, benefit_code, declared_vnd, line, state)
SELECT 'ministry', record, '2024-02', id, payer, area, programme, vnd,
       jsonb_build_object('programme', programme, 'benefit_code', 'BT-5c', 'coefficient_hundredths', 100, 'monthly_vnd', vnd), 'active'
  FROM seed_line;

-- name: registry_events!
-- Every statement with its fate: enrolled, account registered, and one in twenty said twice.
INSERT INTO source_event (source, record, sequence, kind, fate, notes, beneficiary_id, period, payer, declared_vnd, event_id, at)
SELECT 'ministry', record, e.sequence, e.kind, e.fate, '{}', id, CASE e.kind WHEN 'enrol' THEN '2024-02' END, payer,
       CASE e.kind WHEN 'enrol' THEN vnd END, gen_random_uuid()::text, '2024-01-22Z'
  FROM seed_line CROSS JOIN LATERAL (VALUES (1, 'enrol', 'applied', true), (2, 'register_account', 'applied', k = 1 AND provider <> 'post'),
                                            (1, 'enrol', 'repeated', n % 20 = 0)) AS e (sequence, kind, fate, is_so) WHERE e.is_so;

-- name: registry_lists!
-- The closed lists.
INSERT INTO payroll_list (period, payer, state, count, vnd, digest, programmes, closed_at, closed_by)
SELECT '2024-02', payer, 'closed', count(*), sum(vnd), md5(payer) || md5(payer), '[]', '2024-01-24Z', 'officer' FROM seed_line GROUP BY payer;

-- name: registry_declarations!
-- What the upstream said they add up to.
INSERT INTO list_declaration (period, payer, source, sequence, count, vnd)
SELECT '2024-02', payer, 'ministry', 1, count(*), sum(vnd) FROM seed_line GROUP BY payer;

-- name: registry_lines!
-- The frozen lines.
INSERT INTO entitlement_line (entitlement_id, beneficiary_id, period, payer, area, epoch, n, declared_vnd, line, source, record)
SELECT line_id, id, '2024-02', payer, area, 1, 2, vnd,
       jsonb_build_object('programme', programme, 'benefit_code', 'BT-5c', 'coefficient_hundredths', 100, 'monthly_vnd', vnd), 'ministry', record
  FROM seed_line;

-- name: registry_verified!
-- What verification told.
INSERT INTO verified (beneficiary_id, result_seq, outcome, account, identity_digest, account_digest, checked_at)
SELECT id, 1, CASE fate WHEN 'held' THEN 'not_found' ELSE 'match' END, CASE WHEN provider <> 'post' THEN 'usable' END, identity,
       CASE WHEN provider <> 'post' THEN account END, '2024-01-23Z' FROM seed;

-- name: registry_payments!
-- What payout told: the last state of each payment.
INSERT INTO payment (instruction_id, beneficiary_id, state_seq, state, provider, channel, periods, payer, attempt, vnd, at)
SELECT pay_id, id, CASE WHEN state = 'withdrawn' THEN 2 WHEN state IN ('unknown', 'rejected') THEN 4 WHEN state = 'returned' THEN 6 ELSE 5 END,
       state, by, channel, '{2024-02}', payer, round, vnd, '2024-02-01Z' FROM seed_payment;

-- name: registry_texts!
-- What notify told.
INSERT INTO text (message_id, beneficiary_ids, campaign, round, status, rank, at)
SELECT md5('text:' || n)::uuid, ARRAY[id], 'tet', 1, 'delivered', 3, '2024-01-25Z' FROM seed WHERE provider = 'post' AND n % 2 = 0;

-- name: verification_register!
-- The replica of the population register.
INSERT INTO register (person_token, as_of, status, area, sealed, content_digest, number_ix, name_birth_ix)
SELECT 't' || n, '2024-01-20Z', 'alive', area, repeat('x', 300), identity, decode(identity, 'hex'), decode(account, 'hex')
  FROM seed WHERE fate <> 'held';

-- name: verification_people!
-- Verification's people.
INSERT INTO person (beneficiary_id, epoch, n, payer, identity, payee, identity_digest, account_digest, number_ix, name_birth_ix, person_token, result_seq)
SELECT id, 1, 2, payer, repeat('x', 300), repeat('x', 250), identity, CASE WHEN provider <> 'post' THEN account END, decode(identity, 'hex'),
       decode(account, 'hex'), CASE WHEN fate <> 'held' THEN 't' || n END, 1 FROM seed;

-- name: verification_verdicts!
-- Every result told.
INSERT INTO verdict (beneficiary_id, result_seq, identity_digest, account_digest, outcome, evidence, account, checked_at)
SELECT id, 1, identity, CASE WHEN provider <> 'post' THEN account END, CASE fate WHEN 'held' THEN 'not_found' ELSE 'match' END,
       '[{"field": "number", "finding": "equal"}, {"field": "name", "finding": "t1_equal"}, {"field": "birth_date", "finding": "equal"}]',
       CASE WHEN provider <> 'post' THEN 'usable' END, '2024-01-23Z' FROM seed;

-- name: payout_people!
-- Payout's people.
INSERT INTO person (beneficiary_id, epoch, n, payer, area, life, wish, home_delivery, payee, delivery, bank_bin, identity_digest, account_digest, delivery_digest)
SELECT id, 1, 2, payer, area, 'alive', CASE provider WHEN 'post' THEN 'none' ELSE 'account' END, false, repeat('x', 250), repeat('x', 200),
       CASE WHEN provider <> 'post' THEN '970405' END, identity, CASE WHEN provider <> 'post' THEN account END, account FROM seed;

-- name: payout_verdicts!
-- What verification told.
INSERT INTO verdict (beneficiary_id, result_seq, identity_digest, account_digest, outcome, account, checked_at)
SELECT id, 1, identity, CASE WHEN provider <> 'post' THEN account END, CASE fate WHEN 'held' THEN 'not_found' ELSE 'match' END,
       CASE WHEN provider <> 'post' THEN 'usable' END, '2024-01-23Z' FROM seed;

-- name: payout_lines!
-- The received lines.
INSERT INTO line (entitlement_id, beneficiary_id, period, payer, area, programme, declared_vnd, content, content_sha256)
SELECT line_id, id, '2024-02', payer, area, programme, vnd, repeat('x', 200), account FROM seed_line;

-- name: payout_closings!
-- The received closings.
INSERT INTO closing (period, payer, count, vnd, digest, content, closed_at)
SELECT '2024-02', payer, count(*), sum(vnd), md5(payer) || md5(payer), '{}', '2024-01-24Z' FROM seed_line GROUP BY payer;

-- name: payout_payrolls!
-- Built twice.
INSERT INTO payroll (period, payer, rounds) SELECT period, payer, 2 FROM closing;

-- name: payout_payments!
-- The payments as built.
INSERT INTO instruction (instruction_id, batch_id, beneficiary_id, part, attempt, provider, channel, area, vnd, end_to_end_id, account_digest)
SELECT pay_id, batch_id, id, 1, round, by, channel, area, vnd, e2e, CASE channel WHEN 'account' THEN account END FROM seed_payment;

-- name: payout_shares!
-- What each pays of each line.
INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd, live)
SELECT p.pay_id, l.line_id, p.round, l.vnd, p.state NOT IN ('rejected', 'returned', 'withdrawn') FROM seed_payment p JOIN seed_line l USING (n);

-- name: payout_batches!
-- Their lists, as drafts; hashed like services/payout/batch.py does, so that the full check can compare.
WITH said AS (
    SELECT i.batch_id, i.instruction_id, i.vnd, i.provider, i.attempt,
           format('%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s', i.end_to_end_id, i.instruction_id, i.beneficiary_id, i.part, i.attempt, i.provider,
                  i.channel, i.area, i.vnd, coalesce(i.account_digest, '-'),
                  string_agg(concat_ws(chr(58), il.entitlement_id, il.piece, il.vnd), ',' ORDER BY il.entitlement_id)) AS text
      FROM instruction i JOIN instruction_line il USING (instruction_id) GROUP BY i.instruction_id
), listed AS (
    SELECT batch_id, min(s.payer) AS payer, min(provider) AS provider, min(attempt) AS round, count(*) AS count, sum(vnd) AS vnd,
           count(*) FILTER (WHERE state <> 'withdrawn') AS sent_count, sum(vnd) FILTER (WHERE state <> 'withdrawn') AS sent_vnd,
           encode(sha256(convert_to(string_agg(text || chr(10), '' ORDER BY text COLLATE "C"), 'UTF8')), 'hex') AS sha256,
           encode(sha256(convert_to(string_agg(text || chr(10), '' ORDER BY text COLLATE "C") FILTER (WHERE state <> 'withdrawn'), 'UTF8')), 'hex') AS sent_sha256
      FROM said JOIN (SELECT pay_id AS instruction_id, payer, state FROM seed_payment) s USING (instruction_id) GROUP BY batch_id
)
INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date, state, sent_count, sent_vnd, sent_sha256, sent_at, received_at, completed_at)
SELECT batch_id, '2024-02', payer, provider, round, count, vnd, sha256, '2024-02-01', 'sent', sent_count, sent_vnd, sent_sha256, '2024-01-31Z', '2024-01-31Z', '2024-02-05Z'
  FROM listed;

-- name: payout_moves!
-- The payments as answered; one update, so that the table has the dead rows that moving leaves.
UPDATE instruction i SET state = s.state, reason = CASE s.state WHEN 'rejected' THEN 'AC04' END,
       state_seq = CASE WHEN s.state = 'withdrawn' THEN 2 WHEN s.state IN ('unknown', 'rejected') THEN 4 WHEN s.state = 'returned' THEN 6 ELSE 5 END
  FROM seed_payment s WHERE i.instruction_id = s.pay_id;

-- name: payout_settled!
-- Lists without an open payment.
UPDATE batch b SET state = 'settled' WHERE NOT EXISTS (SELECT FROM instruction i WHERE i.batch_id = b.batch_id AND i.state = 'unknown');

-- name: payout_approvals!
-- Four people on each list.
INSERT INTO approval (batch_id, step, actor, sha256, signed_sha256, token, at)
SELECT batch_id, step, 'the-' || step, sha256, CASE WHEN step <> 'make' THEN sha256 END, 'token', '2024-01-25Z'
  FROM batch CROSS JOIN unnest('{make,check,approve,release}'::text[]) AS step;

-- name: payout_held!
-- Lines that are not paid now, and rejected ones that were not for a while.
INSERT INTO held (entitlement_id, reason, vnd, since)
SELECT line_id, CASE fate WHEN 'held' THEN 'NOT_FOUND' ELSE 'WITHDRAWN' END, vnd, '2024-01-25Z' FROM seed_line WHERE fate IN ('held', 'withdrawn');

-- name: payout_withdrawal_lists!
-- One withdrawal list per payer, signed by two.
INSERT INTO withdrawal_list (list_sha256, period, payer, reason, proposed_by, proposed_at, proposed_token, confirmed_by, confirmed_at, confirmed_token)
SELECT md5('w' || payer), '2024-02', payer, 'LATE_DEATH', 'proposer', '2024-01-26Z', 'token', 'confirmer', '2024-01-26Z', 'token'
  FROM seed_payment WHERE state = 'withdrawn' GROUP BY payer;

-- name: payout_withdrawals!
-- And who is on it.
INSERT INTO withdrawal (instruction_id, list_sha256) SELECT pay_id, md5('w' || payer) FROM seed_payment WHERE state = 'withdrawn';

-- name: payout_postings!
-- The ledger: sent per programme, then paid, rejected or returned.
INSERT INTO posting (posting_id, instruction_id, period, payer, debit, credit, vnd, at)
SELECT md5('post:' || p.pay_id || e.debit || e.credit)::uuid, p.pay_id, '2024-02', p.payer, e.debit, e.credit, e.vnd, '2024-02-01Z'
  FROM seed_payment p CROSS JOIN LATERAL (
       SELECT 'in_flight:' || by, 'budget:' || programme, l.vnd FROM seed_line l WHERE l.n = p.n
       UNION ALL SELECT 'budget:' || programme, 'in_flight:' || by, l.vnd FROM seed_line l WHERE l.n = p.n AND p.state = 'rejected'
       UNION ALL SELECT 'paid', 'in_flight:' || by, p.vnd WHERE p.state IN ('paid', 'collected', 'returned')
       UNION ALL SELECT 'returned', 'paid', p.vnd WHERE p.state = 'returned'
  ) AS e (debit, credit, vnd) WHERE p.state <> 'withdrawn';

-- name: payout_links!
-- Each posting is a link of its payer's chain.
INSERT INTO ledger_link (payer, seq, posting_id, sha256)
SELECT p.payer, row_number() OVER chain, p.posting_id,
       ledger_chain(concat_ws('|', p.posting_id, p.instruction_id, p.period, p.payer, p.debit, p.credit, p.vnd,
                              (extract(epoch FROM p.at) * 1000000)::bigint), decode(repeat('00', 32), 'hex')) OVER chain
  FROM posting p WINDOW chain AS (PARTITION BY p.payer ORDER BY p.posting_id ROWS UNBOUNDED PRECEDING);

-- name: payout_heads!
-- Where each chain ends.
INSERT INTO ledger_head (payer, seq, sha256) SELECT DISTINCT ON (payer) payer, seq, sha256 FROM ledger_link ORDER BY payer, seq DESC;

-- name: payout_budget_use!
-- What left each budget and did not come back.
INSERT INTO budget_use (period, payer, programme, used_vnd)
SELECT period, payer, programme, sum(vnd) FROM (
    SELECT period, payer, substr(credit, 8) AS programme, vnd FROM posting WHERE credit LIKE 'budget:%'
    UNION ALL SELECT period, payer, substr(debit, 8), -vnd FROM posting WHERE debit LIKE 'budget:%') moved
 GROUP BY period, payer, programme;

-- name: payout_results!
-- Every answer: accepted, then what became of it.
INSERT INTO result (result_id, content_sha256, provider, batch_id, kind, end_to_end_id, status, amount_vnd, reason, basis, occurred_at, received_at, fate)
SELECT md5('answer:' || p.pay_id || a.status)::uuid, p.account, p.by, p.batch_id, 'line', p.e2e, a.status, p.vnd, CASE a.status WHEN 'rejected' THEN 'AC04' END,
       'answer', '2024-02-01Z', '2024-02-01Z', 'applied'
  FROM seed_payment p CROSS JOIN LATERAL (VALUES ('accepted', p.state IN ('paid', 'collected', 'returned')),
       ('paid', p.state IN ('paid', 'collected', 'returned')), ('rejected', p.state = 'rejected'), ('returned', p.state = 'returned')) AS a (status, is_so)
 WHERE a.is_so;

-- name: payout_batch_results!
-- Answers about whole lists.
INSERT INTO result (result_id, content_sha256, provider, batch_id, kind, basis, count, vnd, occurred_at, received_at, fate)
SELECT md5(kind || batch_id)::uuid, sha256, provider, batch_id, kind, 'answer', sent_count, sent_vnd, '2024-02-01Z', '2024-02-01Z', 'applied'
  FROM batch CROSS JOIN unnest('{batch_received,batch_complete}'::text[]) AS kind;

-- name: payout_choices!
-- How each person is paid.
INSERT INTO channel_choice (period, payer, beneficiary_id, has_account, provider, channel, gap, decided_at)
SELECT '2024-02', payer, id, provider <> 'post', CASE WHEN fate <> 'held' THEN provider END,
       CASE WHEN fate = 'held' THEN NULL WHEN provider = 'post' THEN 'counter' ELSE 'account' END, NULL, '2024-01-25Z' FROM seed;

-- name: payout_files!
-- One file per bank list, one per commune of a postal list.
INSERT INTO file (path, period, payer, batch_id, kind, owner, sha256, size, count, vnd, made_at, written_at)
SELECT concat_ws('/', b.batch_id, k.commune), '2024-02', b.payer, b.batch_id, min(kind), b.batch_id, min(b.sha256), 1, count(*), sum(i.vnd),
       '2024-01-31Z', '2024-01-31Z'
  FROM batch b JOIN instruction i USING (batch_id)
  CROSS JOIN LATERAL (SELECT CASE b.provider WHEN 'post' THEN 'postal_list' ELSE 'pain.001' END AS kind, CASE b.provider WHEN 'post' THEN i.area ELSE '' END AS commune) k
 WHERE i.state <> 'withdrawn' GROUP BY b.batch_id, k.commune;

-- name: notify_people!
-- Notify's people; half of them can be reached.
INSERT INTO person (beneficiary_id, epoch, n, payer, life, has_account, cannot, contact, phone_ix)
SELECT id, 1, 2, payer, 'alive', provider <> 'post', false, CASE WHEN n % 2 = 0 THEN repeat('x', 100) END, CASE WHEN n % 2 = 0 THEN decode(identity, 'hex') END FROM seed;

-- name: notify_verdicts!
-- What verification told.
INSERT INTO verdict (beneficiary_id, result_seq, dead) SELECT id, 1, false FROM seed;

-- name: notify_payments!
-- What payout told of payments to accounts.
INSERT INTO account_payment (instruction_id, beneficiary_id, state_seq, state)
SELECT pay_id, id, CASE WHEN state = 'withdrawn' THEN 2 WHEN state IN ('unknown', 'rejected') THEN 4 WHEN state = 'returned' THEN 6 ELSE 5 END, state
  FROM seed_payment WHERE channel = 'account';

-- name: notify_round!
-- One round of reminders to those without an account.
INSERT INTO campaign_round (campaign, round, people, texts, left_out, actor, at)
SELECT 'tet', 1, count(*), count(*), '{}', 'officer', '2024-01-25Z' FROM seed WHERE provider = 'post' AND n % 2 = 0;

-- name: notify_texts!
-- The texts, delivered.
INSERT INTO message (message_id, campaign, round, phone_ix, contact, owner, accented, parts, status, asked, changed_at)
SELECT md5('text:' || n)::uuid, 'tet', 1, decode(identity, 'hex'), repeat('x', 100), id, false, 1, 'delivered', 1, '2024-01-25Z'
  FROM seed WHERE provider = 'post' AND n % 2 = 0;

-- name: notify_served!
-- Whom they serve.
INSERT INTO message_person (campaign, round, beneficiary_id, message_id)
SELECT 'tet', 1, id, md5('text:' || n)::uuid FROM seed WHERE provider = 'post' AND n % 2 = 0;

-- name: size^
-- Bytes of this database.
SELECT pg_database_size(current_database()) AS bytes;

-- name: largest
-- Its largest tables, with rows as last counted and bytes with indexes.
SELECT c.relname AS name, c.reltuples::bigint AS rows, pg_total_relation_size(c.oid) AS bytes
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 3 DESC LIMIT :most;
