-- What a build asks once for all its lines, before it looks at the first: answers of earlier months, and lists of other payers.

-- name: not_collected
-- People whose payments of a programme came back uncollected in at least so many payroll months running, with those months.
-- A month counts when something of it expired and nothing of it was paid, is on its way or came back otherwise; a month in which nothing
-- was sent neither counts nor ends the row. Only who missed so often at all is looked at, so years of good months cost nothing: dead
-- payments are asked one by one for their state, and the living are never read.
WITH expired AS (
    SELECT DISTINCT l.beneficiary_id, l.programme, l.period
      FROM instruction_line il JOIN line l USING (entitlement_id)
      CROSS JOIN LATERAL (SELECT state FROM instruction WHERE instruction_id = il.instruction_id OFFSET 0) i
     WHERE NOT il.live AND i.state = 'expired' AND l.period < :period AND l.period >= :since
), often AS (
    SELECT beneficiary_id, programme FROM expired GROUP BY beneficiary_id, programme HAVING count(*) >= :misses_max
), month AS (
    SELECT o.beneficiary_id, o.programme, l.period, bool_or(i.state = 'expired') AND bool_and(i.state IN ('expired', 'rejected')) AS missed
      FROM often o JOIN line l ON l.beneficiary_id = o.beneficiary_id AND l.programme = o.programme
      JOIN instruction_line il USING (entitlement_id) JOIN instruction i USING (instruction_id)
     WHERE l.period < :period AND l.period >= :since AND i.state <> 'withdrawn'
     GROUP BY o.beneficiary_id, o.programme, l.period
)
SELECT beneficiary_id, programme, array_agg(period) AS months
  FROM (SELECT beneficiary_id, programme, period,
               bool_and(missed) OVER (PARTITION BY beneficiary_id, programme ORDER BY period DESC) AS running FROM month) m
 WHERE running GROUP BY beneficiary_id, programme HAVING count(*) >= :misses_max;

-- name: lines_elsewhere
-- Lines of this list's people on other payers' lists of the same month, those that are held there aside. Lateral and apart, so that every
-- person goes by index: what other payers' lists hold besides is never read.
SELECT o.beneficiary_id, o.entitlement_id, o.payer, o.content, p.payer AS current,
       EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live) AS live
  FROM (SELECT DISTINCT beneficiary_id FROM line WHERE period = :period AND payer = :payer) own
  CROSS JOIN LATERAL (SELECT * FROM line WHERE beneficiary_id = own.beneficiary_id AND period = :period AND payer <> :payer OFFSET 0) o
  LEFT JOIN person p ON p.beneficiary_id = o.beneficiary_id
 WHERE NOT EXISTS (SELECT FROM held h WHERE h.entitlement_id = o.entitlement_id AND h.until IS NULL)
 ORDER BY o.beneficiary_id, o.entitlement_id;

-- name: gifts_given
-- Gifts on this list that their people have in a payment of another month: a gift is given once, whichever of its months a list is of.
SELECT o.beneficiary_id, o.entitlement_id, o.payer, o.content
  FROM line l JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.gift = l.gift AND o.period <> l.period
 WHERE l.period = :period AND l.payer = :payer AND l.gift IS NOT NULL
   AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)
 ORDER BY o.beneficiary_id, o.entitlement_id;

-- name: money_of_a_death
-- Lines of this list with money of a death that another line gives, as `money_on_death_once` compares them: one under its own code and one that
-- holds it beside a benefit. Another that is in a payment; and for a line under its own code also one of the months that are decided together.
SELECT l.entitlement_id, o.entitlement_id AS other, paid.live
  FROM line l JOIN line o ON o.beneficiary_id = l.beneficiary_id AND o.may_be_on_death AND (o.gift IS NULL) <> (l.gift IS NULL)
  CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live) AS live) paid
 WHERE l.period = :period AND l.payer = :payer AND l.may_be_on_death
   AND (paid.live OR (l.gift IS NOT NULL AND o.payer = l.payer AND o.period = ANY(:together::text[])))
   AND 2 * on_death_vnd(CASE WHEN l.gift IS NULL THEN l.entitlement_id ELSE o.entitlement_id END, coalesce(l.gift, o.gift))
       >= CASE WHEN l.gift IS NULL THEN o.declared_vnd ELSE l.declared_vnd END
 ORDER BY l.entitlement_id, o.entitlement_id;

