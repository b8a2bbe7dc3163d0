-- The invariants as questions. A query of this file returns what breaks the promise, one text per finding, unless its description says
-- otherwise. Findings name ids, words and sums only. docs/INVARIANTS.md holds the same texts; a test compares.
-- Where two tables of a million rows must say the same, they are compared as a whole first (exclusive-or of 64-bit hashes, or sums of amounts
-- each times a 24-bit weight of its id), by bucket of the id's hash where that differs, and row by row in the buckets that differ. Sides of a
-- mirror give a row per id: `id`, `hash`, and `said`, which words what was hashed; check.py compares them so. What many promises need of one large
-- table is read once: such a query says in `promise` which one a finding breaks. LATERAL with LIMIT or OFFSET looks up the few by their key
-- where the planner, which expects many, would read a whole table.

-- name: share_snapshot^
-- The statement by which another session sees the moment this one sees. Made here, because it takes no parameters and must come first there.
SELECT format('SET TRANSACTION SNAPSHOT %L', pg_export_snapshot()) AS statement;

-- name: side_as_a_whole
-- How a side of a mirror is asked, first: `{rows}` is its query, `{hashes}` one exclusive-or per column compared.
SELECT {hashes} FROM ({rows}) AS held;

-- name: side_by_bucket
-- Then, where two sides differ: in buckets of ids.
SELECT uuid_hash_extended(id, 0) & 4095 AS bucket, {hashes} FROM ({rows}) AS held GROUP BY 1;

-- name: side_row_by_row
-- At last, in the buckets that differ: by id, with the words of what was hashed.
SELECT id, {hash} AS hash, {said} AS said FROM ({rows}) AS held WHERE {hash} IS NOT NULL AND uuid_hash_extended(id, 0) & 4095 = ANY(:buckets::bigint[]);

-- name: lines_paid_twice
-- payout: frozen lines that live payments cover more than once, or with more than the line declares together.
WITH many AS (SELECT entitlement_id FROM instruction_line WHERE live GROUP BY entitlement_id HAVING count(*) > 1)
SELECT format('line %s: %s of %s VND in %s live payments', l.entitlement_id, sum(il.vnd), l.declared_vnd, count(*)) AS row
  FROM many JOIN instruction_line il USING (entitlement_id) JOIN line l USING (entitlement_id) WHERE il.live
 GROUP BY l.entitlement_id, l.declared_vnd HAVING sum(il.vnd) > l.declared_vnd OR count(*) > count(DISTINCT il.piece)
 ORDER BY 1;

-- name: registry_closings
-- registry: totals of every closed list, as published (no findings; compared).
SELECT period, payer, count, vnd FROM payroll_list WHERE state = 'closed';

-- name: registry_lines
-- registry: what the frozen lines of closed lists add up to (no findings; compared).
SELECT frozen.* FROM payroll_list l
  JOIN (SELECT period, payer, count(*) AS count, sum(declared_vnd)::bigint AS vnd FROM entitlement_line GROUP BY 1, 2) AS frozen USING (period, payer)
 WHERE l.state = 'closed';

-- name: payout_closings
-- payout: totals of every closed list, as received (no findings; compared).
SELECT period, payer, count, vnd FROM closing;

-- name: lines_of_registry
-- registry: frozen lines.
SELECT entitlement_id AS id, format('%s VND of %s', declared_vnd, beneficiary_id) AS said,
       hashint8extended(declared_vnd, uuid_hash_extended(beneficiary_id, uuid_hash_extended(entitlement_id, 0))) AS hash
  FROM entitlement_line;

-- name: lines_of_payout
-- payout: received lines.
SELECT entitlement_id AS id, format('%s VND of %s', declared_vnd, beneficiary_id) AS said,
       hashint8extended(declared_vnd, uuid_hash_extended(beneficiary_id, uuid_hash_extended(entitlement_id, 0))) AS hash
  FROM line;

-- name: line_places
-- payout: payments that live, and lines held now, per payroll and place (no findings; shown).
SELECT b.period, b.payer, CASE WHEN p.channel = 'account' THEN 'cashless' ELSE 'postal' END AS place, 'payments' AS what,
       sum(p.count)::bigint AS count, sum(p.vnd)::bigint AS vnd
  FROM (SELECT batch_id, channel, state, count(*) AS count, sum(vnd) AS vnd FROM instruction GROUP BY 1, 2, 3) AS p JOIN batch b USING (batch_id)
 WHERE p.state NOT IN ('rejected', 'returned', 'expired', 'withdrawn', 'cancelled') GROUP BY 1, 2, 3
 UNION ALL
SELECT l.period, l.payer, 'held', 'lines', count(*), sum(h.vnd)::bigint FROM held h JOIN line l USING (entitlement_id) WHERE h.until IS NULL GROUP BY 1, 2
 ORDER BY 1, 2, 3;

-- name: lines_out_of_place
-- payout: lines of built payrolls that live payments and holds do not cover exactly. `came_back`: its payment died and the next build
-- decides (no finding); the others are. Amounts, each times a weight of its line, add up to 0 in every bucket, or its lines are looked at.
WITH built AS (
    SELECT period, payer FROM payroll p WHERE rounds > 0 OR EXISTS (SELECT FROM channel_choice c WHERE (c.period, c.payer) = (p.period, p.payer))
        OR EXISTS (SELECT FROM line l JOIN held h USING (entitlement_id) WHERE (l.period, l.payer) = (p.period, p.payer))
), came_back AS (
    SELECT entitlement_id, vnd FROM (SELECT DISTINCT entitlement_id FROM instruction_line WHERE NOT live) AS died
     CROSS JOIN LATERAL (SELECT coalesce((SELECT declared_vnd FROM line l WHERE l.entitlement_id = died.entitlement_id), 0)
                              - coalesce((SELECT sum(il.vnd) FROM instruction_line il WHERE il.live AND il.entitlement_id = died.entitlement_id), 0)
                              - coalesce((SELECT sum(h.vnd) FROM held h WHERE h.until IS NULL AND h.entitlement_id = died.entitlement_id), 0) AS vnd) AS open
     WHERE vnd > 0
), parts AS NOT MATERIALIZED (
    SELECT entitlement_id, uuid_hash_extended(entitlement_id, 0) AS k, greatest(declared_vnd, 1) AS vnd FROM line JOIN built USING (period, payer)
     UNION ALL SELECT entitlement_id, uuid_hash_extended(entitlement_id, 0), -vnd FROM instruction_line WHERE live
     UNION ALL SELECT entitlement_id, uuid_hash_extended(entitlement_id, 0), -greatest(vnd, 1) FROM held WHERE until IS NULL
     UNION ALL SELECT entitlement_id, uuid_hash_extended(entitlement_id, 0), -vnd::bigint FROM came_back
), declared AS (
    SELECT period, payer, sum(greatest(declared_vnd, 1) * ((uuid_hash_extended(entitlement_id, 0) >> 16) & 16777215 | 1)) AS weighed FROM line GROUP BY period, payer
), whole AS MATERIALIZED (
    SELECT coalesce((SELECT sum(weighed) FROM declared JOIN built USING (period, payer)), 0)
           = coalesce((SELECT sum(vnd * ((uuid_hash_extended(entitlement_id, 0) >> 16) & 16777215 | 1)) FROM instruction_line WHERE live), 0)
           + coalesce((SELECT sum(greatest(vnd, 1) * ((uuid_hash_extended(entitlement_id, 0) >> 16) & 16777215 | 1)) FROM held WHERE until IS NULL), 0)
           + coalesce((SELECT sum(vnd::bigint * ((uuid_hash_extended(entitlement_id, 0) >> 16) & 16777215 | 1)) FROM came_back), 0) AS agrees
), differing AS (
    SELECT k & 4095 AS bucket FROM parts WHERE NOT (SELECT agrees FROM whole) GROUP BY 1 HAVING sum(vnd * ((k >> 16) & 16777215 | 1)) <> 0
), misplaced AS (
    SELECT entitlement_id, CASE WHEN sum(vnd) < 0 THEN 'twice' ELSE 'nowhere' END AS place, sum(vnd) AS vnd
      FROM parts WHERE k & 4095 IN (SELECT bucket FROM differing) GROUP BY 1 HAVING sum(vnd) <> 0
)
SELECT l.period, l.payer, place, entitlement_id, vnd AS open
  FROM (SELECT * FROM misplaced UNION ALL SELECT entitlement_id, 'came_back', vnd FROM came_back) AS line_left LEFT JOIN line l USING (entitlement_id)
 ORDER BY 1, 2, 3, 4;

