-- name: save_people!
-- Newer snapshots; an older or equal version changes nothing, and nothing is taken of who is erased.
INSERT INTO person SELECT * FROM unnest(:people::person[])
ON CONFLICT (beneficiary_id) DO UPDATE
   SET epoch = EXCLUDED.epoch, n = EXCLUDED.n, payer = EXCLUDED.payer, life = EXCLUDED.life, has_account = EXCLUDED.has_account,
       cannot = EXCLUDED.cannot, contact = EXCLUDED.contact, phone_ix = EXCLUDED.phone_ix, merged = EXCLUDED.merged
 WHERE (person.epoch, person.n) < (EXCLUDED.epoch, EXCLUDED.n) AND person.erased_at IS NULL;

-- name: save_verdicts!
-- Newer verification results; nothing is kept of who is erased.
INSERT INTO verdict SELECT * FROM unnest(:verdicts::verdict[]) AS told
 WHERE NOT EXISTS (SELECT FROM person p WHERE p.beneficiary_id = told.beneficiary_id AND p.erased_at IS NOT NULL)
ON CONFLICT (beneficiary_id) DO UPDATE SET result_seq = EXCLUDED.result_seq, dead = EXCLUDED.dead
 WHERE verdict.result_seq < EXCLUDED.result_seq;

-- name: save_payments!
-- Newer states of payments to accounts.
INSERT INTO account_payment SELECT * FROM unnest(:payments::account_payment[])
ON CONFLICT (instruction_id) DO UPDATE SET state_seq = EXCLUDED.state_seq, state = EXCLUDED.state
 WHERE account_payment.state_seq < EXCLUDED.state_seq;

-- name: facts_of_all
-- What decides whether the next people are reminded. Look-ups, not joins: a page must cost the same among a million.
SELECT p.beneficiary_id, p.life, p.merged, p.has_account, p.cannot, p.phone_ix, p.contact,
       COALESCE((SELECT dead FROM verdict v WHERE v.beneficiary_id = p.beneficiary_id), false) AS found_dead,
       COALESCE((SELECT true FROM account_payment a WHERE a.beneficiary_id = p.beneficiary_id AND a.state = 'paid' LIMIT 1), false)
           AS paid_on_account,
       COALESCE((SELECT true FROM opt_out o WHERE o.phone_ix = p.phone_ix), false) AS opted_out
  FROM person p WHERE p.beneficiary_id > :after ORDER BY p.beneficiary_id LIMIT :most;

-- name: facts_of_payer
-- The same for the next people of one payer.
SELECT p.beneficiary_id, p.life, p.merged, p.has_account, p.cannot, p.phone_ix, p.contact,
       COALESCE((SELECT dead FROM verdict v WHERE v.beneficiary_id = p.beneficiary_id), false) AS found_dead,
       COALESCE((SELECT true FROM account_payment a WHERE a.beneficiary_id = p.beneficiary_id AND a.state = 'paid' LIMIT 1), false)
           AS paid_on_account,
       COALESCE((SELECT true FROM opt_out o WHERE o.phone_ix = p.phone_ix), false) AS opted_out
  FROM person p WHERE p.payer = :payer AND p.beneficiary_id > :after ORDER BY p.beneficiary_id LIMIT :most;

-- name: facts_of_texts
-- The same for the people whom these texts serve.
SELECT m.message_id, p.beneficiary_id, p.life, p.merged, p.has_account, p.cannot, p.phone_ix,
       COALESCE((SELECT dead FROM verdict v WHERE v.beneficiary_id = p.beneficiary_id), false) AS found_dead,
       COALESCE((SELECT true FROM account_payment a WHERE a.beneficiary_id = p.beneficiary_id AND a.state = 'paid' LIMIT 1), false)
           AS paid_on_account,
       COALESCE((SELECT true FROM opt_out o WHERE o.phone_ix = m.phone_ix), false) AS opted_out
  FROM message m JOIN message_person s USING (message_id) JOIN person p USING (beneficiary_id)
 WHERE m.message_id = ANY(:ids::uuid[]);

