-- Reads only: these are asked inside read-only transactions.

-- name: alike_lines
-- Lines of a period that declare the same, per payer and commune; of one payer, or of all.
SELECT payer, area, content, count(*) AS count FROM line
 WHERE period = :period AND (:payer::text IS NULL OR payer = :payer)
 GROUP BY payer, area, content ORDER BY payer, area, content;

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
-- Every line of a period, of one payer or of all.
SELECT entitlement_id, payer, area, content FROM line
 WHERE period = :period AND (:payer::text IS NULL OR payer = :payer)
 ORDER BY payer, area, entitlement_id;