-- name: payments_that_do_not_add_up
-- payout, asked for several promises (`promise`) because it reads all payments once: lists whose totals differ from their payments, or whose
-- sent totals differ from what was not withdrawn, payments on no list, payments whose lines add up to something else, dead ones that still
-- claim a line, living ones that let one go (I04); payments taken off by two people that were told a provider or answered, ones taken off
-- without two people, and payments of a list that left which neither left with it nor were taken off (I08); payments whose state cannot be
-- reached along the table in as many moves as they made (I12); cancelled payments without their provider's word or two people's wish (I30).
WITH RECURSIVE reach (state, state_seq) AS (
    VALUES ('created', 1) UNION SELECT m.to_state, state_seq + 1 FROM reach JOIN instruction_move m ON m.from_state = reach.state WHERE state_seq < 40
), payments AS MATERIALIZED (
    SELECT batch_id, state, state_seq, CASE WHEN state IN ('withdrawn', 'cancelled') THEN instruction_id END AS taken_off, count(*) AS count, sum(vnd) AS vnd,
           sum(vnd * ((uuid_hash_extended(instruction_id, 0) >> 16) & 16777215 | 1)) AS weighed FROM instruction GROUP BY 1, 2, 3, 4
), claims AS MATERIALIZED (
    SELECT live, sum(vnd * ((uuid_hash_extended(instruction_id, 0) >> 16) & 16777215 | 1)) AS weighed FROM instruction_line GROUP BY live
), held AS (
    SELECT batch_id, sum(count)::bigint AS count, sum(vnd)::bigint AS vnd, coalesce(sum(count) FILTER (WHERE state <> 'withdrawn'), 0)::bigint AS sent_count,
           coalesce(sum(vnd) FILTER (WHERE state <> 'withdrawn'), 0)::bigint AS sent_vnd FROM payments GROUP BY batch_id
), whole AS MATERIALIZED (
    SELECT coalesce(sum(weighed), 0) = coalesce((SELECT sum(weighed) FROM claims), 0)
           AND coalesce(sum(weighed) FILTER (WHERE state NOT IN ('rejected', 'returned', 'expired', 'withdrawn', 'cancelled')), 0)
               = coalesce((SELECT sum(weighed) FROM claims WHERE live), 0) AS agrees FROM payments
), parts AS NOT MATERIALIZED (
    SELECT instruction_id, uuid_hash_extended(instruction_id, 0) AS k, vnd,
           CASE WHEN state IN ('rejected', 'returned', 'expired', 'withdrawn', 'cancelled') THEN 0 ELSE vnd END AS claimed FROM instruction
     UNION ALL SELECT instruction_id, uuid_hash_extended(instruction_id, 0), -vnd, CASE WHEN live THEN -vnd ELSE 0 END FROM instruction_line
), differing AS (
    SELECT k & 4095 AS bucket FROM parts WHERE NOT (SELECT agrees FROM whole) GROUP BY 1 HAVING sum(vnd * ((k >> 16) & 16777215 | 1)) <> 0 OR sum(claimed * ((k >> 16) & 16777215 | 1)) <> 0
), sums AS (
    SELECT instruction_id, sum(vnd) AS over, sum(claimed) AS freed FROM parts WHERE k & 4095 IN (SELECT bucket FROM differing) GROUP BY 1
), signed AS (
    SELECT instruction_id FROM withdrawal JOIN withdrawal_list wl USING (list_sha256) WHERE wl.confirmed_by <> wl.proposed_by
), off AS (
    SELECT taken_off AS instruction_id FROM payments WHERE state = 'withdrawn' UNION SELECT instruction_id FROM signed
)
SELECT 'I04' AS promise, format('batch %s: %s payments of %s VND', batch_id, coalesce(held.count, 0), coalesce(held.vnd, 0)) AS row
  FROM batch b FULL JOIN held USING (batch_id)
 WHERE (held.count, held.vnd) IS DISTINCT FROM (b.count::bigint, b.vnd)
    OR (b.sent_at IS NOT NULL AND (held.sent_count, held.sent_vnd) IS DISTINCT FROM (b.sent_count::bigint, b.sent_vnd))
 UNION ALL
SELECT 'I04', format('payment %s is %s: %s VND, lines %s, of these live %s', instruction_id, i.state, i.vnd, i.vnd - over,
              (SELECT coalesce(sum(il.vnd), 0) FROM instruction_line il WHERE il.live AND il.instruction_id = sums.instruction_id))
  FROM sums LEFT JOIN instruction i USING (instruction_id) WHERE over <> 0 OR freed <> 0
 UNION ALL
SELECT 'I08', format('payment %s is %s, signed by two: %s', instruction_id, i.state, s.instruction_id IS NOT NULL)
  FROM off LEFT JOIN signed s USING (instruction_id)
  LEFT JOIN LATERAL (SELECT state, state_seq, end_to_end_id FROM instruction WHERE instruction.instruction_id = off.instruction_id LIMIT 1) AS i ON true
 WHERE i.state IS DISTINCT FROM 'withdrawn' OR s.instruction_id IS NULL OR i.state_seq <> 2
    OR (SELECT count(*) FROM result r WHERE r.end_to_end_id = i.end_to_end_id AND r.fate = 'applied') > 0
 UNION ALL
SELECT 'I08', format('payment %s is %s on a list that is %s', i.instruction_id, i.state, b.state)
  FROM (SELECT DISTINCT p.batch_id, p.state FROM payments p WHERE p.state IN ('created', 'sealed')) AS stayed
  JOIN batch b USING (batch_id) JOIN instruction i ON (i.batch_id, i.state) = (stayed.batch_id, stayed.state) WHERE b.state IN ('sent', 'settled')
 UNION ALL
SELECT 'I12', format('payment %s is %s after %s moves', i.instruction_id, i.state, i.state_seq - 1)
  FROM (SELECT DISTINCT p.state, p.state_seq FROM payments p WHERE NOT EXISTS (SELECT FROM reach WHERE (reach.state, reach.state_seq) = (p.state, p.state_seq))) AS beyond
  JOIN instruction i USING (state, state_seq)
 UNION ALL
SELECT 'I30', format('payment %s is cancelled, asked by two: %s, said: %s', i.instruction_id, l.confirmed_by IS NOT NULL, said.count)
  FROM payments p JOIN instruction i ON i.instruction_id = p.taken_off
  LEFT JOIN cancel_item c ON c.instruction_id = i.instruction_id LEFT JOIN cancel_list l ON l.list_sha256 = c.list_sha256
  CROSS JOIN LATERAL (SELECT count(*) AS count FROM result r WHERE r.end_to_end_id = i.end_to_end_id AND r.provider = i.provider
                         AND r.kind = 'cancel' AND r.outcome = 'cancelled') AS said
 WHERE p.state = 'cancelled' AND (said.count = 0 OR l.confirmed_by IS NULL OR l.confirmed_by = l.proposed_by)
 ORDER BY 1, 2;

-- name: files_that_do_not_add_up
-- payout: sent lists whose files hold more or less than what was sent.
SELECT format('batch %s: files %s payments of %s VND, sent %s of %s', b.batch_id, coalesce(sum(f.count), 0), coalesce(sum(f.vnd), 0),
              b.sent_count, b.sent_vnd) AS row
  FROM batch b LEFT JOIN file f ON f.batch_id = b.batch_id AND (f.kind IN ('pain.001', 'postal_list') OR (f.kind = 'transfer_csv' AND b.provider = 'post'))
 WHERE b.sent_at IS NOT NULL GROUP BY b.batch_id
HAVING (coalesce(sum(f.count), 0), coalesce(sum(f.vnd), 0)) IS DISTINCT FROM (b.sent_count::bigint, b.sent_vnd::numeric) ORDER BY 1;

-- name: postings_that_do_not_add_up
-- payout, asked for several promises (`promise`) because it reads all postings once. I05: payments that went into flight with another amount
-- than theirs (once when sent, never before), postings about no payment, and what the ledger says is paid or in flight where the states of the
-- payments say something else, accounts below zero. (One row is debit and credit of one amount: a posting cannot be unbalanced.) I40: postings
-- that are no link of their payer's chain, links without their posting, row by row only where a payer's sums differ; chains whose links are not
-- numbered from 1 to where the chain ends. (Whether each hash is right: `ansinh audit verify`.) I41: programmes whose use is not what the
-- ledger says, or is above the budget.
WITH postings AS MATERIALIZED (
    SELECT period, payer, debit, credit, count(*) AS count, sum(vnd) AS vnd, bit_xor(uuid_hash_extended(posting_id, 0)) AS who,
           sum(vnd * ((uuid_hash_extended(instruction_id, 0) >> 16) & 16777215 | 1)) AS weighed FROM posting GROUP BY 1, 2, 3, 4
), payments AS MATERIALIZED (
    SELECT batch_id, provider, state, periods IS NOT NULL AS of_months, sum(vnd) AS vnd,
           sum(vnd * ((uuid_hash_extended(instruction_id, 0) >> 16) & 16777215 | 1)) AS weighed FROM instruction GROUP BY 1, 2, 3, 4
), links AS MATERIALIZED (
    SELECT payer, count(*) AS count, max(seq) AS last, bit_xor(uuid_hash_extended(posting_id, 0)) AS who FROM ledger_link GROUP BY payer
), whole AS MATERIALIZED (
    SELECT coalesce((SELECT sum(weighed) FROM payments WHERE state NOT IN ('created', 'sealed', 'withdrawn')), 0)
           = coalesce((SELECT sum(weighed) FROM postings WHERE left(debit, 9) = 'in_flight'), 0) AS agrees
), parts AS NOT MATERIALIZED (
    SELECT instruction_id, uuid_hash_extended(instruction_id, 0) AS k, vnd FROM instruction WHERE state NOT IN ('created', 'sealed', 'withdrawn')
     UNION ALL SELECT instruction_id, uuid_hash_extended(instruction_id, 0), -vnd FROM posting WHERE left(debit, 9) = 'in_flight'
), differing AS (
    SELECT k & 4095 AS bucket FROM parts WHERE NOT (SELECT agrees FROM whole) GROUP BY 1 HAVING sum(vnd * ((k >> 16) & 16777215 | 1)) <> 0
), sums AS (
    SELECT instruction_id, sum(vnd) AS over FROM parts WHERE k & 4095 IN (SELECT bucket FROM differing) GROUP BY 1 HAVING sum(vnd) <> 0
), booked AS (
    SELECT period, payer, account, sum(vnd) AS vnd
      FROM (SELECT period, payer, debit AS account, vnd FROM postings UNION ALL SELECT period, payer, credit, -vnd FROM postings) AS side
     WHERE account NOT LIKE 'budget%' GROUP BY 1, 2, 3
), flying AS (
    SELECT b.period, b.payer, p.provider, p.state IN ('paid', 'collected') AS paid, p.vnd FROM payments p JOIN batch b USING (batch_id)
     WHERE p.state IN ('sending', 'accepted', 'issued', 'unknown', 'paid', 'collected') AND NOT p.of_months
     UNION ALL
    SELECT l.period, l.payer, i.provider, i.state IN ('paid', 'collected'), il.vnd
      FROM instruction i JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
     WHERE i.state IN ('sending', 'accepted', 'issued', 'unknown', 'paid', 'collected') AND i.periods IS NOT NULL AND (SELECT bool_or(of_months) FROM payments)
), known AS (
    SELECT period, payer, CASE WHEN paid THEN 'paid' ELSE concat_ws(chr(58), 'in_flight', provider) END AS account, sum(vnd) AS vnd FROM flying GROUP BY 1, 2, 3
), chained AS MATERIALIZED (
    SELECT payer, coalesce(p.count, 0) AS postings, coalesce(l.count, 0) AS links
      FROM (SELECT payer, sum(count)::bigint AS count, bit_xor(who) AS who FROM postings GROUP BY payer) AS p FULL JOIN links l USING (payer)
     WHERE (p.count, p.who) IS DISTINCT FROM (l.count, l.who)
), ledger AS (
    SELECT period, payer, programme, sum(vnd) AS vnd
      FROM (SELECT period, payer, substr(credit, 8) AS programme, vnd FROM postings WHERE credit LIKE 'budget:%'
             UNION ALL SELECT period, payer, substr(debit, 8), -vnd FROM postings WHERE debit LIKE 'budget:%') AS moved GROUP BY 1, 2, 3
)
SELECT 'I05' AS promise, format('payment %s is %s: %s VND too little in flight', instruction_id, i.state, over) AS row
  FROM sums LEFT JOIN instruction i USING (instruction_id)
 UNION ALL
