-- name: one_looker_at_a_time^
-- Held to the end of the transaction. Everything is looked up by key, whatever size the tables had when the plan was made.
SELECT pg_advisory_xact_lock(4732) IS NULL AS waited, set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true);

-- name: to_look_at
-- The next people who read otherwise than when they were looked at.
SELECT p.beneficiary_id, p.payer, p.area, p.identity, p.delivery, p.identity_digest, p.account_digest,
       concat_ws('|', p.identity_digest, p.account_digest, p.delivery_digest, p.area, p.payer) AS state
  FROM person p LEFT JOIN looked_at l USING (beneficiary_id)
 WHERE p.beneficiary_id > :after AND p.erased_at IS NULL AND NOT EXISTS (SELECT FROM merged m WHERE m.beneficiary_id = p.beneficiary_id)
   AND l.state IS DISTINCT FROM concat_ws('|', p.identity_digest, p.account_digest, p.delivery_digest, p.area, p.payer)
 ORDER BY p.beneficiary_id LIMIT :most;

-- name: sides
-- What is compared of these people.
SELECT beneficiary_id, payer, area, identity, delivery, identity_digest, account_digest FROM person
 WHERE beneficiary_id = ANY(:ids::uuid[]) AND erased_at IS NULL;

-- name: drop_keys!
-- The keys of these people as they were.
DELETE FROM person_key WHERE beneficiary_id = ANY(:ids::uuid[]);

-- name: save_keys!
-- The keys of people as they are.
INSERT INTO person_key (ix, beneficiary_id) SELECT * FROM unnest(:ixs::bytea[], :owners::uuid[]) ON CONFLICT DO NOTHING;

-- name: save_looked!
-- As what these people were looked at.
INSERT INTO looked_at (beneficiary_id, state) SELECT * FROM unnest(:ids::uuid[], :states::text[])
ON CONFLICT (beneficiary_id) DO UPDATE SET state = EXCLUDED.state;

-- name: pairs
-- Everybody these people share a key with, pair by pair. A key that more than so many people share tells nobody from anybody.
WITH asked AS (
    SELECT DISTINCT ix FROM person_key WHERE beneficiary_id = ANY(:ids::uuid[])
), narrow AS (
    SELECT ix FROM asked
     WHERE (SELECT count(*) FROM (SELECT FROM person_key o WHERE o.ix = asked.ix LIMIT :most::int + 1) shared) <= :most
)
SELECT DISTINCT least(k.beneficiary_id, o.beneficiary_id) AS one, greatest(k.beneficiary_id, o.beneficiary_id) AS other
  FROM narrow JOIN person_key k USING (ix) JOIN person_key o USING (ix)
 WHERE k.beneficiary_id = ANY(:ids::uuid[]) AND o.beneficiary_id <> k.beneficiary_id;

-- name: wide_keys^
-- How many keys of these people are shared by too many.
SELECT count(*) AS wide FROM (SELECT DISTINCT ix FROM person_key WHERE beneficiary_id = ANY(:ids::uuid[])) asked
 WHERE (SELECT count(*) FROM (SELECT FROM person_key o WHERE o.ix = asked.ix LIMIT :most::int + 1) shared) > :most;

-- name: drop_candidates!
-- Pairs of these people that do not look alike any more.
DELETE FROM candidate
 WHERE (one = ANY(:ids::uuid[]) OR other = ANY(:ids::uuid[]))
   AND (one, other) NOT IN (SELECT * FROM unnest(:ones::uuid[], :others::uuid[]));

-- name: save_candidates!
-- Pairs that may be one; one that is known as it is stays.
INSERT INTO candidate (one, other, points, evidence, one_digest, other_digest, found_at)
SELECT row.*, :at::timestamptz
  FROM unnest(:ones::uuid[], :others::uuid[], :points::int[], :evidence::jsonb[], :one_digests::text[], :other_digests::text[]) AS row
ON CONFLICT (one, other) DO UPDATE
   SET points = EXCLUDED.points, evidence = EXCLUDED.evidence, one_digest = EXCLUDED.one_digest, other_digest = EXCLUDED.other_digest,
       found_at = EXCLUDED.found_at
 WHERE (candidate.points, candidate.evidence, candidate.one_digest, candidate.other_digest)
       IS DISTINCT FROM (EXCLUDED.points, EXCLUDED.evidence, EXCLUDED.one_digest, EXCLUDED.other_digest);

-- name: open_candidates
-- A page of candidates nobody has told apart as they are now, the likeliest first. Nothing personal.
SELECT c.one, c.other, c.points, c.evidence, c.found_at, p.payer AS one_payer, p.area AS one_area, q.payer AS other_payer,
       q.area AS other_area
  FROM candidate c JOIN person p ON p.beneficiary_id = c.one JOIN person q ON q.beneficiary_id = c.other
 WHERE (:payer::text IS NULL OR :payer IN (p.payer, q.payer))
   AND NOT EXISTS (SELECT FROM pair_apart a
                    WHERE (a.one, a.other, a.one_digest, a.other_digest) = (c.one, c.other, c.one_digest, c.other_digest))
   AND (:after_points::int IS NULL OR (-c.points, c.found_at, c.one, c.other)
                                    > (-:after_points::int, :after_found_at::timestamptz, :after_one::uuid, :after_other::uuid))
 ORDER BY c.points DESC, c.found_at, c.one, c.other LIMIT :most;

-- name: save_sight!
-- Somebody saw both sides.
INSERT INTO pair_sight (sight_id, one, other, one_digest, other_digest, actor, seen_at)
VALUES (:sight_id, :one, :other, :one_digest, :other_digest, :actor, :seen_at);

-- name: sight^
-- What was seen.
SELECT sight_id, one, other, one_digest, other_digest, actor FROM pair_sight WHERE sight_id = :sight_id;

-- name: told_apart^
-- Whether these two, as they are, were told apart.
SELECT EXISTS (SELECT FROM pair_apart WHERE (one, other, one_digest, other_digest)
                                          = (:one::uuid, :other::uuid, :one_digest::text, :other_digest::text)) AS apart;

-- name: tell_apart!
-- Two are two, as somebody decided.
INSERT INTO pair_apart (decision_id, one, other, one_digest, other_digest, sight_id, paper, decider, decider_token, decided_at)
VALUES (:decision_id, :one, :other, :one_digest, :other_digest, :sight_id, :paper, :decider, :decider_token, :decided_at);
