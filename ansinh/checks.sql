-- The invariants as questions. A query of this file returns what breaks the promise, one text per finding, unless its description says
-- otherwise. Findings name ids, words and sums only. docs/INVARIANTS.md holds the same texts; a test compares.

-- name: lines_paid_twice
-- payout: frozen lines that live payments cover more than once, or with more than the line declares.
SELECT format('line %s: %s of %s VND in %s live payments', l.entitlement_id, sum(il.vnd), l.declared_vnd, count(*)) AS row
  FROM instruction_line il JOIN line l USING (entitlement_id) WHERE il.live
 GROUP BY l.entitlement_id, l.declared_vnd HAVING sum(il.vnd) > l.declared_vnd OR count(*) > count(DISTINCT il.piece)
 ORDER BY 1;

-- name: lines_of_dead_payments
-- payout: lines that a dead payment still claims, or that a living one has let go.
SELECT format('payment %s is %s, line %s', i.instruction_id, i.state, il.entitlement_id) AS row
  FROM instruction_line il JOIN instruction i USING (instruction_id)
 WHERE il.live = (i.state IN ('rejected', 'returned', 'expired', 'withdrawn')) ORDER BY 1;

-- name: registry_closings
-- registry: totals of every closed list, as published (no findings; compared).
SELECT period, payer, count, vnd FROM payroll_list WHERE state = 'closed';

-- name: registry_lines
-- registry: what the frozen lines add up to (no findings; compared).
SELECT period, payer, count(*) AS count, sum(declared_vnd)::bigint AS vnd FROM entitlement_line GROUP BY period, payer;

-- name: payout_closings
-- payout: totals of every closed list, as received (no findings; compared).
SELECT period, payer, count, vnd FROM closing;

-- name: payout_lines
-- payout: what the received lines add up to (no findings; compared).
SELECT period, payer, count(*) AS count, sum(declared_vnd)::bigint AS vnd FROM line GROUP BY period, payer;

-- name: line_places
-- payout: where every line of a built payroll is, per place, with one line of it (findings: the places `nowhere` and `twice`).
-- `came_back`: its payment died and the next build decides; `in_parts`: pieces of one line are in several places and add up.
WITH built AS (
    SELECT period, payer FROM payroll WHERE rounds > 0
     UNION SELECT l.period, l.payer FROM held JOIN line l USING (entitlement_id)
), payments AS (
    SELECT il.entitlement_id, bool_or(NOT il.live) AS died,
           coalesce(sum(il.vnd) FILTER (WHERE il.live AND i.channel = 'account'), 0) AS cashless,
           coalesce(sum(il.vnd) FILTER (WHERE il.live AND i.channel <> 'account'), 0) AS postal
      FROM instruction_line il JOIN instruction i USING (instruction_id) GROUP BY il.entitlement_id
), placed AS (
    SELECT l.period, l.payer, l.entitlement_id, l.declared_vnd AS declared, coalesce(p.cashless, 0) AS cashless,
           coalesce(p.postal, 0) AS postal, coalesce(p.died, false) AS died, h.entitlement_id IS NOT NULL AS is_held,
           coalesce(h.vnd, 0) AS held
      FROM line l JOIN built USING (period, payer) LEFT JOIN payments p USING (entitlement_id)
      LEFT JOIN held h ON h.entitlement_id = l.entitlement_id AND h.until IS NULL
)
SELECT period, payer, place, count(*) AS count, sum(declared)::bigint AS vnd, min(entitlement_id::text) AS first
  FROM (SELECT *, CASE WHEN cashless + postal + held > declared THEN 'twice'
                       WHEN is_held AND held = declared THEN 'held'
                       WHEN cashless = declared AND declared > 0 THEN 'cashless'
                       WHEN postal = declared AND declared > 0 THEN 'postal'
                       WHEN cashless + postal + held = declared AND declared > 0 THEN 'in_parts'
                       WHEN died THEN 'came_back'
                       ELSE 'nowhere' END AS place FROM placed) AS line
 GROUP BY period, payer, place ORDER BY period, payer, place;