SELECT 'I05', format('%s %s %s: ledger %s VND, states %s', period, payer, account, coalesce(booked.vnd, 0), coalesce(known.vnd, 0))
  FROM booked FULL JOIN known USING (period, payer, account)
 WHERE booked.vnd < 0 OR (account <> 'returned' AND coalesce(booked.vnd, 0) <> coalesce(known.vnd, 0))
 UNION ALL
SELECT 'I40', format('%s: %s postings, %s links', payer, postings, links) FROM chained
 UNION ALL
SELECT 'I40', CASE WHEN l.payer IS NULL THEN format('%s: posting %s is in no chain', p.payer, posting_id)
                   ELSE format('%s: link %s names posting %s, which is %s', l.payer, l.seq, posting_id, coalesce('of ' || p.payer, 'gone')) END
  FROM (SELECT * FROM posting WHERE payer IN (SELECT payer FROM chained)) AS p
  FULL JOIN (SELECT * FROM ledger_link WHERE payer IN (SELECT payer FROM chained)) AS l USING (posting_id)
 WHERE p.payer IS DISTINCT FROM l.payer
 UNION ALL
SELECT 'I40', format('%s: %s links, the last is %s, the chain ends at %s with %s hash', h.payer, coalesce(l.count, 0), coalesce(l.last, 0), h.seq,
                     CASE WHEN e.sha256 = h.sha256 THEN 'the same' ELSE 'another' END)
  FROM ledger_head h LEFT JOIN links l USING (payer) LEFT JOIN ledger_link e ON (e.payer, e.seq) = (h.payer, h.seq)
 WHERE coalesce(l.count, 0) <> h.seq OR l.last <> h.seq OR e.sha256 <> h.sha256
 UNION ALL
SELECT 'I41', format('%s %s %s: %s VND counted, %s VND in the ledger, budget %s', period, payer, programme, used.vnd, ledger.vnd, coalesce(used.budget::text, 'none'))
  FROM (SELECT period, payer, programme, used_vnd AS vnd, budget_vnd AS budget FROM budget_use) AS used FULL JOIN ledger USING (period, payer, programme)
 WHERE coalesce(used.vnd, 0) <> coalesce(ledger.vnd, 0) OR used.vnd > used.budget
 ORDER BY 1, 2;

-- name: ids_used_twice
-- payout: end-to-end ids that name more than one payment.
SELECT format('id %s names %s payments', end_to_end_id, count(*)) AS row FROM instruction GROUP BY end_to_end_id HAVING count(*) > 1 ORDER BY 1;

-- name: released_without_signatures
-- payout: lists that left without maker, checker, approver and releaser, four people, each bound to the list's hash.
SELECT format('batch %s is %s: %s steps by %s people', b.batch_id, b.state, count(DISTINCT a.step), count(DISTINCT a.actor)) AS row
  FROM batch b LEFT JOIN approval a ON a.batch_id = b.batch_id AND a.sha256 = b.sha256
 WHERE b.state IN ('sealed', 'sent', 'settled')
 GROUP BY b.batch_id HAVING count(DISTINCT a.step) < 4 OR count(DISTINCT a.actor) < 4 ORDER BY 1;

-- name: unpublished_rows
-- every service: the oldest decisions the world has not been told, with the time of the decision. A moment later they may be: looked again.
SELECT format('event %s to %s, decided at %s', event_id, topic, at) AS row FROM outbox
 WHERE (xid, id) > ((SELECT c.xid FROM outbox_cursor c), (SELECT c.id FROM outbox_cursor c)) ORDER BY xid, id LIMIT 20;

-- name: stopped_partitions
-- every service: partitions that nobody reads until a person has looked.
SELECT format('%s %s at %s: %s', topic, partition, next_offset, stopped_reason) AS row FROM consumed WHERE stopped_reason IS NOT NULL ORDER BY 1;

-- name: set_aside_records
-- every service: records that could not be taken, and were not when somebody had them handled again.
SELECT format('%s: %s %s at %s %s', dead_letter_id, disposition, topic, partition, "offset") AS row FROM dead_letter
 WHERE outcome IS DISTINCT FROM 'taken' ORDER BY 1;

-- name: illegal_moves
-- payout, whole outbox: two states of a payment, told one after the other, that are no legal move, nor two at once (sealed and sending
-- leave together). The same state told again (`ansinh republish`) is no move.
WITH message AS MATERIALIZED (
    SELECT DISTINCT body ->> 'instruction_id' AS payment, (body ->> 'state_seq')::int AS seq, body ->> 'state' AS state
      FROM (SELECT convert_from(payload, 'UTF8')::jsonb AS body FROM outbox WHERE topic = 'payout.payment.v1') told
), told AS (
    SELECT payment, seq, state, lag(seq) OVER payment AS seq_before, lag(state) OVER payment AS before
      FROM message WINDOW payment AS (PARTITION BY payment ORDER BY seq)
)
SELECT format('payment %s: %s %s, then %s %s', payment, seq_before, before, seq, state) AS row FROM told
 WHERE before IS NOT NULL
   AND NOT EXISTS (SELECT FROM instruction_move m WHERE seq = seq_before + 1 AND m.from_state = told.before AND m.to_state = told.state)
   AND NOT EXISTS (SELECT FROM instruction_move m JOIN instruction_move n ON n.from_state = m.to_state
                    WHERE seq = seq_before + 2 AND m.from_state = told.before AND n.to_state = told.state)
 ORDER BY 1;

-- name: states_not_told
-- payout, whole outbox: payments whose state is not the last one told. One that is only on a list is told to nobody.
WITH message AS MATERIALIZED (
    SELECT convert_from(payload, 'UTF8')::jsonb AS body FROM outbox WHERE topic = 'payout.payment.v1'
), last AS (
    SELECT DISTINCT ON (body ->> 'instruction_id') (body ->> 'instruction_id')::uuid AS instruction_id,
           (body ->> 'state_seq')::int AS seq, body ->> 'state' AS state
      FROM message ORDER BY body ->> 'instruction_id', (body ->> 'state_seq')::int DESC
)
SELECT format('payment %s is %s %s, told %s %s', i.instruction_id, i.state_seq, i.state, last.seq, last.state) AS row
  FROM instruction i LEFT JOIN last USING (instruction_id)
 WHERE i.state <> 'created' AND (i.state_seq, i.state) IS DISTINCT FROM (last.seq, last.state) ORDER BY 1;