-- name: add_opt_out!
-- The phone of this person gets no more texts.
INSERT INTO opt_out (phone_ix, actor, at)
SELECT phone_ix, :actor, :at FROM person WHERE beneficiary_id = :beneficiary_id AND phone_ix IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: add_round^
-- Begin a round; no row when it was begun before.
INSERT INTO campaign_round (campaign, round, payer, people, texts, left_out, actor, at, drawn)
VALUES (:campaign, :round, :payer, 0, 0, '{}', :actor, :at, false)
ON CONFLICT DO NOTHING RETURNING round;

-- name: lock_round^
-- A round that is being drawn; whoever holds it draws the next part. No row when it is drawn.
SELECT payer, people, texts, left_out, actor, at, drawn_up_to, told_up_to FROM campaign_round
 WHERE campaign = :campaign AND round = :round AND NOT drawn FOR UPDATE;

-- name: rounds_not_drawn
-- Rounds whose drawing is not finished.
SELECT campaign, round FROM campaign_round WHERE NOT drawn ORDER BY campaign, round;

-- name: round_went_on!
-- Up to whom a round is drawn, with its totals so far.
UPDATE campaign_round SET people = people + :people, texts = texts + :texts, left_out = :left_out, drawn_up_to = :drawn_up_to
 WHERE campaign = :campaign AND round = :round;

-- name: round_told!
-- Up to which phone a round is told.
UPDATE campaign_round SET told_up_to = :told_up_to WHERE campaign = :campaign AND round = :round;

-- name: round_drawn!
-- Everybody is in: its texts may be sent. Up to which phone it was told says nothing any more.
UPDATE campaign_round SET drawn = true, told_up_to = NULL WHERE campaign = :campaign AND round = :round;

-- name: texts_to_phones
-- Texts of a round to these phones; one look-up each, whatever the planner thinks of a round's size.
SELECT given.phone_ix, known.message_id
  FROM unnest(:phone_ixs::bytea[]) AS given (phone_ix)
 CROSS JOIN LATERAL (SELECT m.message_id FROM message m
                      WHERE m.campaign = :campaign AND m.round = :round AND m.phone_ix = given.phone_ix LIMIT 1) known;

-- name: texts_to_tell
-- The next texts of a round in order of their phones.
SELECT phone_ix, message_id FROM message WHERE campaign = :campaign AND round = :round AND phone_ix > :after
 ORDER BY phone_ix LIMIT :most;

-- name: rounds
-- The rounds of a campaign.
SELECT round, payer, people, texts, left_out, actor, at FROM campaign_round WHERE campaign = :campaign ORDER BY round;

-- name: states_of_rounds
-- Texts by round and status.
SELECT round, status, count(*) AS texts, sum(parts) AS parts FROM message WHERE campaign = :campaign GROUP BY 1, 2 ORDER BY 1, 2;

-- name: add_texts!
-- The texts of a round, before anything is sent.
INSERT INTO message (message_id, campaign, round, phone_ix, contact, owner, accented, parts, status, changed_at)
SELECT message_id, :campaign, :round, phone_ix, contact, owner, :accented, :parts, 'created', :at
  FROM unnest(:ids::uuid[], :phone_ixs::bytea[], :contacts::text[], :owners::uuid[]) AS row (message_id, phone_ix, contact, owner);

-- name: add_served!
-- Whom each text serves.
INSERT INTO message_person (campaign, round, beneficiary_id, message_id)
SELECT :campaign, :round, beneficiary_id, message_id FROM unnest(:people::uuid[], :ids::uuid[]) AS row (beneficiary_id, message_id);

