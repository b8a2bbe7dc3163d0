-- name: funnel_cells
-- Per payer, commune, programme and band of age: people by stage, and the four counts, each of which holds the next.
SELECT payer, area, programme, age_band, count(*) AS people, count(*) FILTER (WHERE stage = 'gone') AS gone,
       count(*) FILTER (WHERE stage = 'cannot') AS cannot, count(*) FILTER (WHERE stage NOT IN ('gone', 'cannot')) AS base,
       count(*) FILTER (WHERE stage IN ('exists', 'wished', 'verified', 'paid')) AS exists,
       count(*) FILTER (WHERE stage IN ('wished', 'verified', 'paid')) AS wished,
       count(*) FILTER (WHERE stage IN ('verified', 'paid')) AS verified, count(*) FILTER (WHERE stage = 'paid') AS paid,
       count(*) FILTER (WHERE back_to_cash) AS back_to_cash
  FROM funnel(:period, :today) WHERE :payer::text IS NULL OR payer = :payer
 GROUP BY payer, area, programme, age_band ORDER BY payer, area, programme, age_band;

-- name: funnel_actions
-- What is best done next, for how many, and over which reason.
SELECT action, reason, count(*) AS people FROM funnel(:period, :today) WHERE :payer::text IS NULL OR payer = :payer
 GROUP BY action, reason ORDER BY people DESC, action, reason;

-- name: funnel_people
-- A page of people with stage and next action, by id; nothing personal.
SELECT beneficiary_id, payer, area, programme, age_band, stage, back_to_cash, action, reason FROM funnel(:period, :today)
 WHERE (:payer::text IS NULL OR payer = :payer) AND (:action::text IS NULL OR action = :action)
   AND (:after::uuid IS NULL OR beneficiary_id > :after) ORDER BY beneficiary_id LIMIT :most;

-- name: wish_changes
-- How many changed their wish from what into what between two moments, and why, per payer.
SELECT p.payer, c.wish_before, c.wish, c.reason, count(*) AS changes FROM wish_change c JOIN person p USING (beneficiary_id)
 WHERE c.at >= :since AND c.at < :until AND (:payer::text IS NULL OR p.payer = :payer)
 GROUP BY p.payer, c.wish_before, c.wish, c.reason ORDER BY p.payer, c.wish_before, c.wish, c.reason;

-- name: wish_changes_of_person
-- How a person's wish changed.
SELECT wish_before, wish, reason, at FROM wish_change WHERE beneficiary_id = :beneficiary_id ORDER BY epoch, n;

-- name: payer_of^
-- Who pays a person; nobody is visited any more who is erased.
SELECT payer FROM person WHERE beneficiary_id = :beneficiary_id AND erased_at IS NULL;

-- name: visits_of_person
-- What was heard at a person's home, oldest first; the last that names a day of review is why the person is of the "cannot" class.
SELECT visit_id, nth, wish, reason, evidence, review_on, visited_on, decider, at FROM home_visit
 WHERE beneficiary_id = :beneficiary_id ORDER BY nth;

-- name: save_visit!
-- A visit; the caller holds the registrars' lock and counted those before it.
INSERT INTO home_visit (visit_id, beneficiary_id, nth, wish, reason, evidence, review_on, visited_on, decider, decider_token, at)
VALUES (:visit_id, :beneficiary_id, :nth, :wish, :reason, :evidence, :review_on, :visited_on, :decider, :decider_token, :at);