-- name: lines_without_verdict
-- payout: people with frozen lines without a result for what is known of them now, unless the line is held because of that.
WITH known AS NOT MATERIALIZED (
    SELECT uuid_hash_extended(beneficiary_id, 0) AS k, identity_digest FROM person
     UNION ALL SELECT uuid_hash_extended(beneficiary_id, 0), identity_digest FROM verdict
), whole AS (
    SELECT coalesce(bit_xor(hashtextextended(identity_digest, k)), 0) = 0 AS agrees FROM known
), differing AS (
    SELECT k & 4095 AS bucket FROM known WHERE NOT (SELECT agrees FROM whole) GROUP BY 1 HAVING bit_xor(hashtextextended(identity_digest, k)) <> 0
), unjudged AS (
    SELECT beneficiary_id FROM person p LEFT JOIN verdict v USING (beneficiary_id, identity_digest)
     WHERE p.erased_at IS NULL AND NOT (SELECT agrees FROM whole) AND uuid_hash_extended(beneficiary_id, 0) & 4095 IN (SELECT bucket FROM differing)
       AND v.outcome IS NULL
)
SELECT DISTINCT format('person %s', l.beneficiary_id) AS row FROM unjudged JOIN line l USING (beneficiary_id)
 WHERE NOT EXISTS (SELECT FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL AND h.reason = 'VERIFICATION_PENDING')
 ORDER BY 1;

-- name: verdicts_of_verification
-- verification: what the newest results speak about.
SELECT beneficiary_id AS id, hashtextextended(identity_digest, uuid_hash_extended(beneficiary_id, result_seq)) AS hash,
       format('result %s on who they were', result_seq) AS said
  FROM verdict v WHERE NOT EXISTS (SELECT FROM person p WHERE p.result_seq > 1 AND p.beneficiary_id = v.beneficiary_id AND p.result_seq > v.result_seq);

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

-- name: people_of_registry
-- registry: versions of people.
SELECT beneficiary_id AS id, hashint8extended((epoch::bigint << 32) | n, uuid_hash_extended(beneficiary_id, 0)) AS hash, format('version %s.%s', epoch, n) AS said FROM person;

-- name: people_of_verification
-- verification: versions of people, the newest results on those who are not erased, and what these results must speak about.
SELECT beneficiary_id AS id, hashint8extended((epoch::bigint << 32) | n, uuid_hash_extended(beneficiary_id, 0)) AS hash, format('version %s.%s', epoch, n) AS said,
       CASE WHEN judged THEN uuid_hash_extended(beneficiary_id, result_seq) END AS verdict, CASE WHEN judged THEN format('result %s', result_seq) END AS verdict_said,
       hashtextextended(identity_digest, uuid_hash_extended(beneficiary_id, result_seq)) AS about, format('result %s on who they are now', result_seq) AS about_said
  FROM person CROSS JOIN LATERAL (SELECT result_seq > 0 AND beneficiary_id NOT IN (SELECT e.beneficiary_id FROM person e WHERE e.erased_at IS NOT NULL) AS judged) AS this;

-- name: people_of_payout
-- payout: versions of people.
SELECT beneficiary_id AS id, hashint8extended((epoch::bigint << 32) | n, uuid_hash_extended(beneficiary_id, 0)) AS hash, format('version %s.%s', epoch, n) AS said FROM person;

-- name: people_of_notify
-- notify: versions of people.
SELECT beneficiary_id AS id, hashint8extended((epoch::bigint << 32) | n, uuid_hash_extended(beneficiary_id, 0)) AS hash, format('version %s.%s', epoch, n) AS said FROM person;

-- name: verdicts_of_registry
-- registry: the newest verdicts.
SELECT beneficiary_id AS id, uuid_hash_extended(beneficiary_id, result_seq) AS hash, format('result %s', result_seq) AS said FROM verified;

-- name: verdicts_of_payout
-- payout: the newest verdicts.
SELECT beneficiary_id AS id, uuid_hash_extended(beneficiary_id, result_seq) AS hash, format('result %s', result_seq) AS said FROM verdict;

-- name: verdicts_of_notify
-- notify: the newest verdicts.
SELECT beneficiary_id AS id, uuid_hash_extended(beneficiary_id, result_seq) AS hash, format('result %s', result_seq) AS said FROM verdict;

-- name: payments_of_payout
-- payout: states of payments, and of those to accounts. Drafts are told to nobody.
SELECT instruction_id AS id, concat_ws(' ', state_seq, state) AS said, hashtextextended(state, uuid_hash_extended(instruction_id, state_seq)) AS hash,
       CASE channel WHEN 'account' THEN concat_ws(' ', state_seq, state) END AS account_said,
       CASE channel WHEN 'account' THEN hashtextextended(state, uuid_hash_extended(instruction_id, state_seq)) END AS account
  FROM instruction WHERE state <> 'created';

-- name: payments_of_registry
-- registry: states of payments.
SELECT instruction_id AS id, concat_ws(' ', state_seq, state) AS said, hashtextextended(state, uuid_hash_extended(instruction_id, state_seq)) AS hash FROM payment;

-- name: account_payments_of_notify
-- notify: states of payments to accounts.
SELECT instruction_id AS id, concat_ws(' ', state_seq, state) AS said, hashtextextended(state, uuid_hash_extended(instruction_id, state_seq)) AS hash
  FROM account_payment;

-- name: texts_of_notify
-- notify: texts the gateway answered for.
SELECT message_id AS id, hashtextextended(status, uuid_hash_extended(message_id, 0)) AS hash, status AS said FROM message
 WHERE status IN ('accepted', 'delivered', 'failed', 'skipped');

-- name: texts_of_registry
-- registry: texts the gateway answered for.
SELECT message_id AS id, hashtextextended(status, uuid_hash_extended(message_id, 0)) AS hash, status AS said FROM text
 WHERE status IN ('accepted', 'delivered', 'failed', 'skipped');

-- name: statements_without_effect
-- registry: statements that took effect, of which the record they speak about knows nothing, and ones that neither wait nor went on.
WITH nobody AS MATERIALIZED (
    SELECT id, source, record, sequence FROM source_event WHERE fate = 'no_person'
)
SELECT format('statement %s of %s %s: %s without effect', e.id, e.source, e.sequence, e.fate) AS row
  FROM source_event e LEFT JOIN source_record r USING (source, record)
 WHERE e.fate = 'applied' AND e.beneficiary_id IS NOT NULL AND e.kind NOT IN ('merged', 'unmerged', 'erased')
   AND (r.sequence IS NULL OR r.sequence < e.sequence)
 UNION ALL
SELECT format('statement %s of %s %s: waits nowhere', e.id, e.source, e.sequence) FROM nobody e
 WHERE NOT EXISTS (SELECT FROM waiting w WHERE (w.source, w.record, w.sequence) = (e.source, e.record, e.sequence))
   AND NOT EXISTS (SELECT FROM source_event f WHERE (f.source, f.record, f.sequence) = (e.source, e.record, e.sequence) AND f.fate <> 'no_person')
   AND e.record NOT LIKE 'unmatched.%'
 UNION ALL
SELECT format('row %s of %s %s: waits nowhere', e.id, e.source, e.sequence) FROM nobody e
 WHERE coalesce(e.record LIKE 'unmatched.%' AND e.record <> 'unmatched.erased', true)
   AND NOT EXISTS (SELECT FROM waiting w WHERE (w.source, w.record) = (e.source, e.record))
   AND NOT EXISTS (SELECT FROM source_event f WHERE (f.source, f.sequence) = (e.source, e.sequence) AND f.fate <> 'no_person')
 ORDER BY 1;

-- name: merged_people_with_rows
-- registry: merged-away ids with a live row in an open list, a record or a number of their own, or that lead to somebody who is merged away
-- or to nobody a confirmed merge names.
SELECT format('%s is merged away into %s and %s', m.beneficiary_id, m.survivor_id, what) AS row
  FROM merged m JOIN person p USING (beneficiary_id)
  CROSS JOIN LATERAL (VALUES
    ('has a live row', EXISTS (SELECT FROM list_row r JOIN payroll_list l USING (period, payer)
                                WHERE r.beneficiary_id = m.beneficiary_id AND r.state = 'active' AND l.state = 'open')),
    ('has a record', EXISTS (SELECT FROM source_record s WHERE s.beneficiary_id = m.beneficiary_id)),
    ('is found by itself', p.number_ix IS NOT NULL OR p.old_number_ix IS NOT NULL OR p.name_birth_ix IS NOT NULL),
    ('goes further', EXISTS (SELECT FROM merged f WHERE f.beneficiary_id = m.survivor_id)),
    ('nobody confirmed it', NOT EXISTS (SELECT FROM merge_act a WHERE a.act_id = m.act_id AND a.kind = 'merge' AND a.confirmed_at IS NOT NULL
                                           AND (a.merged_id, a.survivor_id) = (m.beneficiary_id, m.survivor_id)))
  ) AS found (what, holds)
 WHERE holds ORDER BY 1;