-- name: paid_meanwhile^
-- Whether people whom this payer's payments claimed are in live payments of other payers that the build did not see when it decided.
SELECT EXISTS (
    SELECT FROM paid_by b JOIN line o ON o.beneficiary_id = b.beneficiary_id AND o.period = b.what AND o.payer <> :payer
      JOIN instruction_line il ON il.entitlement_id = o.entitlement_id AND il.live
     WHERE b.what = :period AND b.who IS NULL AND o.entitlement_id <> ALL(:seen::uuid[])
       AND EXISTS (SELECT FROM line l JOIN instruction_line own USING (entitlement_id)
                    WHERE l.beneficiary_id = b.beneficiary_id AND l.period = b.what AND l.payer = :payer AND own.live)) AS paid;

-- name: not_carried
-- Lines of this list that declare more unpaid of earlier months than those months' payrolls left over for their person and programme when
-- they were finished (carried, still held, or come back since: a break that two people ended so), or a month that another line of theirs asked
-- for and is paid by. While a month is not finished it can still be paid there. Months that we hold no line of are older than we are: their
-- sums count as declared, an even share for each where a line names months of both kinds.
WITH asked AS (
    SELECT l.entitlement_id, l.beneficiary_id, l.programme, (l.content::jsonb -> 'unpaid' ->> 'vnd')::bigint AS vnd, asks.month
      FROM line l CROSS JOIN LATERAL jsonb_array_elements_text(l.content::jsonb -> 'unpaid' -> 'periods') AS asks (month)
     WHERE l.period = :period AND l.payer = :payer AND l.earlier AND l.content LIKE '%"unpaid":{%'
), month AS (
    SELECT a.entitlement_id, a.vnd, a.month, own.lines > 0 AS known, own.carried_vnd,
           EXISTS (SELECT FROM line o JOIN instruction_line il ON il.entitlement_id = o.entitlement_id AND il.live
                    WHERE o.beneficiary_id = a.beneficiary_id AND o.programme = a.programme AND o.entitlement_id <> a.entitlement_id
                      AND o.content LIKE '%"unpaid":{%' AND o.content::jsonb -> 'unpaid' -> 'periods' ? a.month) AS again
      FROM asked a
      CROSS JOIN LATERAL (SELECT count(*) AS lines,
                                 coalesce(sum(coalesce(c.vnd, 0) + coalesce(h.vnd, 0) + came_back_late(o.entitlement_id))
                                          FILTER (WHERE f.period IS NOT NULL), 0) AS carried_vnd
                            FROM line o LEFT JOIN carried c USING (entitlement_id)
                            LEFT JOIN held h ON h.entitlement_id = o.entitlement_id AND h.until IS NULL
                            LEFT JOIN payroll_closed f ON f.period = o.period AND f.payer = o.payer
                           WHERE o.beneficiary_id = a.beneficiary_id AND o.period = a.month AND o.programme = a.programme) own
)
SELECT entitlement_id, vnd AS declared_vnd, sum(CASE WHEN again THEN 0 ELSE carried_vnd END)::bigint AS carried_vnd
  FROM month GROUP BY entitlement_id, vnd
HAVING bool_or(again) OR vnd * count(*) FILTER (WHERE known) > count(*) * sum(carried_vnd) ORDER BY entitlement_id;

