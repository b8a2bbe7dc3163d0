-- name: cases
-- A page of people whose case is unclear and not decided as it is now, oldest result first, and how many there are in all; without
-- anything personal.
WITH unclear AS (
    SELECT p.beneficiary_id, p.payer, v.outcome, v.evidence, v.checked_at
      FROM person p JOIN verdict v USING (beneficiary_id, result_seq)
     WHERE v.outcome = ANY(:outcomes::text[]) AND (:payer::text IS NULL OR p.payer = :payer) AND NOT p.merged AND p.erased_at IS NULL
       AND NOT EXISTS (
           SELECT FROM review_decision d
            WHERE d.beneficiary_id = p.beneficiary_id AND d.identity_digest = p.identity_digest
              AND EXISTS (SELECT FROM register r WHERE r.person_token = d.person_token AND r.content_digest = d.register_digest))
)
SELECT u.*, a.waiting FROM (SELECT count(*) AS waiting FROM unclear) a LEFT JOIN LATERAL (
    SELECT * FROM unclear WHERE :after_at::timestamptz IS NULL OR (checked_at, beneficiary_id) > (:after_at::timestamptz, :after_id::uuid)
     ORDER BY checked_at, beneficiary_id LIMIT :most) u ON true
 ORDER BY u.checked_at, u.beneficiary_id;

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