-- name: batches_that_do_not_add_up
-- payout: lists whose totals differ from their payments, or whose sent totals differ from what was not withdrawn.
SELECT format('batch %s: %s payments of %s VND', b.batch_id, count(i.instruction_id), coalesce(sum(i.vnd), 0)) AS row
  FROM batch b LEFT JOIN instruction i USING (batch_id) GROUP BY b.batch_id
HAVING (count(i.instruction_id), coalesce(sum(i.vnd), 0)) IS DISTINCT FROM (b.count::bigint, b.vnd::numeric)
    OR (b.sent_at IS NOT NULL
        AND (count(i.instruction_id) FILTER (WHERE i.state <> 'withdrawn'), coalesce(sum(i.vnd) FILTER (WHERE i.state <> 'withdrawn'), 0))
            IS DISTINCT FROM (b.sent_count::bigint, b.sent_vnd::numeric))
 ORDER BY 1;

-- name: payments_not_worth_their_lines
-- payout: payments whose lines add up to something else.
SELECT format('payment %s: %s VND, lines %s', i.instruction_id, i.vnd, coalesce(sum(il.vnd), 0)) AS row
  FROM instruction i LEFT JOIN instruction_line il USING (instruction_id)
 GROUP BY i.instruction_id HAVING coalesce(sum(il.vnd), 0) <> i.vnd ORDER BY 1;

-- name: files_that_do_not_add_up
-- payout: sent lists whose files hold more or less than what was sent.
SELECT format('batch %s: files %s payments of %s VND, sent %s of %s', b.batch_id, coalesce(sum(f.count), 0), coalesce(sum(f.vnd), 0),
              b.sent_count, b.sent_vnd) AS row
  FROM batch b LEFT JOIN file f ON f.batch_id = b.batch_id AND f.kind IN ('pain.001', 'postal_list')
 WHERE b.sent_at IS NOT NULL GROUP BY b.batch_id
HAVING (coalesce(sum(f.count), 0), coalesce(sum(f.vnd), 0)) IS DISTINCT FROM (b.sent_count::bigint, b.sent_vnd::numeric) ORDER BY 1;

-- name: accounts_below_zero
-- payout: less than nothing is in flight, paid or returned. (One row is debit and credit of one amount: a posting cannot be unbalanced.)
SELECT format('%s %s %s: %s VND', period, payer, account, sum(vnd)) AS row
  FROM (SELECT period, payer, debit AS account, vnd FROM posting UNION ALL SELECT period, payer, credit, -vnd FROM posting) AS side
 WHERE account NOT LIKE 'budget%' GROUP BY period, payer, account HAVING sum(vnd) < 0 ORDER BY 1;

-- name: budgets_left_wrongly
-- payout: payments that went into flight with another amount than theirs: once when sent, never before.
SELECT format('payment %s is %s: %s of %s VND went into flight', i.instruction_id, i.state, coalesce(p.vnd, 0), i.vnd) AS row
  FROM instruction i
  LEFT JOIN (SELECT instruction_id, sum(vnd) AS vnd FROM posting WHERE debit LIKE 'in_flight%' GROUP BY instruction_id) p USING (instruction_id)
 WHERE coalesce(p.vnd, 0) <> CASE WHEN i.state IN ('created', 'sealed', 'withdrawn') THEN 0 ELSE i.vnd END ORDER BY 1;

-- name: ledger_against_states
-- payout: what the ledger says is paid or in flight, where the states of the payments say something else.
WITH side AS (
    SELECT period, payer, debit AS account, vnd FROM posting UNION ALL SELECT period, payer, credit, -vnd FROM posting
), booked AS (
    SELECT period, payer, account, sum(vnd) AS vnd FROM side WHERE account = 'paid' OR account LIKE 'in_flight%' GROUP BY 1, 2, 3
), known AS (
    SELECT b.period, b.payer, CASE WHEN i.state IN ('paid', 'collected') THEN 'paid' ELSE concat_ws(chr(58), 'in_flight', i.provider) END AS account,
           sum(i.vnd) AS vnd
      FROM instruction i JOIN batch b USING (batch_id)
     WHERE i.state IN ('sending', 'accepted', 'issued', 'unknown', 'paid', 'collected') GROUP BY 1, 2, 3
)
SELECT format('%s %s %s: ledger %s VND, states %s', period, payer, account, coalesce(booked.vnd, 0), coalesce(known.vnd, 0)) AS row
  FROM booked FULL JOIN known USING (period, payer, account) WHERE coalesce(booked.vnd, 0) <> coalesce(known.vnd, 0) ORDER BY 1;