-- name: earlier_months
-- Of the months of arrears and unpaid sums on this list, what lines of their people brought or may still bring, by the code of those lines:
-- `declared_vnd` and `given_vnd` by lines of the month itself (monthly and carer money; of a payroll that is not finished all it declares),
-- `arrears_vnd` and `unpaid_vnd` by other lines that name the month, which are on an earlier list that is not finished, or in a payment that is
-- not of this very payroll (`together`: its months). A sum over several months counts evenly for each.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT l.entitlement_id, l.beneficiary_id, l.period, asks.month
      FROM line l
      CROSS JOIN LATERAL (VALUES (l.content::jsonb -> 'arrears' -> 'periods'), (l.content::jsonb -> 'unpaid' -> 'periods')) part (periods)
      CROSS JOIN LATERAL jsonb_array_elements_text(part.periods) AS asks (month)
     WHERE l.period = :period AND l.payer = :payer AND l.earlier
), own AS (
    SELECT a.entitlement_id, a.month, o.code, o.vnd AS declared_vnd, 0 AS arrears_vnd, 0 AS unpaid_vnd,
           CASE WHEN f.period IS NULL THEN o.vnd ELSE least(o.vnd, paid.vnd - came_back_late(o.entitlement_id)) END AS given_vnd
      FROM asked a
      CROSS JOIN LATERAL (SELECT l.entitlement_id, l.payer, l.content::jsonb ->> 'benefit_code' AS code,
                                 (l.content::jsonb ->> 'monthly_vnd')::bigint + coalesce((l.content::jsonb ->> 'carer_vnd')::bigint, 0) AS vnd
                            FROM line l WHERE l.beneficiary_id = a.beneficiary_id AND l.period = a.month OFFSET 0) o
      CROSS JOIN LATERAL (SELECT coalesce(sum(il.vnd), 0)::bigint AS vnd FROM instruction_line il
                           WHERE il.entitlement_id = o.entitlement_id AND il.live) paid
      LEFT JOIN payroll_closed f ON f.period = a.month AND f.payer = o.payer
), claimed AS (
    SELECT a.entitlement_id, a.month, o.content::jsonb ->> 'benefit_code' AS code, 0::bigint AS declared_vnd,
           CASE WHEN part.kind = 'arrears' THEN part.vnd ELSE 0 END AS arrears_vnd,
           CASE WHEN part.kind = 'unpaid' THEN part.vnd ELSE 0 END AS unpaid_vnd, 0::bigint AS given_vnd
      FROM asked a JOIN line o ON o.beneficiary_id = a.beneficiary_id AND o.earlier AND o.entitlement_id <> a.entitlement_id
      CROSS JOIN LATERAL brings_of(o.content, a.month) AS part
     WHERE o.period < a.period AND NOT EXISTS (SELECT FROM payroll_closed f WHERE f.period = o.period AND f.payer = o.payer)
        OR NOT (o.payer = :payer AND o.period = ANY(:together::text[]))
           AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)
)
SELECT entitlement_id, month, code, sum(declared_vnd)::bigint AS declared_vnd, sum(given_vnd)::bigint AS given_vnd,
       sum(arrears_vnd)::bigint AS arrears_vnd, sum(unpaid_vnd)::bigint AS unpaid_vnd
  FROM (SELECT * FROM own UNION ALL SELECT entitlement_id, month, code, declared_vnd, arrears_vnd, unpaid_vnd, given_vnd FROM claimed) both_kinds
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- name: brought_by_later
-- Lines of this list whose month later lines, in payments of other payrolls, bring already as arrears or as unpaid: those were built before this
-- list was. By the code of those lines.
SELECT l.entitlement_id, l.period AS month, o.content::jsonb ->> 'benefit_code' AS code,
       coalesce(sum(part.vnd) FILTER (WHERE part.kind = 'arrears'), 0)::bigint AS arrears_vnd,
       coalesce(sum(part.vnd) FILTER (WHERE part.kind = 'unpaid'), 0)::bigint AS unpaid_vnd
  FROM line o JOIN line l ON l.beneficiary_id = o.beneficiary_id AND l.period = :period AND l.payer = :payer
  CROSS JOIN LATERAL brings_of(o.content, l.period) AS part
 WHERE o.earlier AND o.period > :period AND NOT (o.payer = :payer AND o.period = ANY(:together::text[]))
   AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = o.entitlement_id AND il.live)
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
