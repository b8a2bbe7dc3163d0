-- name: settlement_lists
-- Closed lists of a period: what each promised, and whether its payroll is finished.
SELECT c.payer, c.count, c.vnd, f.closed_at AS finished_at FROM closing c LEFT JOIN payroll_closed f USING (period, payer)
 WHERE c.period = :period AND (:payer::text IS NULL OR c.payer = :payer) ORDER BY c.payer;

-- name: settlement_places
-- Where every frozen line is, per payer, programme, commune, provider and reason: lines, each counted where most of it is, and VND.
-- `rest`: nothing explains it; `twice`: more than the line declares. One sort brings together all that is known of a line.
-- `list`: of this month, and of payrolls it joined; of those payments only the lines of this month count.
WITH list AS (
    SELECT batch_id FROM batch WHERE period = :period AND (:payer::text IS NULL OR payer = :payer)
    UNION ALL SELECT b.batch_id FROM payroll_join j JOIN batch b ON b.period = j.period AND b.payer = j.payer
     WHERE j.joined = :period AND (:payer::text IS NULL OR j.payer = :payer)
), told AS (
    SELECT l.entitlement_id, l.payer, l.programme, l.area, 'line' AS what, NULL::text AS provider, NULL::text AS reason, l.declared_vnd AS vnd,
           0 AS attempt
      FROM line l WHERE l.period = :period AND (:payer::text IS NULL OR l.payer = :payer)
    UNION ALL
    SELECT l.entitlement_id, l.payer, l.programme, l.area,
           CASE WHEN i.state IN ('paid', 'collected') THEN concat('paid_', i.channel)
                WHEN i.state IN ('rejected', 'returned', 'expired', 'cancelled') THEN 'dead'
                WHEN i.state IN ('created', 'sealed') THEN 'listed'
                WHEN i.state = 'unknown' THEN 'unknown'
                ELSE 'in_flight' END, i.provider, NULL, il.vnd, i.attempt
      FROM list JOIN instruction i USING (batch_id) JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
     WHERE l.period = :period AND i.state <> 'withdrawn'
    UNION ALL
    SELECT l.entitlement_id, l.payer, l.programme, l.area, 'held', '-', h.reason, h.vnd, 0
      FROM line l JOIN held h USING (entitlement_id)
     WHERE l.period = :period AND (:payer::text IS NULL OR l.payer = :payer) AND h.until IS NULL
    UNION ALL
    SELECT l.entitlement_id, l.payer, l.programme, l.area, 'carried', NULL, NULL, c.vnd, 0
      FROM line l JOIN carried c USING (entitlement_id)
     WHERE l.period = :period AND (:payer::text IS NULL OR l.payer = :payer)
), weighed AS (
    SELECT told.*, sum(CASE what WHEN 'line' THEN vnd WHEN 'dead' THEN 0 ELSE -vnd END) OVER one AS left_vnd,
           coalesce(sum(vnd) FILTER (WHERE what = 'dead') OVER one, 0) AS dead_vnd,
           count(*) FILTER (WHERE what <> 'line') OVER one AS parts,
           substr(max(concat(lpad(attempt::text, 9, '0'), provider)) FILTER (WHERE what = 'dead') OVER one, 10) AS dead_at
      FROM told WINDOW one AS (PARTITION BY entitlement_id)
), placed AS (
    SELECT entitlement_id, payer, programme, area, coalesce(provider, dead_at, '-') AS provider, what AS place, reason, vnd
      FROM weighed WHERE what NOT IN ('line', 'dead')
    UNION ALL
    SELECT entitlement_id, payer, programme, area, dead_at, 'back', NULL, least(left_vnd, dead_vnd)
      FROM weighed WHERE what = 'line' AND left_vnd > 0 AND dead_vnd > 0
    UNION ALL
    SELECT entitlement_id, payer, programme, area, '-', CASE WHEN left_vnd < 0 THEN 'twice' ELSE 'rest' END, NULL,
           left_vnd - greatest(least(left_vnd, dead_vnd), 0)
      FROM weighed WHERE what = 'line' AND (left_vnd > dead_vnd OR left_vnd < 0 OR parts = 0)
), counted AS (
    SELECT placed.*, row_number() OVER (PARTITION BY entitlement_id ORDER BY placed.vnd DESC, place, provider) = 1 AS here FROM placed
)
SELECT payer, programme, area, provider, place, reason, count(*) FILTER (WHERE here) AS count, sum(vnd)::bigint AS vnd FROM counted
 GROUP BY payer, programme, area, provider, place, reason ORDER BY payer, programme, area, provider, place, reason;

