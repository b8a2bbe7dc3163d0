-- name: cases
-- A page of people whose case is unclear and not decided as it is now, or about whom no answer will come by itself (unavailable without a
-- birth date, or no longer named: then the evidence stays), oldest result first, and how many there are in all; without anything personal.
-- Decided is who was decided about with every entry of the register that they may be, as `population_register` looks these up, and confirmed
-- as one of them at most. A duplicate is registry's to end and waits whatever was decided.
WITH RECURSIVE unclear AS (
    SELECT p.beneficiary_id, p.payer, v.outcome, v.evidence, v.checked_at, p.identity_digest, p.number_ix, p.old_number_ix, p.name_birth_ix
      FROM person p JOIN verdict v USING (beneficiary_id, result_seq)
     WHERE (v.outcome = ANY(:outcomes::text[]) OR v.outcome = 'unavailable' AND (p.name_birth_ix IS NULL OR v.evidence <> '[]'))
       AND (:payer::text IS NULL OR p.payer = :payer) AND NOT p.merged AND p.erased_at IS NULL
), held AS (
    SELECT u.beneficiary_id, d.person_token, d.verdict
      FROM unclear u JOIN review_decision d USING (beneficiary_id, identity_digest)
      JOIN register r ON (r.person_token, r.content_digest) = (d.person_token, d.register_digest)
     WHERE u.outcome NOT IN ('duplicate', 'unavailable') AND NOT EXISTS (SELECT FROM review_decision n WHERE n.replaces = d.decision_id)
), about AS (
    SELECT * FROM unclear WHERE beneficiary_id IN (SELECT beneficiary_id FROM held)
), by_number AS (
    SELECT a.beneficiary_id, r.person_token, r.replaced_by_ix FROM about a JOIN register r USING (number_ix)
    UNION
    SELECT b.beneficiary_id, r.person_token, r.replaced_by_ix FROM by_number b JOIN register r ON r.number_ix = b.replaced_by_ix
), candidate AS (
    SELECT * FROM by_number
    UNION
    SELECT a.beneficiary_id, r.person_token, r.replaced_by_ix FROM about a JOIN register r USING (old_number_ix) WHERE a.number_ix IS NULL
    UNION
    SELECT a.beneficiary_id, r.person_token, r.replaced_by_ix FROM about a JOIN register r USING (name_birth_ix)
     WHERE a.number_ix IS NULL
       AND NOT EXISTS (SELECT FROM register o WHERE o.old_number_ix = a.old_number_ix AND o.replaced_by_ix IS NULL)
), decided AS (
    SELECT c.beneficiary_id FROM candidate c LEFT JOIN held h USING (beneficiary_id, person_token)
     WHERE c.replaced_by_ix IS NULL
     GROUP BY c.beneficiary_id HAVING count(*) = count(h.verdict) AND count(*) FILTER (WHERE h.verdict = 'same') <= 1
), waits AS (
    SELECT beneficiary_id, payer, outcome, evidence, checked_at, name_birth_ix IS NOT NULL AS birth_known FROM unclear
     WHERE beneficiary_id NOT IN (SELECT beneficiary_id FROM decided)
)
SELECT w.*, a.waiting FROM (SELECT count(*) AS waiting FROM waits) a LEFT JOIN LATERAL (
    SELECT * FROM waits WHERE :after_at::timestamptz IS NULL OR (checked_at, beneficiary_id) > (:after_at::timestamptz, :after_id::uuid)
     ORDER BY checked_at, beneficiary_id LIMIT :most) w ON true
 ORDER BY w.checked_at, w.beneficiary_id;

-- name: shared_with
-- Other people of ours who were judged to be the same person of the register, under one number or two: what makes them duplicates.
SELECT o.beneficiary_id FROM person p JOIN person o ON o.person_token = p.person_token
 WHERE p.beneficiary_id = :beneficiary_id AND o.beneficiary_id <> p.beneficiary_id
UNION
SELECT o.beneficiary_id FROM person p JOIN person o ON o.entry_old_ix = p.entry_old_ix
 WHERE p.beneficiary_id = :beneficiary_id AND o.beneficiary_id <> p.beneficiary_id
 ORDER BY beneficiary_id;

-- name: decisions
-- What holds of these people: decisions that no later one replaced.
SELECT d.beneficiary_id, d.decision_id, d.identity_digest, d.person_token, d.register_digest, d.verdict
  FROM review_decision d
 WHERE d.beneficiary_id = ANY(:ids::uuid[]) AND NOT EXISTS (SELECT FROM review_decision n WHERE n.replaces = d.decision_id);

-- name: save_sight!
-- Somebody saw both sides.
INSERT INTO review_sight (sight_id, beneficiary_id, actor, seen_at, identity_digest, entries)
VALUES (:sight_id, :beneficiary_id, :actor, :seen_at, :identity_digest, :entries);

-- name: sight^
-- What somebody saw.
SELECT sight_id, beneficiary_id, actor, identity_digest, entries FROM review_sight WHERE sight_id = :sight_id;

-- name: save_decision!
-- What a person decided.
INSERT INTO review_decision (decision_id, beneficiary_id, identity_digest, person_token, register_digest, verdict, reason, evidence,
                             decider, decider_token, decided_at, sight_id, replaces)
VALUES (:decision_id, :beneficiary_id, :identity_digest, :person_token, :register_digest, :verdict, :reason, :evidence,
        :decider, :decider_token, :decided_at, :sight_id, :replaces);

-- name: decision_history
-- Everything that was decided of one person, oldest first.
SELECT decision_id, verdict, reason, evidence, decider, decided_at, replaces, person_token FROM review_decision
 WHERE beneficiary_id = :beneficiary_id ORDER BY decided_at, decision_id;