-- name: created_texts
-- The next texts to send; others may take the rest at the same time. None while a round is being drawn.
SELECT message_id, round, contact, owner, accented FROM message
 WHERE status = 'created' AND NOT EXISTS (SELECT FROM campaign_round WHERE NOT drawn)
 ORDER BY changed_at, message_id LIMIT :most FOR UPDATE SKIP LOCKED;

-- name: unknown_texts
-- Texts without an answer whose pause is over; the pause grows with every time we asked.
SELECT message_id, round, contact, owner, accented FROM message
 WHERE status = 'unknown' AND asked < :asked_max AND changed_at + asked * :pause::interval <= :at
 ORDER BY changed_at, message_id LIMIT :most FOR UPDATE SKIP LOCKED;

-- name: ask!
-- These texts are handed to the gateway now; unknown ones stay unknown until it answers.
UPDATE message SET status = CASE status WHEN 'created' THEN 'sending' ELSE status END, asked = asked + 1, changed_at = :at
 WHERE message_id = ANY(:ids::uuid[]) AND status IN ('created', 'unknown');

-- name: skip
-- Texts that nobody needs any more.
UPDATE message SET status = 'skipped', changed_at = :at WHERE message_id = ANY(:ids::uuid[]) AND status = 'created'
RETURNING message_id;

-- name: give_up_waiting
-- Texts handed over so long ago that whoever sent them is gone.
UPDATE message SET status = 'unknown', changed_at = :at WHERE status = 'sending' AND changed_at < :before RETURNING message_id;

-- name: settle
-- What the gateway or a receipt says, applied only where it goes forward; returns what changed.
UPDATE message m SET status = row.status, changed_at = :at
  FROM unnest(:ids::uuid[], :statuses::text[]) AS row (message_id, status)
 WHERE m.message_id = row.message_id AND m.status <> row.status
   AND (m.status = 'sending' OR m.status = 'unknown' OR (m.status = 'accepted' AND row.status IN ('delivered', 'failed')))
RETURNING m.message_id;

-- name: save_receipts!
-- Receipts of texts of ours; a repeated one changes nothing.
INSERT INTO receipt (message_id, status, at, received_at)
SELECT r.message_id, r.status, r.at, :received_at
  FROM unnest(:ids::uuid[], :statuses::text[], :ats::timestamptz[]) AS r (message_id, status, at) JOIN message USING (message_id)
ON CONFLICT DO NOTHING;

-- name: text_states
-- These texts as we tell others of them.
SELECT m.message_id, m.campaign, m.round, m.status, m.parts, m.changed_at,
       ARRAY(SELECT s.beneficiary_id FROM message_person s WHERE s.message_id = m.message_id ORDER BY s.beneficiary_id) AS people
  FROM message m WHERE m.message_id = ANY(:ids::uuid[]) ORDER BY m.message_id;

-- name: facts_of_person^
-- What decides whether one person is reminded, with the version we hold.
SELECT p.beneficiary_id, p.epoch, p.n, p.payer, p.life, p.merged, COALESCE(v.dead, false) AS found_dead, p.has_account, p.cannot, p.phone_ix,
       EXISTS (SELECT FROM account_payment a WHERE a.beneficiary_id = p.beneficiary_id AND a.state = 'paid') AS paid_on_account,
       o.phone_ix IS NOT NULL AS opted_out
  FROM person p LEFT JOIN verdict v USING (beneficiary_id) LEFT JOIN opt_out o USING (phone_ix)
 WHERE p.beneficiary_id = :beneficiary_id;

-- name: texts_of_person
-- Every text that serves one person.
SELECT m.message_id, m.campaign, m.round, m.status, m.parts, m.accented, m.asked, m.changed_at
  FROM message_person s JOIN message m USING (message_id) WHERE s.beneficiary_id = :beneficiary_id ORDER BY m.campaign, m.round;

-- name: texts_after
-- The next texts in order of their ids.
SELECT message_id FROM message WHERE message_id > :after ORDER BY message_id LIMIT :most;
