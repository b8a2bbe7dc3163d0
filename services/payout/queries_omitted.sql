-- What stands on no list. Reads only.

-- name: dead_without_money
-- People who died in a month in which they were on this payer's list, since a month, and on whose death no list of that month or a later one
-- brings money, under a code of its own or as a one-off sum beside a benefit; a gift is none.
WITH dead AS (
    SELECT beneficiary_id, min(died_on) AS died_on
      FROM (SELECT beneficiary_id, died_on FROM person WHERE life = 'dead'
            UNION ALL SELECT beneficiary_id, died_on FROM verdict WHERE outcome = 'dead') told
     WHERE died_on IS NOT NULL GROUP BY beneficiary_id
)
SELECT d.beneficiary_id, l.period AS month, d.died_on, min(l.ages) AS ages, min(l.circumstances) AS circumstances,
       array_agg(l.content ORDER BY l.entitlement_id) AS contents
  FROM dead d JOIN line l ON l.beneficiary_id = d.beneficiary_id AND l.period = to_char(d.died_on, 'YYYY-MM') AND l.payer = :payer
 WHERE l.period >= :since AND l.period < :period AND l.gift IS NULL
   AND NOT EXISTS (SELECT FROM line o WHERE o.beneficiary_id = d.beneficiary_id AND o.period >= to_char(d.died_on, 'YYYY-MM')
                      AND (o.gift LIKE 'MT%' OR o.gift IS NULL AND o.content ~ '"one_off_vnd":[1-9]'))
 GROUP BY d.beneficiary_id, l.period, d.died_on ORDER BY d.beneficiary_id;

-- name: people_of_a_list
-- People of a list with their benefits, and the gifts that stand on any list of theirs.
SELECT l.beneficiary_id, l.period AS month, min(l.ages) AS ages, min(l.circumstances) AS circumstances,
       array_agg(l.content ORDER BY l.entitlement_id) AS contents,
       (SELECT array_agg(DISTINCT g.gift) FROM line g WHERE g.beneficiary_id = l.beneficiary_id AND g.gift IS NOT NULL) AS gifts
  FROM line l JOIN person p ON p.beneficiary_id = l.beneficiary_id AND p.life = 'alive'
 WHERE l.period = :period AND l.payer = :payer AND l.gift IS NULL
 GROUP BY l.beneficiary_id, l.period ORDER BY l.beneficiary_id;

-- name: left_over
-- Sums of finished months of this payer that are still owed, since a month, and that no later list up to this one names as unpaid: they came
-- back, before the month was finished or after, or they were held for a reason that passes.
WITH finished AS (
    SELECT period FROM payroll_closed WHERE payer = :payer AND period >= :since AND period < :period
), left_over AS (
    SELECT c.entitlement_id, c.vnd, 'unpaid' AS part, NULL AS why FROM finished f JOIN line l ON l.period = f.period AND l.payer = :payer
      JOIN carried c USING (entitlement_id)
     UNION ALL
    SELECT h.entitlement_id, h.vnd, 'held', h.reason FROM finished f JOIN line l ON l.period = f.period AND l.payer = :payer
      JOIN held h USING (entitlement_id)
     WHERE h.until IS NULL AND h.reason IN ('VERIFICATION_PENDING', 'UNAVAILABLE', 'NOT_FOUND', 'IDENTITY_MISMATCH', 'DUPLICATE',
                                            'NOT_COLLECTED', 'AMOUNT_DIFFERS', 'NO_DELIVERY')
     UNION ALL
    SELECT il.entitlement_id, il.vnd, 'unpaid', 'late' FROM break_item b JOIN instruction_line il ON il.instruction_id = b.instruction_id AND il.live
      JOIN line l USING (entitlement_id) JOIN finished f ON f.period = l.period
     WHERE b.type = 'reversal' AND b.remedy = 'recovered' AND b.approved_by IS NOT NULL AND l.payer = :payer
)
SELECT l.beneficiary_id, l.period AS month, o.part, l.content::jsonb ->> 'benefit_code' AS code, o.why, sum(o.vnd)::bigint AS vnd
  FROM left_over o JOIN line l USING (entitlement_id)
 WHERE o.vnd > 0
   AND NOT EXISTS (SELECT FROM line n WHERE n.beneficiary_id = l.beneficiary_id AND n.programme = l.programme AND n.earlier
                      AND n.period > l.period AND n.period <= :period
                      AND (n.content::jsonb -> 'unpaid' -> 'periods' ? l.period OR n.content::jsonb -> 'arrears' -> 'periods' ? l.period))
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