-- name: closed_lists_unlike_their_rows
-- registry: closed lists whose frozen lines are not their active rows, or whose upstream declared something else (rows and refusals).
WITH rows AS MATERIALIZED (
    SELECT period, payer, source, count(*) AS count, sum(declared_vnd)::bigint AS vnd, count(*) FILTER (WHERE state = 'active') AS active,
           coalesce(sum(declared_vnd) FILTER (WHERE state = 'active'), 0)::bigint AS active_vnd FROM list_row GROUP BY 1, 2, 3
), said AS (  -- who was put onto another payer's list by a decision about their commune counts where upstream listed them
    SELECT period, payer, source, sum(count)::bigint AS count, sum(vnd)::bigint AS vnd
      FROM (SELECT period, payer, source, count, vnd FROM rows
             UNION ALL
            SELECT r.period, r.payer, r.source, -1, -r.declared_vnd FROM list_row r
             WHERE (r.source, r.record, r.period) IN (SELECT c.source, c.record, c.period FROM area_case c WHERE c.fate = 'applied')
             UNION ALL
            SELECT r.period, c.payer, r.source, 1, r.declared_vnd FROM area_case c JOIN list_row r USING (source, record, period) WHERE c.fate = 'applied') AS counted
     GROUP BY 1, 2, 3
), refused AS (
    SELECT period, payer, source, count(*) AS count, sum(vnd)::bigint AS vnd FROM (
        SELECT DISTINCT ON (source, record) period, payer, source, declared_vnd AS vnd FROM source_event e
         WHERE fate = 'refused' AND period IS NOT NULL AND import_id IS NULL
           AND NOT EXISTS (SELECT FROM list_row r WHERE (r.source, r.record, r.period) = (e.source, e.record, e.period))
         ORDER BY source, record, id DESC) last GROUP BY 1, 2, 3
), held AS (
    SELECT period, payer, sum(active)::bigint AS count, sum(active_vnd)::bigint AS vnd FROM rows GROUP BY 1, 2
)
SELECT format('%s %s: %s lines of %s VND closed, rows %s of %s', l.period, l.payer, l.count, l.vnd, held.count, held.vnd) AS row
  FROM payroll_list l LEFT JOIN held USING (period, payer)
 WHERE l.state = 'closed' AND (l.count::bigint, l.vnd) IS DISTINCT FROM (held.count, held.vnd)
 UNION ALL
SELECT format('%s %s %s: declared %s of %s VND, held %s of %s, refused %s', period, payer, source, d.count, d.vnd, said.count, said.vnd, refused.count)
  FROM list_declaration d JOIN payroll_list l USING (period, payer) LEFT JOIN said USING (period, payer, source) LEFT JOIN refused USING (period, payer, source)
 WHERE l.state = 'closed'
   AND (d.count, d.vnd) IS DISTINCT FROM (coalesce(said.count, 0) + coalesce(refused.count, 0), coalesce(said.vnd, 0) + coalesce(refused.vnd, 0))
 ORDER BY 1;

-- name: states_without_answer
-- payout: payments whose state no applied answer says, and applied answers that the state of their payment does not follow. Paid ones are
-- compared by bucket, then row by row; what failed is looked up.
WITH refused AS (
    SELECT batch_id FROM result WHERE end_to_end_id IS NULL AND kind = 'batch_refused' AND fate = 'applied'
), payments AS MATERIALIZED (
    SELECT state, CASE WHEN state IN ('rejected', 'returned', 'expired') THEN instruction_id END AS failed, bit_xor(hashtextextended(end_to_end_id, 0)) AS k
      FROM instruction GROUP BY 1, 2
), answers AS MATERIALIZED (
    SELECT status, CASE WHEN status <> 'paid' THEN end_to_end_id END AS failed, bit_xor(hashtextextended(end_to_end_id, 0)) AS k
      FROM result WHERE fate = 'applied' AND status IN ('paid', 'rejected', 'returned') GROUP BY 1, 2
), failed AS (
    SELECT i.*, p.k FROM payments p CROSS JOIN LATERAL (SELECT * FROM instruction WHERE instruction_id = p.failed LIMIT 1) AS i
), whole AS MATERIALIZED (
    SELECT coalesce(bit_xor(k), 0) = coalesce((SELECT k FROM answers WHERE status = 'paid'), 0) AS agrees
      FROM (SELECT k FROM payments WHERE state IN ('paid', 'collected')
             UNION ALL
            SELECT k FROM failed WHERE state = 'returned' AND EXISTS (
                SELECT FROM result r WHERE r.end_to_end_id = failed.end_to_end_id AND r.fate = 'applied' AND r.status = 'paid')) AS paid
), paid AS NOT MATERIALIZED (
    SELECT end_to_end_id, hashtextextended(end_to_end_id, 0) AS k FROM instruction i
     WHERE state IN ('paid', 'collected')
        OR (state = 'returned'
            AND (SELECT count(*) FROM result r WHERE r.end_to_end_id = i.end_to_end_id AND r.fate = 'applied' AND r.status = 'paid') > 0)
), said AS NOT MATERIALIZED (
    SELECT end_to_end_id, hashtextextended(end_to_end_id, 0) AS k FROM result WHERE fate = 'applied' AND status = 'paid'
), differing AS (
    SELECT k & 4095 AS bucket FROM (SELECT k FROM paid UNION ALL SELECT k FROM said) AS both_sides
     WHERE NOT (SELECT agrees FROM whole) GROUP BY 1 HAVING bit_xor(k) <> 0
)
SELECT format('id %s: payment %s, answer %s', end_to_end_id, CASE WHEN p.k IS NULL THEN 'not paid' ELSE 'paid' END,
              CASE WHEN s.k IS NULL THEN 'missing' ELSE 'paid' END) AS row
  FROM (SELECT * FROM paid WHERE NOT (SELECT agrees FROM whole) AND k & 4095 IN (SELECT bucket FROM differing)) AS p
  FULL JOIN (SELECT * FROM said WHERE NOT (SELECT agrees FROM whole) AND k & 4095 IN (SELECT bucket FROM differing)) AS s USING (end_to_end_id)
 WHERE p.k IS NULL OR s.k IS NULL
 UNION ALL
SELECT format('payment %s is %s without an answer', instruction_id, state) FROM failed i
 WHERE CASE WHEN (SELECT count(*) FROM result r WHERE r.end_to_end_id = i.end_to_end_id AND r.fate = 'applied'
                     AND r.status = CASE i.state WHEN 'rejected' THEN 'rejected' ELSE 'returned' END) = 0
            THEN batch_id NOT IN (SELECT batch_id FROM refused) ELSE false END
 UNION ALL
SELECT format('answer %s to id %s without effect', status, failed) FROM answers
 WHERE (SELECT i.state FROM instruction i WHERE i.end_to_end_id = failed LIMIT 1) NOT IN (status, CASE status WHEN 'returned' THEN 'expired' ELSE status END)
 ORDER BY 1;

-- name: paid_again_without_proof
-- payout: payments without an answer that they failed, whose lines went into another payment all the same.
WITH again AS MATERIALIZED (
    SELECT il.instruction_id, il.entitlement_id FROM instruction_line il
     WHERE NOT il.live
       AND ((SELECT count(*) FROM instruction_line o WHERE o.live AND o.entitlement_id = il.entitlement_id) > 0
            OR (SELECT count(*) FROM instruction_line o WHERE NOT o.live AND o.entitlement_id = il.entitlement_id AND o.piece > il.piece) > 0)
)
SELECT DISTINCT format('payment %s is %s without proof, line %s paid again', i.instruction_id, i.state, again.entitlement_id) AS row
  FROM again
  CROSS JOIN LATERAL (SELECT * FROM instruction WHERE instruction.instruction_id = again.instruction_id LIMIT 1) AS i
 WHERE i.state <> 'withdrawn'
   AND CASE WHEN (SELECT count(*) FROM result r WHERE r.end_to_end_id = i.end_to_end_id
                     AND (r.fate = 'applied' AND r.status IN ('rejected', 'returned') OR r.outcome = 'cancelled')) = 0
            THEN i.batch_id NOT IN (SELECT r.batch_id FROM result r WHERE r.end_to_end_id IS NULL AND r.kind = 'batch_refused' AND r.fate = 'applied')
            ELSE false END
 ORDER BY 1;

-- name: lists_unlike_their_hash
-- payout, every payment: lists whose payments no longer give the hash that people signed, or the hash of what left.
WITH said AS (
    SELECT i.batch_id, i.state, format('%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s', i.end_to_end_id, i.instruction_id, i.beneficiary_id, i.part,
               i.attempt, i.provider, i.channel, i.area, i.vnd, coalesce(i.account_digest, '-'),
               string_agg(concat_ws(chr(58), il.entitlement_id, il.piece, il.vnd), ',' ORDER BY il.entitlement_id)) || chr(10) AS text
      FROM instruction i JOIN instruction_line il USING (instruction_id) GROUP BY i.instruction_id
), hashed AS (
    SELECT batch_id, encode(sha256(convert_to(string_agg(text, '' ORDER BY text COLLATE "C"), 'UTF8')), 'hex') AS sha256,
           encode(sha256(convert_to(coalesce(string_agg(text, '' ORDER BY text COLLATE "C") FILTER (WHERE state <> 'withdrawn'), ''), 'UTF8')), 'hex') AS sent
      FROM said GROUP BY batch_id
)
SELECT format('batch %s is %s', batch_id, b.state) AS row FROM batch b LEFT JOIN hashed h USING (batch_id)
 WHERE h.sha256 IS DISTINCT FROM b.sha256 OR (b.sent_sha256 IS NOT NULL AND h.sent IS DISTINCT FROM b.sent_sha256) ORDER BY 1;

-- name: lines_without_effect
-- payout: lines of booked files without a fate, files with other lines than were read, believed lines that the state of their payment does
-- not follow, and broken ones without their break.
SELECT format('file %s: %s lines were read, %s are kept', f.file_id, f.lines, kept.count) AS row
  FROM statement_file f CROSS JOIN LATERAL (SELECT count(*) AS count FROM statement_line l WHERE l.file_id = f.file_id) AS kept
 WHERE f.state <> 'refused' AND f.lines <> kept.count
 UNION ALL
SELECT format('file %s line %s: no fate', l.file_id, l.line) FROM statement_file f JOIN statement_line l USING (file_id)
 WHERE f.state = 'booked' AND l.fate IS NULL
 UNION ALL