-- name: settlement_flow
-- What left, per payer, programme, commune and provider: as the ledger drew it from the budgets, beside where the payments that left are
-- now. A payment of two programmes counts in each, one of two months in the report of each, with what it pays of it; one of two communes in
-- one of them.
WITH list AS (
    SELECT batch_id, payer FROM batch WHERE period = :period AND (:payer::text IS NULL OR payer = :payer)
    UNION ALL SELECT b.batch_id, b.payer FROM payroll_join j JOIN batch b ON b.period = j.period AND b.payer = j.payer
     WHERE j.joined = :period AND (:payer::text IS NULL OR j.payer = :payer)
), gone AS (
    SELECT i.instruction_id, l.programme, b.payer, i.provider, min(l.area) AS area, sum(il.vnd) AS vnd,
           CASE WHEN i.state IN ('paid', 'collected') THEN concat('paid_', i.channel)
                WHEN i.state IN ('unknown', 'rejected', 'returned', 'expired', 'cancelled') THEN i.state ELSE 'in_flight' END AS flow
      FROM list b JOIN instruction i USING (batch_id) JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
     WHERE l.period = :period AND i.state NOT IN ('created', 'sealed', 'withdrawn')
     GROUP BY i.instruction_id, l.programme, b.payer
), drawn AS (
    SELECT instruction_id, substr(credit, 8) AS programme, payer, substr(debit, 11) AS provider, sum(vnd) AS vnd FROM posting
     WHERE period = :period AND (:payer::text IS NULL OR payer = :payer) AND debit LIKE 'in_flight%' AND credit LIKE 'budget%'
     GROUP BY instruction_id, credit, payer, debit
)
SELECT payer, programme, coalesce(g.area, '-') AS area, provider, g.flow, count(d.vnd) AS sent_count, coalesce(sum(d.vnd), 0)::bigint AS sent_vnd,
       count(g.vnd) AS count, coalesce(sum(g.vnd), 0)::bigint AS vnd
  FROM gone g FULL JOIN drawn d USING (instruction_id, programme, payer, provider)
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;

-- name: settlement_recovered
-- What providers gave back because it was moved twice or wrongly, as two people ended the breaks; under the largest line of the payment, and
-- its month.
SELECT b.payer, coalesce(whose.programme, '-') AS programme, coalesce(whose.area, '-') AS area, k.provider, count(*) AS count,
       sum(k.vnd)::bigint AS vnd
  FROM break_item k JOIN batch b USING (batch_id)
  LEFT JOIN LATERAL (SELECT l.programme, l.area, l.period FROM instruction_line il JOIN line l USING (entitlement_id)
                      WHERE il.instruction_id = k.instruction_id ORDER BY il.vnd DESC, l.entitlement_id LIMIT 1) whose ON true
 WHERE coalesce(whose.period, b.period) = :period AND (:payer::text IS NULL OR b.payer = :payer) AND k.remedy = 'recovered' AND k.approved_by IS NOT NULL
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- name: settlement_people
-- Lines of which something came back and is not paid again, for the next month's list: whose, how much, why the last payment died, and how
-- many of the person's months in a row nothing was paid. Few lines die, so each is looked at by index.
WITH list AS (
    SELECT batch_id FROM batch WHERE period = :period AND (:payer::text IS NULL OR payer = :payer)
    UNION ALL SELECT b.batch_id FROM payroll_join j JOIN batch b ON b.period = j.period AND b.payer = j.payer
     WHERE j.joined = :period AND (:payer::text IS NULL OR j.payer = :payer)
), died AS (
    SELECT DISTINCT il.entitlement_id
      FROM list JOIN instruction i USING (batch_id) JOIN instruction_line il USING (instruction_id)
     WHERE i.state IN ('rejected', 'returned', 'expired', 'cancelled')
)
SELECT l.payer, l.beneficiary_id, l.programme, l.area, last.provider, last.channel, last.state, last.reason, c.vnd IS NOT NULL AS carried,
       (l.declared_vnd - live.vnd - kept.vnd)::bigint AS vnd, unpaid.months
  FROM died JOIN line l USING (entitlement_id) LEFT JOIN carried c USING (entitlement_id)
  CROSS JOIN LATERAL (SELECT coalesce(sum(il.vnd), 0) AS vnd FROM instruction_line il
                       WHERE il.entitlement_id = l.entitlement_id AND il.live) live
  CROSS JOIN LATERAL (SELECT coalesce(sum(h.vnd), 0) AS vnd FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL) kept
  CROSS JOIN LATERAL (SELECT i.provider, i.channel, i.state, i.reason FROM instruction_line il JOIN instruction i USING (instruction_id)
                       WHERE il.entitlement_id = l.entitlement_id AND NOT il.live AND i.state <> 'withdrawn'
                       ORDER BY i.attempt DESC, i.provider DESC LIMIT 1) last
  CROSS JOIN LATERAL (SELECT max(o.period) AS period FROM line o JOIN instruction_line il USING (entitlement_id) JOIN instruction i USING (instruction_id)
                       WHERE o.beneficiary_id = l.beneficiary_id AND o.period <= :period AND il.live AND i.state IN ('paid', 'collected')) paid
  CROSS JOIN LATERAL (SELECT count(DISTINCT o.period) AS months FROM line o
                       WHERE o.beneficiary_id = l.beneficiary_id AND o.period <= :period AND o.period > coalesce(paid.period, '')) unpaid
 WHERE l.period = :period AND l.declared_vnd > live.vnd + kept.vnd
 ORDER BY l.payer, l.area, l.programme, l.beneficiary_id, l.entitlement_id;
