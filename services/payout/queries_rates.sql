-- Reads only: these are asked inside read-only transactions.

-- name: alike_lines
-- Lines of a period that declare the same, per payer and commune; of one payer, or of all.
SELECT payer, area, content, count(*) AS count FROM line
 WHERE period = :period AND (:payer::text IS NULL OR payer = :payer)
 GROUP BY payer, area, content ORDER BY payer, area, content;

-- name: lines_of_a_period
-- Every line of a period, of one payer or of all.
SELECT entitlement_id, payer, area, content FROM line
 WHERE period = :period AND (:payer::text IS NULL OR payer = :payer)
 ORDER BY payer, area, entitlement_id;