SELECT format('file %s line %s says %s, payment %s is %s', l.file_id, l.line, l.kind, i.instruction_id, i.state)
  FROM statement_line l JOIN instruction i USING (end_to_end_id)
 WHERE l.fate IN ('applied', 'repeat')
   AND CASE l.kind WHEN 'paid' THEN i.state NOT IN ('paid', 'collected', 'returned') WHEN 'rejected' THEN i.state NOT IN ('rejected', 'cancelled')
                   WHEN 'returned' THEN i.state NOT IN ('returned', 'expired', 'rejected', 'cancelled') ELSE false END
 UNION ALL
SELECT format('file %s line %s: no break %s', l.file_id, l.line, l.break_id) FROM statement_line l
 WHERE l.fate = 'break' AND NOT EXISTS (SELECT FROM break_item k WHERE k.break_id = l.break_id)
 ORDER BY 1;

-- name: breaks_that_do_not_add_up
-- payout: open breaks whose amounts are not what their ledger holds, and breaks that ended otherwise than by the posting of two people.
WITH open AS (
    SELECT concat_ws(chr(58), 'breaks', provider) AS account, sum(vnd) AS vnd FROM break_item WHERE approved_by IS NULL GROUP BY 1
), booked AS (
    SELECT account, sum(vnd) AS vnd FROM (SELECT debit AS account, vnd FROM break_posting UNION ALL SELECT credit, -vnd FROM break_posting) AS side
     WHERE left(account, 7) = concat('breaks', chr(58)) GROUP BY 1
)
SELECT format('%s: %s VND open, ledger %s', account, coalesce(open.vnd, 0), coalesce(booked.vnd, 0)) AS row
  FROM open FULL JOIN booked USING (account) WHERE coalesce(open.vnd, 0) <> coalesce(booked.vnd, 0)
 UNION ALL
SELECT format('break %s ended by %s and %s', k.break_id, coalesce(k.proposed_by, 'nobody'), k.approved_by) FROM break_item k
 WHERE k.approved_by IS NOT NULL
   AND (k.approved_by IS NOT DISTINCT FROM k.proposed_by OR k.proposed_by IS NULL
        OR NOT EXISTS (SELECT FROM break_posting p WHERE p.posting_id = k.posting_id AND p.break_id = k.break_id AND p.vnd = k.vnd))
 ORDER BY 1;

-- name: cancels_against_their_payment
-- payout: wishes to cancel that do not agree with their payment, and lines kept back by two people that were paid again.
SELECT format('cancel of payment %s is %s, the payment is %s', c.instruction_id, c.state, i.state) AS row
  FROM cancel_item c JOIN cancel_list l USING (list_sha256) LEFT JOIN instruction i USING (instruction_id)
 WHERE (c.state = 'cancelled') <> (i.state = 'cancelled')
    OR (c.state IN ('asked', 'unknown', 'not_known') AND i.state NOT IN ('sending', 'accepted', 'issued', 'unknown'))
    OR (c.state NOT IN ('proposed', 'too_late', 'moot') AND l.confirmed_by IS NULL)
 UNION ALL
SELECT format('line %s was kept back and is in payment %s', il.entitlement_id, il.instruction_id)
  FROM cancel_item c JOIN cancel_list l USING (list_sha256) JOIN instruction i USING (instruction_id) JOIN instruction_line dead USING (instruction_id)
  JOIN instruction_line il ON il.entitlement_id = dead.entitlement_id AND il.live
  JOIN instruction o ON o.instruction_id = il.instruction_id AND o.attempt > i.attempt
 WHERE c.state = 'cancelled' AND l.after = 'keep'
 ORDER BY 1;

-- name: recoveries_that_do_not_add_up
-- payout: claims whose amounts are not what their ledger holds, that claim more than was paid, or ended otherwise than by the posting of two
-- people or a returned payment; and chains of claims with a wrong hash or number.
SELECT format('%s: %s VND claimed, ledger %s', payer, coalesce(open.vnd, 0), coalesce(booked.vnd, 0)) AS row
  FROM (SELECT payer, sum(vnd) AS vnd FROM recovery_case WHERE ended_at IS NULL GROUP BY payer) AS open
  FULL JOIN (SELECT payer, sum(CASE WHEN debit = concat('recovery', chr(58), 'open') THEN vnd ELSE -vnd END) AS vnd
               FROM recovery_posting GROUP BY payer) AS booked USING (payer)
 WHERE coalesce(open.vnd, 0) <> coalesce(booked.vnd, 0)
 UNION ALL
SELECT format('line %s: %s VND claimed, %s declared', entitlement_id, sum(k.vnd), l.declared_vnd) FROM recovery_case k LEFT JOIN line l USING (entitlement_id)
 GROUP BY entitlement_id, l.declared_vnd HAVING sum(k.vnd) > coalesce(l.declared_vnd, 0)
 UNION ALL
SELECT format('recovery %s ended by %s and %s', k.case_id, coalesce(k.proposed_by, 'nobody'), coalesce(k.approved_by, 'nobody')) FROM recovery_case k
 WHERE k.ended_at IS NOT NULL
   AND (CASE WHEN k.ending = 'came_back' THEN NOT EXISTS (SELECT FROM instruction i WHERE i.instruction_id = k.instruction_id AND i.state = 'returned')
             ELSE k.approved_by IS NOT DISTINCT FROM k.proposed_by OR k.proposed_by IS NULL OR k.approved_by IS NULL END
        OR NOT EXISTS (SELECT FROM recovery_posting p WHERE p.case_id = k.case_id AND p.vnd = k.vnd
                          AND p.debit = concat('recovery', chr(58), k.ending)))
 UNION ALL
SELECT format('%s: claim %s breaks the chain', payer, seq) FROM (
    SELECT p.*, lag(p.seq, 1, 0::bigint) OVER chain AS seq_before,
           lag(p.sha256, 1, decode(repeat('00', 32), 'hex')) OVER chain AS before
      FROM recovery_posting p WINDOW chain AS (PARTITION BY p.payer ORDER BY p.seq)) AS p
 WHERE seq <> seq_before + 1
    OR sha256 <> sha256(before || convert_to(concat_ws('|', posting_id, case_id, payer, debit, credit, vnd, (extract(epoch FROM at) * 1000000)::bigint), 'UTF8'))
 ORDER BY 1;

-- name: sent_without_province
-- payout: lists that left above the tier of their period without the province's signature.
SELECT format('batch %s left without the province', b.batch_id) AS row FROM batch b
 WHERE b.sent_at IS NOT NULL AND NOT EXISTS (SELECT FROM approval a WHERE a.batch_id = b.batch_id AND a.step = 'endorse')
   AND (SELECT sum(o.vnd) FROM batch o WHERE o.period = b.period AND o.payer = b.payer AND o.round = b.round)
       > (SELECT t.above_vnd FROM approval_tier t WHERE t.payer IN (b.payer, '*') AND t.from_period <= b.period AND t.set_at <= b.sent_at
           ORDER BY t.payer = '*', t.from_period DESC, t.set_at DESC LIMIT 1) ORDER BY 1;

-- name: sent_in_freeze
-- payout: lists that left in a freeze that stood before, without an emergency. Set later, a freeze cannot reach back.
SELECT format('batch %s left in a freeze', b.batch_id) AS row FROM batch b
 WHERE EXISTS (SELECT FROM freeze_window f WHERE f.payer IN (b.payer, '*') AND f.set_at <= b.sent_at
                  AND b.sent_at >= f.starts_at AND b.sent_at < f.ends_at)
   AND NOT EXISTS (SELECT FROM emergency_release e WHERE e.batch_id = b.batch_id) ORDER BY 1;

-- name: moved_after_finish
-- payout: in finished payrolls: lines that are not exactly paid, carried or held, lists that have not settled, postings made later.
SELECT format('%s %s: line %s has no end', c.period, c.payer, l.entitlement_id) AS row
  FROM payroll_closed c JOIN line l USING (period, payer)
  CROSS JOIN LATERAL (SELECT coalesce(sum(il.vnd), 0) AS vnd FROM instruction_line il JOIN instruction i USING (instruction_id)
                       WHERE il.entitlement_id = l.entitlement_id AND il.live AND i.state IN ('paid', 'collected')) paid
  CROSS JOIN LATERAL (SELECT coalesce(sum(h.vnd), 0) AS vnd FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL) kept
  LEFT JOIN carried k ON k.entitlement_id = l.entitlement_id
 WHERE paid.vnd + kept.vnd + coalesce(k.vnd, 0) <> l.declared_vnd
UNION ALL SELECT format('%s %s: batch %s is %s', b.period, b.payer, b.batch_id, b.state) FROM payroll_closed JOIN batch b USING (period, payer)
 WHERE b.state <> 'settled'
UNION ALL SELECT format('%s %s: posting %s was made after it was finished', p.period, p.payer, p.posting_id)
  FROM payroll_closed c JOIN posting p USING (period, payer) WHERE p.at > c.closed_at ORDER BY 1;