-- name: ids_used_twice
-- payout: end-to-end ids that name more than one payment.
SELECT format('id %s names %s payments', end_to_end_id, count(*)) AS row FROM instruction GROUP BY end_to_end_id HAVING count(*) > 1 ORDER BY 1;

-- name: released_without_signatures
-- payout: lists that left without maker, checker, approver and releaser, four people, each bound to the list's hash.
SELECT format('batch %s is %s: %s steps by %s people', b.batch_id, b.state, count(DISTINCT a.step), count(DISTINCT a.actor)) AS row
  FROM batch b LEFT JOIN approval a ON a.batch_id = b.batch_id AND a.sha256 = b.sha256
 WHERE b.state IN ('sealed', 'sent', 'settled')
 GROUP BY b.batch_id HAVING count(DISTINCT a.step) < 4 OR count(DISTINCT a.actor) < 4 ORDER BY 1;

-- name: withdrawn_and_sent
-- payout: payments taken off by two people that were paid or told a provider, and ones taken off without two people.
SELECT format('payment %s is %s, signed by two: %s', i.instruction_id, i.state, signed.by_two) AS row
  FROM instruction i
  CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM withdrawal w JOIN withdrawal_list wl USING (list_sha256)
                                      WHERE w.instruction_id = i.instruction_id AND wl.confirmed_by <> wl.proposed_by) AS by_two) AS signed
 WHERE (i.state = 'withdrawn') <> signed.by_two
    OR (i.state = 'withdrawn' AND (i.state_seq <> 2
        OR EXISTS (SELECT FROM posting p WHERE p.instruction_id = i.instruction_id)
        OR EXISTS (SELECT FROM result r WHERE r.end_to_end_id = i.end_to_end_id)))
 ORDER BY 1;

-- name: left_behind
-- payout: payments of a list that left which neither left with it nor were taken off.
SELECT format('payment %s is %s on a list that is %s', i.instruction_id, i.state, b.state) AS row
  FROM instruction i JOIN batch b USING (batch_id) WHERE b.state IN ('sent', 'settled') AND i.state IN ('created', 'sealed') ORDER BY 1;

-- name: unpublished_rows
-- every service: decisions the world has not been told. A moment later they may be: look again.
SELECT format('%s rows wait', count(*)) AS row FROM outbox, outbox_cursor c WHERE (outbox.xid, outbox.id) > (c.xid, c.id) HAVING count(*) > 0;

-- name: stopped_partitions
-- every service: partitions that nobody reads until a person has looked.
SELECT format('%s %s at %s: %s', topic, partition, next_offset, stopped_reason) AS row FROM consumed WHERE stopped_reason IS NOT NULL ORDER BY 1;

-- name: set_aside_records
-- every service: records that could not be taken, and were not when somebody had them handled again.
SELECT format('%s: %s %s at %s %s', dead_letter_id, disposition, topic, partition, "offset") AS row FROM dead_letter
 WHERE outcome IS DISTINCT FROM 'taken' ORDER BY 1;

