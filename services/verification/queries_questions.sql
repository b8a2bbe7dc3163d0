-- name: one_asker_at_a_time^
-- Held to the end of the transaction: the quota is counted before it is used.
SELECT pg_advisory_xact_lock(4722) IS NULL AS waited;

-- name: make_urgent_questions!
-- A question about everybody whom the register has said nothing about, as far as none is open. Without a birth date nobody can be asked.
INSERT INTO question (request_id, about, beneficiary_id, digest, officer, procedure, urgent, made_at, due_at)
SELECT gen_random_uuid(), 'person', p.beneficiary_id, p.identity_digest, :officer::text, :procedure::text, true,
       :at::timestamptz, :at::timestamptz
  FROM person p
 WHERE p.unavailable AND p.name_birth_ix IS NOT NULL
   AND NOT EXISTS (SELECT FROM question q WHERE q.beneficiary_id = p.beneficiary_id AND q.about = 'person' AND q.ended_at IS NULL)
 ORDER BY p.beneficiary_id LIMIT :most
ON CONFLICT DO NOTHING;

-- name: make_renewals!
-- A question about people whose answer is from before a moment, oldest first.
INSERT INTO question (request_id, about, beneficiary_id, digest, officer, procedure, urgent, made_at, due_at)
SELECT gen_random_uuid(), 'person', p.beneficiary_id, p.identity_digest, :officer::text, :procedure::text, false,
       :at::timestamptz, :at::timestamptz
  FROM person p
 WHERE p.answered_at < :before AND p.name_birth_ix IS NOT NULL
   AND NOT EXISTS (SELECT FROM question q WHERE q.beneficiary_id = p.beneficiary_id AND q.about = 'person' AND q.ended_at IS NULL)
 ORDER BY p.answered_at LIMIT :most
ON CONFLICT DO NOTHING;

-- name: make_holder_questions!
-- A question about every account whose holder nobody has answered about.
INSERT INTO question (request_id, about, beneficiary_id, digest, officer, procedure, urgent, made_at, due_at)
SELECT gen_random_uuid(), 'holder', p.beneficiary_id, p.account_digest || ':' || p.identity_digest, :officer::text, :procedure::text, true,
       :at::timestamptz, :at::timestamptz
  FROM person p
 WHERE p.holder_unknown AND p.account_digest IS NOT NULL
   AND NOT EXISTS (SELECT FROM question q WHERE q.beneficiary_id = p.beneficiary_id AND q.about = 'holder' AND q.ended_at IS NULL)
 ORDER BY p.beneficiary_id LIMIT :most
ON CONFLICT DO NOTHING;

-- name: make_holder_renewals!
-- A question about every account of which a bank's word ends before a moment, the first to end first.
INSERT INTO question (request_id, about, beneficiary_id, digest, officer, procedure, urgent, made_at, due_at)
SELECT gen_random_uuid(), 'holder', p.beneficiary_id, p.account_digest || ':' || p.identity_digest, :officer::text, :procedure::text, false,
       :at::timestamptz, :at::timestamptz
  FROM person p
 WHERE p.holder_until < :before AND p.account_digest IS NOT NULL
   AND NOT EXISTS (SELECT FROM question q WHERE q.beneficiary_id = p.beneficiary_id AND q.about = 'holder' AND q.ended_at IS NULL)
 ORDER BY p.holder_until LIMIT :most
ON CONFLICT DO NOTHING;

-- name: sent_since^
-- How many questions of one kind went out since a moment.
SELECT count(*) AS sent FROM question_sent WHERE about = :about AND sent_at > :since;

-- name: due_questions
-- Open questions whose time has come, urgent ones first, and at any time those whose person has changed: they are to be dropped.
WITH open AS (
    SELECT q.*, p.identity, p.payee,
           q.digest = CASE q.about WHEN 'person' THEN p.identity_digest
                                   ELSE concat(p.account_digest, ':', p.identity_digest) END AS same
      FROM question q JOIN person p USING (beneficiary_id)
     WHERE q.ended_at IS NULL AND q.about = :about
)
SELECT request_id, beneficiary_id, tries, identity, payee, same FROM open
 WHERE NOT same OR (due_at <= :at AND (urgent OR :all_of_them))
 ORDER BY urgent DESC, due_at, request_id LIMIT :most;

-- name: count_sending!
-- These questions go out now; without an answer they are due again at the moments given.
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :due_ats::timestamptz[]) AS g (request_id, due_at)
), counted AS (
    UPDATE question q SET tries = q.tries + 1, due_at = given.due_at FROM given WHERE q.request_id = given.request_id
    RETURNING q.request_id, q.tries, q.about
)
INSERT INTO question_sent (request_id, nth, about, sent_at) SELECT request_id, tries, about, :at::timestamptz FROM counted;

-- name: end_questions
-- What became of open questions: an answer (a bank's refusal with it), or none asked for any more (NULL). Whose they were.
UPDATE question q SET ended_at = :at, answer = given.answer, refusal = given.refusal
  FROM unnest(:ids::uuid[], :answers::text[], :refusals::text[]) AS given (request_id, answer, refusal)
 WHERE q.request_id = given.request_id AND q.ended_at IS NULL
RETURNING q.beneficiary_id;

-- name: answers
-- What was last answered about these people as they are now, and when.
SELECT DISTINCT ON (q.beneficiary_id) q.beneficiary_id, q.answer, q.ended_at AS answered_at
  FROM question q
  JOIN unnest(:ids::uuid[], :digests::text[]) AS given (beneficiary_id, digest) USING (beneficiary_id, digest)
 WHERE q.about = :about AND q.answer IS NOT NULL AND q.ended_at >= :not_before
 ORDER BY q.beneficiary_id, q.ended_at DESC;

-- name: questions_by_state
-- Per kind how many questions are open, how many of those went out, how many were answered, and the oldest that waits.
SELECT about, count(*) FILTER (WHERE ended_at IS NULL) AS open, count(*) FILTER (WHERE ended_at IS NULL AND tries > 0) AS unanswered,
       count(*) FILTER (WHERE answer IS NOT NULL) AS answered, min(made_at) FILTER (WHERE ended_at IS NULL) AS oldest
  FROM question GROUP BY about ORDER BY about;

-- name: holder_answers
-- What banks answered about one person's accounts, oldest first; a refusal with its code.
SELECT answer, refusal, ended_at AS answered_at, digest = concat(p.account_digest, ':', p.identity_digest) AS holds
  FROM question q JOIN person p USING (beneficiary_id)
 WHERE q.beneficiary_id = :beneficiary_id AND q.about = 'holder' AND q.answer IS NOT NULL ORDER BY q.ended_at, q.request_id;

-- name: refusals
-- How many accounts as they are now their bank names no holder of, by its code.
SELECT q.refusal, count(*) AS accounts FROM (
    SELECT DISTINCT ON (q.beneficiary_id) q.refusal FROM question q JOIN person p USING (beneficiary_id)
     WHERE q.about = 'holder' AND q.answer IS NOT NULL AND q.digest = concat(p.account_digest, ':', p.identity_digest)
     ORDER BY q.beneficiary_id, q.ended_at DESC) q
 WHERE q.refusal IS NOT NULL GROUP BY q.refusal ORDER BY q.refusal;