-- name: funnel_that_does_not_add_up
-- registry: the newest period's funnel against its list (everybody once) and against the payments; and wishes unlike their last change.
WITH newest AS MATERIALIZED (
    SELECT max(period) AS period FROM list_row
), shown AS MATERIALIZED (
    SELECT count(*) AS rows, bit_xor(uuid_hash_extended(f.beneficiary_id, 0)) AS who, count(*) FILTER (WHERE f.stage = 'paid') AS paid
      FROM newest n CROSS JOIN LATERAL funnel(n.period, date '1970-01-01') f
), listed AS MATERIALIZED (
    SELECT count(*) AS people, bit_xor(uuid_hash_extended(beneficiary_id, 0)) AS who, count(*) FILTER (
               WHERE beneficiary_id IN (SELECT m.beneficiary_id FROM payment m WHERE m.state = 'paid' AND m.channel = 'account'
                                           AND (SELECT period FROM newest) = ANY(m.periods))
                 AND beneficiary_id NOT IN (SELECT p.beneficiary_id FROM person p WHERE p.life <> 'alive' OR p.cannot_reason IS NOT NULL)) AS paid
      FROM (SELECT beneficiary_id FROM list_row WHERE state = 'active' AND period = (SELECT period FROM newest) GROUP BY beneficiary_id) AS once
)
SELECT format('%s people on the list, %s rows in the funnel, of %s people', l.people, s.rows, CASE WHEN l.who = s.who THEN 'the same' ELSE 'other' END) AS row
  FROM listed l, shown s WHERE (l.people, l.who) IS DISTINCT FROM (s.rows, s.who)
 UNION ALL
SELECT format('%s people were paid on an account, the funnel says %s', l.paid, s.paid) FROM listed l, shown s WHERE l.paid <> s.paid
 UNION ALL
SELECT format('%s wishes %s, last changed into %s', p.beneficiary_id, p.wish, c.wish)
  FROM (SELECT DISTINCT ON (beneficiary_id) beneficiary_id, wish FROM wish_change ORDER BY beneficiary_id, epoch DESC, n DESC) c
  JOIN person p USING (beneficiary_id) WHERE p.wish <> c.wish
 ORDER BY 1;

-- name: benefits_paid_twice
-- payout: one benefit of a person and month in live payments of two payers, and one gift in two live payments. Only who stands on lists of
-- two payers in a month, and lines of gifts, are looked at.
WITH several AS MATERIALIZED (
    SELECT beneficiary_id, period FROM line GROUP BY beneficiary_id, period HAVING count(*) > 1
), twice AS (
    SELECT beneficiary_id, period FROM several
     CROSS JOIN LATERAL (SELECT min(payer) <> max(payer) AS lists FROM line l WHERE (l.beneficiary_id, l.period) = (several.beneficiary_id, several.period)) AS two
     WHERE lists
), paid AS (
    SELECT l.beneficiary_id, l.period AS month, l.payer, l.content::jsonb ->> 'benefit_code' AS code
      FROM twice CROSS JOIN LATERAL (SELECT * FROM line WHERE (line.beneficiary_id, line.period) = (twice.beneficiary_id, twice.period) OFFSET 0) AS l
     WHERE EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
), gift AS (
    SELECT l.beneficiary_id, l.gift AS code FROM line l
     WHERE l.gift IS NOT NULL
       AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
)
SELECT format('%s of %s in %s: paid by %s', code, beneficiary_id, month, string_agg(DISTINCT payer, ', ')) AS row FROM paid
 GROUP BY beneficiary_id, month, code HAVING count(DISTINCT payer) > 1
UNION ALL SELECT format('%s of %s: given %s times', code, beneficiary_id, count(*)) FROM gift GROUP BY beneficiary_id, code HAVING count(*) > 1
 ORDER BY 1;

-- name: erased_in_registry
-- registry: erased people nobody else confirmed, who read otherwise, or of whom a block, a digest, a key or a statement that waits is left.
SELECT format('%s is erased and %s', p.beneficiary_id, what) AS row
  FROM person p
  CROSS JOIN LATERAL (VALUES
    ('no two people asked for it', NOT EXISTS (SELECT FROM erasure e WHERE e.confirmed_by <> e.asked_by
                                                  AND (e.beneficiary_id = p.beneficiary_id OR p.beneficiary_id = ANY (e.with_merged)))),
    ('reads as somebody', num_nonnulls(p.identity, p.payee, p.delivery, p.collector, p.contact, p.circumstances, p.identity_digest, p.account_digest,
                                       p.delivery_digest, p.number_ix, p.old_number_ix, p.name_birth_ix, p.name_place_ix, p.name_area_ix,
                                       p.birth_year) > 0),
    ('is found by a key', EXISTS (SELECT FROM person_key k WHERE k.beneficiary_id = p.beneficiary_id)
                          OR EXISTS (SELECT FROM merged_key k WHERE k.beneficiary_id = p.beneficiary_id)
                          OR EXISTS (SELECT FROM looked_at k WHERE k.beneficiary_id = p.beneficiary_id)),
    ('is a candidate', EXISTS (SELECT FROM candidate c WHERE p.beneficiary_id IN (c.one, c.other))),
    ('was seen', EXISTS (SELECT FROM pair_sight s WHERE s.one = p.beneficiary_id AND s.one_digest IS NOT NULL)
                 OR EXISTS (SELECT FROM pair_sight s WHERE s.other = p.beneficiary_id AND s.other_digest IS NOT NULL)),
    ('has a verdict', EXISTS (SELECT FROM verified v WHERE v.beneficiary_id = p.beneficiary_id)),
    ('has circumstances on a line', EXISTS (SELECT FROM entitlement_line l WHERE l.beneficiary_id = p.beneficiary_id AND l.circumstances IS NOT NULL)),
    ('was placed', EXISTS (SELECT FROM area_case c WHERE c.beneficiary_id = p.beneficiary_id AND num_nonnulls(c.sealed, c.subject) > 0)
                   OR EXISTS (SELECT FROM area_decision d WHERE d.beneficiary_id = p.beneficiary_id AND d.subject IS NOT NULL)),
    ('is kept as a file found them', EXISTS (SELECT FROM person_before b WHERE b.beneficiary_id = p.beneficiary_id)),
    ('has a record that says something', EXISTS (SELECT FROM source_record s WHERE s.beneficiary_id = p.beneficiary_id AND s.digest <> '')),
    ('has a live row', EXISTS (SELECT FROM list_row r JOIN payroll_list l USING (period, payer)
                                WHERE r.beneficiary_id = p.beneficiary_id AND r.state = 'active' AND l.state <> 'closed'))
  ) AS found (what, holds)
 WHERE p.erased_at IS NOT NULL AND holds ORDER BY 1;

-- name: erased_in_verification
-- verification: erased people of whom a block, a digest, an index, a register person or an open question is left.
SELECT format('%s is erased and %s', p.beneficiary_id, what) AS row
  FROM person p
  CROSS JOIN LATERAL (VALUES
    ('reads as somebody', num_nonnulls(p.identity, p.payee, p.identity_digest, p.account_digest, p.number_ix, p.old_number_ix, p.name_birth_ix, p.account_ix,
                                       p.person_token, p.entry_old_ix) > 0),
    ('has a result with digests', EXISTS (SELECT FROM verdict v WHERE v.beneficiary_id = p.beneficiary_id AND v.identity_digest IS NOT NULL)),
    ('is asked about', EXISTS (SELECT FROM question q WHERE q.beneficiary_id = p.beneficiary_id AND (q.digest IS NOT NULL OR q.ended_at IS NULL))),
    ('was seen', EXISTS (SELECT FROM review_sight s WHERE s.beneficiary_id = p.beneficiary_id AND s.identity_digest IS NOT NULL)),
    ('was decided to be somebody', EXISTS (SELECT FROM review_decision d WHERE d.beneficiary_id = p.beneficiary_id AND d.person_token IS NOT NULL))
  ) AS found (what, holds)
 WHERE p.erased_at IS NOT NULL AND holds ORDER BY 1;

-- name: erased_in_payout
-- payout: erased people of whom a block, a digest, a verdict, circumstances or a file is left, or whose money is still under way.
SELECT format('%s is erased and %s', p.beneficiary_id, what) AS row
  FROM person p
  CROSS JOIN LATERAL (VALUES
    ('reads as somebody', num_nonnulls(p.payee, p.delivery, p.bank_bin, p.identity_digest, p.account_digest, p.delivery_digest) > 0),
    ('has a verdict', EXISTS (SELECT FROM verdict v WHERE v.beneficiary_id = p.beneficiary_id)),
    ('has circumstances on a line', EXISTS (SELECT FROM line l WHERE l.beneficiary_id = p.beneficiary_id AND l.circumstances IS NOT NULL)),
    ('is paid', EXISTS (SELECT FROM instruction i WHERE i.beneficiary_id = p.beneficiary_id
                           AND i.state IN ('created', 'sealed', 'sending', 'accepted', 'issued', 'unknown'))),
    ('stands in a file', p.leaves_files OR EXISTS (SELECT FROM line l LEFT JOIN payroll_join j ON j.payer = l.payer AND j.joined = l.period
                                                      JOIN file f ON f.payer = l.payer AND f.period = coalesce(j.period, l.period)
                                                     WHERE l.beneficiary_id = p.beneficiary_id AND f.removed_at IS NULL)),
    ('stands in a statement', EXISTS (SELECT FROM instruction i JOIN statement_line s USING (end_to_end_id)
                                       WHERE i.beneficiary_id = p.beneficiary_id
                                         AND (s.account_ix IS NOT NULL OR EXISTS (SELECT FROM statement_part t WHERE t.file_id = s.file_id))))
  ) AS found (what, holds)
 WHERE p.erased_at IS NOT NULL AND holds ORDER BY 1;