-- name: illegal_moves
-- payout: two states of a payment, told one after the other, that are no legal move, nor two at once (sealed and sending leave together).
WITH message AS MATERIALIZED (
    SELECT id, convert_from(payload, 'UTF8')::jsonb AS body FROM outbox WHERE topic = 'payout.payment.v1'
), told AS (
    SELECT body ->> 'instruction_id' AS payment, (body ->> 'state_seq')::int AS seq, body ->> 'state' AS state,
           lag((body ->> 'state_seq')::int) OVER payment AS seq_before, lag(body ->> 'state') OVER payment AS before
      FROM message WINDOW payment AS (PARTITION BY body ->> 'instruction_id' ORDER BY (body ->> 'state_seq')::int, id)
)
SELECT format('payment %s: %s %s, then %s %s', payment, seq_before, before, seq, state) AS row FROM told
 WHERE before IS NOT NULL
   AND NOT EXISTS (SELECT FROM instruction_move m WHERE seq = seq_before + 1 AND m.from_state = told.before AND m.to_state = told.state)
   AND NOT EXISTS (SELECT FROM instruction_move m JOIN instruction_move n ON n.from_state = m.to_state
                    WHERE seq = seq_before + 2 AND m.from_state = told.before AND n.to_state = told.state)
 ORDER BY 1;

-- name: states_not_told
-- payout: payments whose state is not the last one told.
WITH message AS MATERIALIZED (
    SELECT convert_from(payload, 'UTF8')::jsonb AS body FROM outbox WHERE topic = 'payout.payment.v1'
), last AS (
    SELECT DISTINCT ON (body ->> 'instruction_id') (body ->> 'instruction_id')::uuid AS instruction_id,
           (body ->> 'state_seq')::int AS seq, body ->> 'state' AS state
      FROM message ORDER BY body ->> 'instruction_id', (body ->> 'state_seq')::int DESC
)
SELECT format('payment %s is %s %s, told %s %s', i.instruction_id, i.state_seq, i.state, last.seq, last.state) AS row
  FROM instruction i LEFT JOIN last USING (instruction_id) WHERE (i.state_seq, i.state) IS DISTINCT FROM (last.seq, last.state) ORDER BY 1;

-- name: lines_without_verdict
-- payout: people with frozen lines without a result for what is known of them now, unless the line is held because of that.
SELECT DISTINCT format('person %s', l.beneficiary_id) AS row
  FROM line l LEFT JOIN person p USING (beneficiary_id) LEFT JOIN verdict v USING (beneficiary_id)
 WHERE (v.beneficiary_id IS NULL OR v.identity_digest IS DISTINCT FROM p.identity_digest)
   AND NOT EXISTS (SELECT FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL AND h.reason = 'VERIFICATION_PENDING')
 ORDER BY 1;

-- name: people_not_judged
-- verification: people whose newest result is missing or speaks about an older snapshot.
SELECT format('person %s', p.beneficiary_id) AS row
  FROM person p LEFT JOIN verdict v ON v.beneficiary_id = p.beneficiary_id AND v.result_seq = p.result_seq
 WHERE v.identity_digest IS DISTINCT FROM p.identity_digest ORDER BY 1;

-- name: phones_with_two_texts
-- notify: phones that got more than one text in a round. The phone itself is not shown, only one of its texts.
SELECT format('%s round %s: %s texts to the phone of %s', campaign, round, count(*), min(message_id::text)) AS row
  FROM message GROUP BY campaign, round, phone_ix HAVING count(*) > 1 ORDER BY 1;

-- name: texts_to_those_who_cannot
-- notify: texts that went to people who cannot have an account.
SELECT format('person %s: text %s is %s', p.beneficiary_id, m.message_id, m.status) AS row
  FROM message_person s JOIN message m USING (message_id) JOIN person p USING (beneficiary_id)
 WHERE p.cannot AND m.status NOT IN ('created', 'skipped') ORDER BY 1;

-- name: payments
-- payout: every payment as we hold it (no findings; compared with the partners' truth).
SELECT end_to_end_id, provider, vnd, state FROM instruction;

-- name: payment_lines
-- payout: which part of which line every payment pays (no findings; compared with the partners' truth).
SELECT i.end_to_end_id, l.entitlement_id::text AS line, l.declared_vnd, il.vnd
  FROM instruction_line il JOIN instruction i USING (instruction_id) JOIN line l USING (entitlement_id);
