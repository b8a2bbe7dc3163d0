-- Reads only: these are asked inside read-only transactions.

-- name: alike_lines
-- Lines of a period that declare the same, per payer and commune, held ones apart; of one payer, or of all.
SELECT l.payer, l.area, l.content, h.entitlement_id IS NOT NULL AS held, count(*) AS count
  FROM line l LEFT JOIN held h ON h.entitlement_id = l.entitlement_id AND h.until IS NULL
 WHERE l.period = :period AND (:payer::text IS NULL OR l.payer = :payer)
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- name: lines_held_for_amount
-- Lines of a payroll held for their amount or for what is known of the person, each as the one at `place` (from 1) among the person's lines; so many at most.
SELECT l.entitlement_id, l.beneficiary_id, l.area, h.vnd AS held_vnd, h.reason, l.ages, l.circumstances, own.contents, own.place,
       least(p.died_on, CASE WHEN v.outcome = 'dead' THEN v.died_on END) AS died_on
  FROM held h JOIN line l USING (entitlement_id) LEFT JOIN person p USING (beneficiary_id) LEFT JOIN verdict v USING (beneficiary_id)
  CROSS JOIN LATERAL (SELECT array_agg(o.content ORDER BY o.entitlement_id) AS contents,
                             array_position(array_agg(o.entitlement_id ORDER BY o.entitlement_id), l.entitlement_id) AS place
                        FROM line o WHERE o.beneficiary_id = l.beneficiary_id AND o.period = l.period AND o.payer = l.payer) own
 WHERE l.period = :period AND l.payer = :payer AND h.until IS NULL AND h.reason IN ('AMOUNT_DIFFERS', 'NOT_OWED')
 ORDER BY l.area, l.entitlement_id LIMIT :most;

-- name: unknown_of_lines
-- Per code: lines whose person's age, and whose circumstances, nobody told.
SELECT content::jsonb ->> 'benefit_code' AS code, count(*) FILTER (WHERE ages IS NULL) AS age,
       count(*) FILTER (WHERE circumstances IS NULL) AS circumstances
  FROM line WHERE period = :period AND payer = :payer GROUP BY 1 ORDER BY 1;

-- name: lines_of_a_period
-- Every line of a period and why it is held, if it is; of one payer or of all.
SELECT l.entitlement_id, l.payer, l.area, l.content, h.reason AS held
  FROM line l LEFT JOIN held h ON h.entitlement_id = l.entitlement_id AND h.until IS NULL
 WHERE l.period = :period AND (:payer::text IS NULL OR l.payer = :payer)
 ORDER BY l.payer, l.area, l.entitlement_id;