-- name: erased_in_notify
-- notify: erased people who have a number, a verdict or a text that may still go out.
SELECT format('%s is erased and %s', p.beneficiary_id, what) AS row
  FROM person p
  CROSS JOIN LATERAL (VALUES
    ('has a number', num_nonnulls(p.contact, p.phone_ix) > 0),
    ('has a verdict', EXISTS (SELECT FROM verdict v WHERE v.beneficiary_id = p.beneficiary_id)),
    ('owns a text', EXISTS (SELECT FROM message m WHERE m.owner = p.beneficiary_id
                              AND (m.contact IS NOT NULL OR m.status IN ('created', 'sending', 'unknown'))))
  ) AS found (what, holds)
 WHERE p.erased_at IS NOT NULL AND holds ORDER BY 1;

-- name: published_of_erased
-- registry and verification: what was told of people before they were erased and still lies in the outbox with its content.
SELECT format('%s is erased and event %s to %s still holds them', o.key, o.event_id, o.topic) AS row
  FROM (SELECT event_id, topic, key, payload FROM outbox
         WHERE topic IN ('registry.beneficiary.v1', 'registry.entitlement.v1', 'verification.result.v1') AND octet_length(payload) > 0
           AND key IN (SELECT p.beneficiary_id::text FROM person p WHERE p.erased_at IS NOT NULL) OFFSET 0) AS o
 WHERE NOT convert_from(o.payload, 'UTF8')::jsonb ? 'erased_at'
   AND (o.topic <> 'registry.entitlement.v1' OR convert_from(o.payload, 'UTF8')::jsonb ? 'circumstances') ORDER BY 1;

-- name: months_out_of_their_payroll
-- payout: lists of months that are paid with another payroll; months finished without those they are paid with; payments of several months
-- that are not exactly of the months of their lines, or of a month that did not join their payroll.
SELECT format('batch %s is of %s, which is paid with %s', b.batch_id, b.period, j.period) AS row
  FROM payroll_join j JOIN batch b ON b.payer = j.payer AND b.period = j.joined
 UNION ALL
SELECT format('%s %s: finished without %s', c.period, c.payer, o.period)
  FROM payroll_join j JOIN payroll_closed c ON c.payer = j.payer AND c.period IN (j.period, j.joined)
  CROSS JOIN LATERAL (SELECT CASE c.period WHEN j.period THEN j.joined ELSE j.period END AS period) o
 WHERE NOT EXISTS (SELECT FROM payroll_closed k WHERE k.payer = c.payer AND k.period = o.period)
 UNION ALL
SELECT format('payment %s of %s: of %s, its lines of %s', i.instruction_id, b.period, i.periods, paid.months)
  FROM instruction i JOIN batch b USING (batch_id)
  CROSS JOIN LATERAL (SELECT array_agg(DISTINCT l.period ORDER BY l.period) AS months,
                             bool_and(l.payer = b.payer AND (l.period = b.period OR EXISTS (
                                 SELECT FROM payroll_join j WHERE j.payer = b.payer AND j.period = b.period AND j.joined = l.period))) AS ours
                        FROM instruction_line il JOIN line l USING (entitlement_id) WHERE il.instruction_id = i.instruction_id) paid
 WHERE i.periods IS NOT NULL AND (paid.months IS DISTINCT FROM i.periods OR paid.ours IS NOT TRUE)
 ORDER BY 1;

-- name: money_on_a_death_paid_twice
-- payout: people for whom a line under a code of a death and another that holds as much of it beside a benefit are in live payments together.
SELECT format('%s (%s) of %s: within %s too', l.content::jsonb ->> 'benefit_code', l.entitlement_id, l.beneficiary_id, o.entitlement_id) AS row
  FROM line l JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.may_be_on_death AND o.gift IS NULL
 WHERE l.may_be_on_death AND l.gift IS NOT NULL
   AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
   AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)
   AND 2 * on_death_vnd(o.entitlement_id, l.gift) >= l.declared_vnd
 ORDER BY 1;

-- name: owed_and_not_built
-- payout: lines of finished months that are still owed of a payment that fell out, and were not built again.
SELECT format('%s of %s %s waits for a build', l.entitlement_id, l.period, l.payer) AS row
  FROM held h JOIN line l USING (entitlement_id) JOIN payroll_closed f USING (period, payer)
 WHERE h.until IS NULL AND h.reason = 'NEXT_BUILD' ORDER BY 1;

-- name: kept_back_and_free
-- payout: lines of payments that died under a cancel two people signed, of months these keep back for good, that are not held as that. One that
-- died between the signatures may be in a payment that was made before the second: there is nothing to hold then, and the answer says so.
SELECT format('%s of %s %s is not kept back', n.entitlement_id, n.period, n.payer) AS row
  FROM cancel_list l JOIN cancel_item c USING (list_sha256) JOIN instruction i USING (instruction_id)
  JOIN instruction_line il USING (instruction_id) JOIN line n USING (entitlement_id)
 WHERE l.after = 'keep' AND l.confirmed_by IS NOT NULL AND i.state IN ('rejected', 'returned', 'expired', 'cancelled')
   AND (c.cancel_id IS NOT NULL OR NOT EXISTS (SELECT FROM instruction_line o WHERE o.entitlement_id = n.entitlement_id AND o.live))
   AND (l.periods IS NULL OR n.period = ANY(l.periods))
   AND NOT EXISTS (SELECT FROM held h WHERE h.entitlement_id = n.entitlement_id AND h.until IS NULL AND h.reason = 'WITHDRAWN' AND h.vnd >= il.vnd)
 ORDER BY 1;

-- name: unpaid_brought_twice
-- payout: months that two lines in live payments of one person and programme name as not collected.
SELECT format('%s of %s (%s): unpaid in %s lines', asks.month, l.beneficiary_id, l.programme, count(DISTINCT l.entitlement_id)) AS row
  FROM line l CROSS JOIN LATERAL jsonb_array_elements_text(l.content::jsonb -> 'unpaid' -> 'periods') AS asks (month)
 WHERE l.earlier AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)
 GROUP BY asks.month, l.beneficiary_id, l.programme HAVING count(DISTINCT l.entitlement_id) > 1 ORDER BY 1;

-- name: held_for_each_other
-- payout: people whose benefit of a month two payers hold, each for the other's sake, in months that are finished, while nobody pays it.
SELECT format('%s in %s: held by %s and by %s', l.beneficiary_id, l.period, l.payer, o.payer) AS row
  FROM held h JOIN line l USING (entitlement_id) JOIN payroll_closed f USING (period, payer)
  JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.period = l.period AND o.payer > l.payer
  JOIN held k ON k.entitlement_id = o.entitlement_id AND k.until IS NULL AND k.reason = h.reason
  JOIN payroll_closed g ON g.period = o.period AND g.payer = o.payer
 WHERE h.until IS NULL AND h.reason = 'PAID_ELSEWHERE' AND l.gift IS NULL AND o.gift IS NULL
   AND l.content::jsonb ->> 'benefit_code' = o.content::jsonb ->> 'benefit_code'
   AND NOT EXISTS (SELECT FROM line t JOIN instruction_line il ON il.entitlement_id = t.entitlement_id AND il.live
                    WHERE t.beneficiary_id = l.beneficiary_id AND t.period = l.period)
 ORDER BY 1;

-- name: waiting_and_listed
-- registry: enrolments that wait for their commune although what their record has said since, or at the same time, stands on a list.
SELECT format('case %s waits and is on the list of %s of %s', c.case_id, r.period, r.payer) AS row
  FROM area_case c JOIN source_record s USING (source, record) JOIN list_row r USING (source, record, period)
 WHERE c.fate IS NULL AND r.state = 'active' AND s.sequence >= c.sequence ORDER BY 1;

-- name: placed_without_effect
-- registry: enrolments that wait although it was decided where the person lives; placed ones that took effect and stand in no row.
SELECT format('case %s waits and is decided as %s', c.case_id, d.area) AS row
  FROM area_case c JOIN area_decision d ON (d.old_area, d.old_until, d.since) = (c.old_area, c.old_until, c.since)
                                       AND (d.subject = c.subject OR d.beneficiary_id = c.beneficiary_id)
 WHERE c.fate IS NULL
 UNION ALL
SELECT format('case %s was placed and %s of %s has no row', c.case_id, c.period, c.beneficiary_id)
  FROM area_case c
 WHERE c.fate IN ('applied', 'repeated')
   AND NOT EXISTS (SELECT FROM list_row r WHERE r.period = c.period AND (r.beneficiary_id = c.beneficiary_id
                      OR r.beneficiary_id IN (SELECT m.survivor_id FROM merged m WHERE m.beneficiary_id = c.beneficiary_id)))
 ORDER BY 1;

-- name: cases_out_of_sight
-- registry: cases that nobody sees any more and that were neither listed anew nor undone with their file.
SELECT format('case %s of %s was passed over', c.case_id, c.period) AS row
  FROM area_case c
 WHERE c.fate = 'replaced'
   AND NOT EXISTS (SELECT FROM list_import i WHERE i.import_id = c.import_id AND i.undone_by IS NOT NULL)
   AND NOT EXISTS (SELECT FROM list_row r WHERE (r.source, r.record, r.period) = (c.source, c.record, c.period))
   AND NOT EXISTS (SELECT FROM list_row r WHERE r.period = c.period AND r.source = c.source AND r.beneficiary_id = c.beneficiary_id)
 ORDER BY 1;
