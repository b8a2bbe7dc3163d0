-- name: known_people
-- The versions and digests held of these people; of who is erased none.
SELECT beneficiary_id, epoch, n, identity_digest, account_digest, delivery_digest FROM person
 WHERE beneficiary_id = ANY(:ids::uuid[]) AND erased_at IS NULL;

-- name: save_people!
-- Newer snapshots; an older one changes nothing, and nothing is taken of who is erased.
INSERT INTO person (beneficiary_id, epoch, n, payer, area, life, died_on, moved_out_on, wish, home_delivery, payee, delivery, bank_bin,
                    identity_digest, account_digest, delivery_digest, account_source, paper_scope, paper_from, paper_until,
                    merged)
SELECT * FROM unnest(:ids::uuid[], :epochs::int[], :ns::int[], :payers::text[], :areas::text[], :lives::text[], :died_ons::date[],
                     :moved_out_ons::date[], :wishes::text[], :home_deliveries::boolean[], :payees::text[], :deliveries::text[], :bank_bins::text[],
                     :identity_digests::text[], :account_digests::text[], :delivery_digests::text[], :account_sources::text[],
                     :paper_scopes::text[], :paper_froms::date[], :paper_untils::date[], :mergeds::boolean[])
ON CONFLICT (beneficiary_id) DO UPDATE
   SET epoch = EXCLUDED.epoch, n = EXCLUDED.n, payer = EXCLUDED.payer, area = EXCLUDED.area, life = EXCLUDED.life,
       died_on = EXCLUDED.died_on, moved_out_on = EXCLUDED.moved_out_on, wish = EXCLUDED.wish,
       home_delivery = EXCLUDED.home_delivery, payee = EXCLUDED.payee, delivery = EXCLUDED.delivery, bank_bin = EXCLUDED.bank_bin, identity_digest = EXCLUDED.identity_digest,
       account_digest = EXCLUDED.account_digest, delivery_digest = EXCLUDED.delivery_digest, account_source = EXCLUDED.account_source,
       paper_scope = EXCLUDED.paper_scope, paper_from = EXCLUDED.paper_from, paper_until = EXCLUDED.paper_until,
       merged = EXCLUDED.merged
 WHERE (EXCLUDED.epoch, EXCLUDED.n) > (person.epoch, person.n) AND person.erased_at IS NULL;

-- name: save_verdicts!
-- Newer results; an older one changes nothing, and nothing is kept of who is erased.
INSERT INTO verdict (beneficiary_id, result_seq, identity_digest, account_digest, outcome, died_on, account, checked_at)
SELECT * FROM unnest(:ids::uuid[], :seqs::int[], :identity_digests::text[], :account_digests::text[], :outcomes::text[],
                     :died_ons::date[], :accounts::text[], :checked_ats::timestamptz[]) AS told (beneficiary_id)
 WHERE NOT EXISTS (SELECT FROM person p WHERE p.beneficiary_id = told.beneficiary_id AND p.erased_at IS NOT NULL)
ON CONFLICT (beneficiary_id) DO UPDATE
   SET result_seq = EXCLUDED.result_seq, identity_digest = EXCLUDED.identity_digest, account_digest = EXCLUDED.account_digest,
       outcome = EXCLUDED.outcome, died_on = EXCLUDED.died_on, account = EXCLUDED.account, checked_at = EXCLUDED.checked_at
 WHERE EXCLUDED.result_seq > verdict.result_seq;

-- name: save_lines^
-- Frozen lines; one that is known stays as it is. Returns how many are new.
WITH added AS (
    INSERT INTO line (entitlement_id, beneficiary_id, period, payer, area, programme, declared_vnd, content, content_sha256, ages,
                      circumstances)
    SELECT * FROM unnest(:ids::uuid[], :people::uuid[], :periods::text[], :payers::text[], :areas::text[], :programmes::text[],
                         :vnds::bigint[], :contents::text[], :hashes::text[], :ages::text[], :circumstances::text[])
    ON CONFLICT (entitlement_id) DO NOTHING RETURNING 1
)
SELECT count(*) AS count FROM added;

-- name: changed_lines^
-- How many of these lines we hold with other content: somebody must look.
SELECT count(*) AS changed FROM line JOIN unnest(:ids::uuid[], :hashes::text[]) AS told (entitlement_id, hash) USING (entitlement_id)
 WHERE line.content_sha256 <> told.hash;

-- name: save_closing^
-- The first closing of a list stays; the row that holds is returned.
WITH added AS (
    INSERT INTO closing (period, payer, count, vnd, digest, content, closed_at)
    VALUES (:period, :payer, :count, :vnd, :digest, :content, :closed_at) ON CONFLICT DO NOTHING RETURNING count, vnd, digest
)
SELECT count, vnd, digest FROM added UNION ALL SELECT count, vnd, digest FROM closing WHERE period = :period AND payer = :payer LIMIT 1;

-- name: open_payroll!
-- A payroll exists from the closing on.
INSERT INTO payroll (period, payer) VALUES (:period, :payer) ON CONFLICT DO NOTHING;

-- name: take_turns^
-- Two commands on one payroll take turns, until the transaction ends. This lock takes no transaction id: a command that only reads
-- so far holds back no relay.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(' ', :period::text, :payer::text), 0));

-- name: plan_anew^
-- Plans of this transaction are made for the tables as they are now, not as they were when the session first asked: a whole payroll may
-- have come in between.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: payroll
-- The closing of a month and of those that are paid with it, the month itself first; `lead`: the payroll it joined, if it did.
SELECT p.period, p.payer, p.rounds, c.count, c.vnd, c.digest, c.closed_at, j.period AS lead
  FROM payroll p JOIN closing c USING (period, payer) LEFT JOIN payroll_join j ON j.payer = p.payer AND j.joined = p.period
 WHERE p.payer = :payer AND (p.period = :period OR j.period = :period) ORDER BY p.period <> :period, p.period;

-- name: line_canonicals
-- What the digest of the frozen lines is made of: `shared.events.EntitlementLine.canonical`.
SELECT concat_ws('|', entitlement_id, beneficiary_id, period, payer, declared_vnd) AS canonical, declared_vnd
  FROM line WHERE period = :period AND payer = :payer;

-- name: undecided_lines
-- Lines with something still to pay and not withdrawn by people, each with its person, verdict, and what became of earlier payments.
-- `beside`: of a line that is held, the person's other lines, paid ones too: it may give way to one of them.
-- Lateral, so that every line goes by index: tables that grew by a whole payroll a moment ago have no statistics yet.
-- `again`: whether a payroll has been built before; before that no line has a payment, and none is looked for: grouped, a line without any
-- has no row, and no sum is begun for it.
SELECT l.entitlement_id, l.beneficiary_id, l.period, l.gift, l.programme, l.declared_vnd, l.content, l.ages, l.circumstances,
       (l.declared_vnd - coalesce(past.live_vnd, 0))::bigint AS open_vnd,
       coalesce(past.pieces, 0) AS pieces, coalesce(past.attempts, 0) AS attempts, past.failed, h.reason AS held,
       p.area, p.life, p.merged, p.died_on, p.moved_out_on, p.wish, p.home_delivery, p.delivery IS NOT NULL AS can_be_delivered, p.bank_bin,
       p.paper_scope, p.paper_from, p.paper_until,
       p.account_source = 'bulk' AND NOT EXISTS (SELECT FROM instruction u WHERE u.beneficiary_id = p.beneficiary_id
                                                    AND u.account_digest = p.account_digest AND u.state = 'paid') AS bulk_unused,
       p.identity_digest, p.account_digest,
       v.identity_digest AS judged_identity, v.account_digest AS judged_account, v.outcome, v.died_on AS judged_died_on, v.account,
       CASE WHEN h.reason IS NOT NULL THEN (SELECT array_agg(concat_ws(' ', o.entitlement_id, o.content)) FROM line o
             WHERE o.beneficiary_id = l.beneficiary_id AND o.period = l.period AND o.payer = l.payer
               AND o.entitlement_id <> l.entitlement_id) END AS beside
  FROM line l
  LEFT JOIN LATERAL (
      SELECT sum(part.vnd) FILTER (WHERE part.live) AS live_vnd, max(part.piece) AS pieces, max(i.attempt) AS attempts,
             (array_agg(i.state ORDER BY i.attempt DESC)
                 FILTER (WHERE i.channel = 'account' AND i.state IN ('rejected', 'returned')))[1] AS failed
        FROM (SELECT * FROM instruction_line WHERE :again::boolean AND entitlement_id = l.entitlement_id AND live
              UNION ALL SELECT * FROM instruction_line WHERE :again::boolean AND entitlement_id = l.entitlement_id AND NOT live) part
        JOIN instruction i USING (instruction_id)
       GROUP BY part.entitlement_id
  ) past ON true
  LEFT JOIN held h ON h.entitlement_id = l.entitlement_id AND h.until IS NULL
  LEFT JOIN person p ON p.beneficiary_id = l.beneficiary_id AND p.erased_at IS NULL
  LEFT JOIN verdict v ON v.beneficiary_id = l.beneficiary_id
 WHERE l.period = :period AND l.payer = :payer AND (l.declared_vnd > coalesce(past.live_vnd, 0) OR l.declared_vnd = 0)
   AND h.reason IS DISTINCT FROM 'WITHDRAWN'
 ORDER BY l.beneficiary_id, l.entitlement_id;

-- name: release_held!
-- These lines are no longer held for the reason they were.
UPDATE held SET until = :at WHERE entitlement_id = ANY(:ids::uuid[]) AND until IS NULL;

-- name: hold!
-- These lines are held from now on.
INSERT INTO held (entitlement_id, reason, vnd, since)
SELECT entitlement_id, reason, vnd, :at FROM unnest(:ids::uuid[], :reasons::text[], :vnds::bigint[]) AS row (entitlement_id, reason, vnd);

-- name: save_choices!
-- How each account holder who is not paid on the account is paid in this payroll, as decided last.
INSERT INTO channel_choice (period, payer, beneficiary_id, has_account, provider, channel, gap, decided_at)
SELECT :period, :payer, beneficiary_id, true, provider, channel, gap, :at
  FROM unnest(:ids::uuid[], :providers::text[], :channels::text[], :gaps::text[]) AS row (beneficiary_id, provider, channel, gap)
ON CONFLICT (period, payer, beneficiary_id) DO UPDATE
   SET provider = EXCLUDED.provider, channel = EXCLUDED.channel, gap = EXCLUDED.gap, decided_at = EXCLUDED.decided_at;

-- name: drop_choices!
-- These account holders are paid on the account after all.
DELETE FROM channel_choice WHERE period = :period AND payer = :payer AND beneficiary_id = ANY(:ids::uuid[]);

-- name: next_round!
-- One more build that made batches, of all months that are paid together.
UPDATE payroll SET rounds = rounds + 1 WHERE period = ANY(:periods::text[]) AND payer = :payer;

-- name: save_batches!
-- New drafts.
INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
SELECT batch_id, :period, :payer, provider, :round, count, vnd, sha256, :execution_date
  FROM unnest(:ids::uuid[], :providers::text[], :counts::int[], :vnds::bigint[], :hashes::text[])
       AS row (batch_id, provider, count, vnd, sha256);

-- name: sign!
-- One person's step on these batches.
INSERT INTO approval (batch_id, step, actor, sha256, signed_sha256, token, at)
SELECT batch_id, :step, :actor, sha256, :signed_sha256, :token, :at
  FROM unnest(:ids::uuid[], :hashes::text[]) AS row (batch_id, sha256);

-- name: signers
-- Who took a step on any of these batches.
SELECT DISTINCT actor FROM approval WHERE batch_id = ANY(:ids::uuid[]);

-- name: batches_in_state
-- The batches of a payroll in one state. Before they are sent only commands touch them, and those take turns.
SELECT batch_id, provider, round, state, count, vnd, sha256, execution_date, sent_at, completed_at FROM batch
 WHERE period = :period AND payer = :payer AND state = :state ORDER BY batch_id;

-- name: move_batches!
-- One step further.
UPDATE batch SET state = :state WHERE batch_id = ANY(:ids::uuid[]);

-- name: move_payments
-- One legal move each; the trigger compares with instruction_move. Returns what a state message needs.
UPDATE instruction i SET state = row.state, state_seq = i.state_seq + 1, reason = coalesce(row.reason, i.reason)
  FROM unnest(:ids::uuid[], :states::text[], :reasons::text[]) AS row (instruction_id, state, reason)
 WHERE i.instruction_id = row.instruction_id
RETURNING i.instruction_id, i.batch_id, i.beneficiary_id, i.state, i.state_seq, i.provider, i.channel, i.attempt, i.vnd, i.reason, i.periods;

-- name: lists
-- Lists as their rows make them: payments, VND and SHA-256 of the canonical text, which is `services/payout/batch.py` `list_sha256`. Whole
-- as they were made, or what leaves of them.
SELECT payment.batch_id, count(*) AS count, sum(payment.vnd)::bigint AS vnd,
       encode(sha256(convert_to(string_agg(payment.line, '' ORDER BY payment.end_to_end_id COLLATE "C"), 'UTF8')), 'hex') AS sha256
  FROM (SELECT i.batch_id, i.end_to_end_id, i.vnd,
               concat_ws('|', i.end_to_end_id, i.instruction_id, i.beneficiary_id, i.part, i.attempt, i.provider, i.channel, i.area, i.vnd,
                         coalesce(i.account_digest, '-'), covered.lines) || chr(10) AS line
          FROM instruction i
          CROSS JOIN LATERAL (SELECT string_agg(concat_ws(chr(58), il.entitlement_id, il.piece, il.vnd), ',' ORDER BY il.entitlement_id) AS lines
                                FROM instruction_line il WHERE il.instruction_id = i.instruction_id) covered
         WHERE i.batch_id = ANY(:ids::uuid[])
           AND (NOT :leaving::boolean OR (i.state = 'created' AND i.instruction_id <> ALL(:dropped::uuid[])))) payment
 GROUP BY payment.batch_id;

-- name: shortened
-- Batches from which something was withdrawn.
SELECT DISTINCT batch_id FROM instruction WHERE batch_id = ANY(:ids::uuid[]) AND state = 'withdrawn';

-- name: known_now^
-- One text over everything a release of these batches is made from. What is only counted on never changes without its version.
SELECT encode(sha256(convert_to(concat(
    (SELECT string_agg(concat_ws('|', i.instruction_id, i.state_seq, coalesce(p.epoch, 0), coalesce(p.n, 0), coalesce(v.result_seq, 0)), ','
                       ORDER BY i.instruction_id)
       FROM instruction i LEFT JOIN person p USING (beneficiary_id) LEFT JOIN verdict v USING (beneficiary_id)
      WHERE i.batch_id = ANY(:ids::uuid[])), '#',
    (SELECT string_agg(concat_ws('|', h.entitlement_id, h.reason, h.vnd, coalesce(p.epoch, 0), coalesce(p.n, 0)), ',' ORDER BY h.entitlement_id)
       FROM held h JOIN line l USING (entitlement_id) LEFT JOIN person p USING (beneficiary_id)
      WHERE l.period = ANY(:periods::text[]) AND l.payer = :payer AND h.until IS NULL)), 'UTF8')), 'hex') AS sha256;

-- name: doubtful_payments
-- Payments not withdrawn whose person or verdict is not plainly as this payment needs it: only these can fall out; `release.recheck` decides.
SELECT i.instruction_id, i.batch_id, i.beneficiary_id, i.channel, i.area, i.vnd, i.end_to_end_id, i.account_digest AS paid_account, i.periods,
       p.life, p.merged, p.died_on, p.moved_out_on, p.wish, p.home_delivery, p.delivery IS NOT NULL AS can_be_delivered, p.bank_bin, p.identity_digest,
       p.paper_scope, p.paper_from, p.paper_until,
       p.account_source = 'bulk' AND NOT EXISTS (SELECT FROM instruction u WHERE u.beneficiary_id = p.beneficiary_id
                                                    AND u.account_digest = p.account_digest AND u.state = 'paid') AS bulk_unused,
       p.account_digest, v.identity_digest AS judged_identity, v.account_digest AS judged_account, v.outcome, v.died_on AS judged_died_on,
       v.account,
       CASE WHEN p.life = 'dead' OR v.outcome = 'dead' THEN
           (SELECT array_agg(concat_ws(' ', l.period, l.content)) FROM instruction_line il JOIN line l USING (entitlement_id)
             WHERE il.instruction_id = i.instruction_id AND il.live) END AS contents
  FROM instruction i LEFT JOIN person p ON p.beneficiary_id = i.beneficiary_id AND p.erased_at IS NULL
  LEFT JOIN verdict v ON v.beneficiary_id = i.beneficiary_id
 WHERE i.batch_id = ANY(:ids::uuid[]) AND i.state = 'created'
   AND (p.life = 'alive' AND NOT p.merged AND v.identity_digest = p.identity_digest AND v.outcome IN ('match', 'weak_match', 'number_changed')
        AND (p.delivery IS NOT NULL OR NOT p.home_delivery)
        AND (i.channel <> 'account'
             OR (p.account_digest = i.account_digest AND v.account_digest = i.account_digest AND p.wish = 'account' AND v.account = 'usable'
                 AND v.outcome = 'match'))) IS NOT TRUE
 ORDER BY i.instruction_id;

-- name: leaving_ids
-- What leaves of a batch, area by area.
SELECT instruction_id FROM instruction
 WHERE batch_id = :batch_id AND state = 'created' AND instruction_id <> ALL(:dropped::uuid[]) ORDER BY area, end_to_end_id;

-- name: leaving_payments
-- Payments with what their provider is told and what they are worth per programme, in the order asked for; per month too, where the payroll
-- is of several.
SELECT i.instruction_id, i.beneficiary_id, i.attempt, i.provider, i.channel, i.area, i.vnd, i.end_to_end_id, i.account_digest, i.periods,
       p.account_digest AS known_account, p.payee, p.delivery, p.paper_scope, worth.programmes, worth.vnds, worth.months
  FROM unnest(:ids::uuid[]) WITH ORDINALITY AS row (instruction_id, place)
  JOIN instruction i USING (instruction_id) JOIN person p USING (beneficiary_id)
  CROSS JOIN LATERAL (SELECT array_agg(l.programme) AS programmes, array_agg(il.vnd) AS vnds,
                             array_agg(l.period) FILTER (WHERE i.periods IS NOT NULL) AS months
                        FROM instruction_line il JOIN line l USING (entitlement_id) WHERE il.instruction_id = i.instruction_id) worth
 ORDER BY row.place;

-- name: send_payments!
-- Sealed and on their way: two moves at once, of everything on these batches that was not withdrawn.
UPDATE instruction SET state = 'sending', state_seq = state_seq + 2 WHERE batch_id = ANY(:ids::uuid[]) AND state = 'created';

-- name: mark_sent!
-- What leaves and its hash, together with the state that says so.
UPDATE batch SET state = 'sent', sent_at = :at, sent_count = row.count, sent_vnd = row.vnd, sent_sha256 = row.sha256,
       told_on = row.told_on, debtor_ix = row.debtor_ix
  FROM unnest(:ids::uuid[], :counts::int[], :vnds::bigint[], :hashes::text[], :days::date[], :debtors::bytea[])
       AS row (batch_id, count, vnd, sha256, told_on, debtor_ix)
 WHERE batch.batch_id = row.batch_id;

-- name: withdrawable
-- Payments of these people on lists that are not sent yet, with those that are too late.
SELECT i.instruction_id, i.beneficiary_id, i.end_to_end_id, i.vnd, i.state, b.sha256, b.state AS batch_state,
       coalesce(i.periods, ARRAY[b.period]) AS periods
  FROM instruction i JOIN batch b USING (batch_id)
 WHERE b.period = :period AND b.payer = :payer AND i.beneficiary_id = ANY(:people::uuid[])
   AND i.state NOT IN ('rejected', 'returned', 'expired', 'withdrawn', 'cancelled');

-- name: propose_withdrawal!
-- A withdrawal list waits for its second signature.
INSERT INTO withdrawal_list (list_sha256, period, payer, reason, periods, proposed_by, proposed_at, proposed_token)
VALUES (:list_sha256, :period, :payer, :reason, :periods, :actor, :at, :token) ON CONFLICT DO NOTHING;

-- name: add_withdrawals!
-- The payments of a withdrawal list.
INSERT INTO withdrawal (instruction_id, list_sha256) SELECT unnest(:ids::uuid[]), :list_sha256 ON CONFLICT DO NOTHING;

-- name: withdrawal_list^
-- One withdrawal list, locked.
SELECT list_sha256, reason, periods, proposed_by, confirmed_by FROM withdrawal_list
 WHERE list_sha256 = :list_sha256 AND period = :period AND payer = :payer FOR UPDATE;

-- name: proposed_elsewhere^
-- Payments that another open withdrawal list names.
SELECT count(*) AS count FROM withdrawal WHERE instruction_id = ANY(:ids::uuid[]) AND list_sha256 <> :list_sha256;

-- name: confirm_withdrawal!
-- The second signature.
UPDATE withdrawal_list SET confirmed_by = :actor, confirmed_at = :at, confirmed_token = :token WHERE list_sha256 = :list_sha256;

-- name: withdrawn_lines
-- The lines of the payments of a withdrawal list.
SELECT w.instruction_id, il.entitlement_id, il.vnd, l.period
  FROM withdrawal w JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
 WHERE w.list_sha256 = :list_sha256 ORDER BY il.entitlement_id;

-- name: open_withdrawals^
-- Withdrawal lists of a payroll that still wait for a second signature.
SELECT count(*) AS count FROM withdrawal_list WHERE period = :period AND payer = :payer AND confirmed_by IS NULL;

-- name: held_lines
-- Lines held now, with what a list for officers shows.
SELECT h.entitlement_id, h.reason, h.vnd, l.beneficiary_id, l.area, p.payee, p.delivery
  FROM held h JOIN line l USING (entitlement_id) LEFT JOIN person p USING (beneficiary_id)
 WHERE l.period = ANY(:periods::text[]) AND l.payer = :payer AND h.until IS NULL ORDER BY h.entitlement_id;

-- name: falling_lines
-- The lines of payments that fall out, with what a list for officers shows.
SELECT il.instruction_id, il.vnd, l.beneficiary_id, l.period, l.area, p.payee, p.delivery
  FROM instruction_line il JOIN line l USING (entitlement_id) LEFT JOIN person p USING (beneficiary_id)
 WHERE il.instruction_id = ANY(:ids::uuid[]) ORDER BY il.entitlement_id;

-- name: returned_shares
-- Money that came back of these lines, per dead payment and line, each of the line's own month.
SELECT i.instruction_id, il.entitlement_id, l.period, l.programme, il.vnd
  FROM instruction_line il JOIN instruction i USING (instruction_id) JOIN line l USING (entitlement_id)
 WHERE il.entitlement_id = ANY(:ids::uuid[]) AND i.state IN ('returned', 'expired');

-- name: post
-- Postings; the same cause posts once. Returns the ids that are new.
INSERT INTO posting (posting_id, instruction_id, period, payer, debit, credit, vnd, at)
SELECT posting_id, instruction_id, period, payer, debit, credit, vnd, :at
  FROM unnest(:ids::uuid[], :instructions::uuid[], :periods::text[], :payers::text[], :debits::text[], :credits::text[], :vnds::bigint[])
       AS row (posting_id, instruction_id, period, payer, debit, credit, vnd)
ON CONFLICT (posting_id) DO NOTHING RETURNING posting_id;

-- name: known_results
-- Answers with these ids that we hold and need not judge again. One about a payment nobody knew is judged anew when it is said again:
-- after a restore the payment was perhaps made a second time under its old id, and only the provider's word ends it.
-- So is a word about a cancel that did not fit: a restore may have forgotten that it was asked for.
SELECT result_id, content_sha256 FROM result
 WHERE result_id = ANY(:ids::uuid[]) AND fate <> 'foreign' AND NOT (kind = 'cancel' AND fate = 'conflict');

-- name: answered_batches
-- Batches that answers speak about, locked before their payments.
SELECT batch_id, period, payer, provider, state, sent_count, sent_vnd, received_at, completed_at FROM batch
 WHERE batch_id = ANY(:ids::uuid[]) ORDER BY batch_id FOR UPDATE;

-- name: answered_payments
-- Payments that answers name, and all sent ones of refused batches, locked. Their ids first: each of the two ways has its own index.
SELECT i.instruction_id, i.batch_id, i.beneficiary_id, i.end_to_end_id, i.provider, i.channel, i.vnd, i.state, b.period, b.payer,
       s.programmes, s.vnds, s.months, EXISTS (SELECT FROM payroll_closed c WHERE c.period = b.period AND c.payer = b.payer) AS closed,
       wish.state AS cancel, wish.keep
  FROM instruction i JOIN batch b USING (batch_id)
  LEFT JOIN LATERAL (SELECT c.state, l.after = 'keep' AS keep FROM cancel_item c JOIN cancel_list l USING (list_sha256)
                      WHERE c.instruction_id = i.instruction_id) wish ON true
  CROSS JOIN LATERAL (SELECT array_agg(l.programme) AS programmes, array_agg(il.vnd) AS vnds,
                             array_agg(l.period) FILTER (WHERE i.periods IS NOT NULL) AS months
                        FROM instruction_line il JOIN line l USING (entitlement_id) WHERE il.instruction_id = i.instruction_id) s
 WHERE i.instruction_id = ANY(ARRAY(
       SELECT instruction_id FROM instruction WHERE end_to_end_id = ANY(:end_to_end_ids::text[])
       UNION SELECT instruction_id FROM instruction WHERE batch_id = ANY(:refused::uuid[]) AND state <> 'withdrawn'))
 ORDER BY i.instruction_id FOR UPDATE OF i;

-- name: save_results!
-- Every answer as it came, with its fate.
INSERT INTO result (result_id, content_sha256, provider, batch_id, kind, end_to_end_id, status, outcome, amount_vnd, reason, basis, count, vnd,
                    occurred_at, fate, received_at)
SELECT row.*, :at FROM unnest(:ids::uuid[], :hashes::text[], :providers::text[], :batches::uuid[], :kinds::text[],
                              :end_to_end_ids::text[], :statuses::text[], :outcomes::text[], :amounts::bigint[], :reasons::text[], :bases::text[],
                              :counts::int[], :vnds::bigint[], :occurred_ats::timestamptz[], :fates::text[]) AS row
ON CONFLICT DO NOTHING;

-- name: mark_received!
-- The provider has these batches whole.
UPDATE batch SET received_at = :at WHERE batch_id = ANY(:ids::uuid[]) AND received_at IS NULL;

-- name: mark_completed!
-- The provider says that it has answered for everything it will.
UPDATE batch SET completed_at = :at WHERE batch_id = ANY(:ids::uuid[]) AND completed_at IS NULL;

-- name: settle!
-- Sent batches whose every payment has an end.
UPDATE batch b SET state = 'settled' WHERE b.batch_id = ANY(:ids::uuid[]) AND b.state = 'sent' AND NOT EXISTS (
    SELECT FROM instruction i WHERE i.batch_id = b.batch_id
       AND i.state NOT IN ('paid', 'collected', 'rejected', 'returned', 'expired', 'withdrawn', 'cancelled'));

-- name: unanswered
-- Payments without a final answer on batches that are complete or past their deadline.
SELECT i.instruction_id FROM instruction i JOIN batch b USING (batch_id)
 WHERE b.period = :period AND b.payer = :payer AND b.state = 'sent' AND i.state IN ('sending', 'accepted')
   AND (b.completed_at IS NOT NULL OR b.sent_at <= :sent_before)
 ORDER BY i.instruction_id FOR UPDATE OF i;

-- name: save_files!
-- Files with their hash, before they exist; a path is used once.
INSERT INTO file (path, period, payer, batch_id, kind, owner, sha256, size, count, vnd, made_at)
SELECT path, :period, :payer, batch_id, kind, owner, sha256, size, count, vnd, :at
  FROM unnest(:paths::text[], :batches::uuid[], :kinds::text[], :owners::uuid[], :hashes::text[], :sizes::int[], :counts::int[], :vnds::bigint[])
       AS row (path, batch_id, kind, owner, sha256, size, count, vnd);

-- name: unwritten_files
-- Files that do not exist yet.
SELECT path, owner, sha256 FROM file WHERE written_at IS NULL ORDER BY path LIMIT 50;

-- name: unprinted_lists
-- Lists of the post without their print, in folders that nobody has begun to deliver; but not those to be tried later.
SELECT f.path, f.period, f.batch_id, f.owner, f.count, f.vnd, f.made_at, b.execution_date,
       ARRAY(SELECT j.joined FROM payroll_join j WHERE j.payer = f.payer AND j.period = f.period) AS joined
  FROM file f JOIN batch b USING (batch_id)
 WHERE f.kind = 'postal_list' AND f.emptied_at IS NULL AND NOT EXISTS (SELECT FROM file p WHERE p.path = regexp_replace(f.path, '[.]xlsx$', '.pdf'))
   AND NOT EXISTS (SELECT FROM delivery d WHERE d.path = f.path) AND f.path <> ALL (:postponed::text[])
 ORDER BY f.made_at, f.path LIMIT 20;

-- name: save_print^
-- The print of a list, before it exists on disk. When two were made the first counts: they show the same.
INSERT INTO file (path, period, payer, batch_id, kind, owner, sha256, size, count, vnd, made_at)
SELECT :path, period, payer, batch_id, 'postal_print', :owner, :sha256, :size, count, vnd, made_at FROM file WHERE path = :list
ON CONFLICT (path) DO NOTHING RETURNING path;

-- name: file_part^
-- One part of a file's content.
SELECT sealed FROM file_part WHERE path = :path AND part = :part;

-- name: mark_written!
-- These files exist.
UPDATE file SET written_at = :at WHERE path = ANY(:paths::text[]);

-- name: shown_batches
-- The batches of a payroll.
SELECT batch_id, provider, round, state, count, vnd, sha256, execution_date, sent_count, sent_vnd, sent_sha256, sent_at, received_at,
       completed_at FROM batch WHERE period = :period AND payer = :payer ORDER BY round, provider;

-- name: shown_approvals
-- Who signed which batch of a payroll.
SELECT a.batch_id, a.step, a.actor, a.at FROM approval a JOIN batch b USING (batch_id)
 WHERE b.period = :period AND b.payer = :payer ORDER BY a.at, a.step;

-- name: shown_withdrawals
-- Withdrawal lists of a payroll.
SELECT list_sha256, reason, periods, proposed_by, confirmed_by, count(w.instruction_id) AS count
  FROM withdrawal_list JOIN withdrawal w USING (list_sha256) WHERE period = :period AND payer = :payer
 GROUP BY list_sha256 ORDER BY list_sha256;

-- name: shown_files
-- Files of a payroll.
SELECT path, kind, sha256, size, count, vnd, written_at IS NOT NULL AS written FROM file
 WHERE period = :period AND payer = :payer ORDER BY path;

-- name: payments_by_state
-- Payments and VND per state, cashless and postal.
SELECT i.channel = 'account' AS cashless, i.state, count(*) AS count, sum(i.vnd)::bigint AS vnd
  FROM instruction i JOIN batch b USING (batch_id) WHERE b.period = :period AND b.payer = :payer GROUP BY 1, 2 ORDER BY 1, 2;

-- name: held_by_reason
-- Held lines and VND per reason.
SELECT h.reason, count(*) AS count, sum(h.vnd)::bigint AS vnd FROM held h JOIN line l USING (entitlement_id)
 WHERE l.period = ANY(:periods::text[]) AND l.payer = :payer AND h.until IS NULL GROUP BY h.reason ORDER BY h.reason;

-- name: line_totals^
-- Where the lines of a payroll are: in live payments, held, or not decided yet. Three sums side by side, see undecided_lines.
WITH every AS (
    SELECT count(*) AS count, coalesce(sum(declared_vnd), 0)::bigint AS vnd FROM line WHERE period = ANY(:periods::text[]) AND payer = :payer
), live AS (
    SELECT count(DISTINCT il.entitlement_id) FILTER (WHERE i.channel = 'account') AS cashless_count,
           coalesce(sum(il.vnd) FILTER (WHERE i.channel = 'account'), 0)::bigint AS cashless_vnd,
           count(DISTINCT il.entitlement_id) FILTER (WHERE i.channel <> 'account') AS postal_count,
           coalesce(sum(il.vnd) FILTER (WHERE i.channel <> 'account'), 0)::bigint AS postal_vnd
      FROM instruction_line il JOIN instruction i USING (instruction_id) JOIN batch b USING (batch_id)
     WHERE il.live AND b.period = :period AND b.payer = :payer
), kept AS (
    SELECT count(*) AS held_count, coalesce(sum(h.vnd), 0)::bigint AS held_vnd FROM held h JOIN line l USING (entitlement_id)
     WHERE l.period = ANY(:periods::text[]) AND l.payer = :payer AND h.until IS NULL
)
SELECT * FROM every, live, kept;

-- name: account_funnel
-- Per account holder of the payer: verified, paid on the account, and else the reason why not.
WITH paid AS (
    SELECT i.beneficiary_id, bool_or(i.state = 'paid') AS paid, bool_or(i.state IN ('sending', 'accepted', 'unknown')) AS waits,
           bool_or(i.state = 'rejected') AS rejected, bool_or(i.state = 'returned') AS returned
      FROM instruction i JOIN batch b USING (batch_id)
     WHERE b.period = :period AND b.payer = :payer AND i.channel = 'account' GROUP BY i.beneficiary_id
), holder AS (
    SELECT p.beneficiary_id, p.wish = 'account' AS wished, v.account = 'usable' AND v.account_digest = p.account_digest AS verified,
           coalesce(paid.paid, false) AS paid,
           CASE WHEN NOT EXISTS (SELECT FROM line l WHERE l.beneficiary_id = p.beneficiary_id AND l.period = ANY(:periods::text[]) AND l.payer = :payer)
                THEN 'not_on_a_list'
                WHEN paid.waits THEN 'no_answer_yet'
                WHEN choice.gap IS NOT NULL THEN choice.gap
                WHEN paid.returned THEN 'returned'
                WHEN paid.rejected THEN 'bank_rejected'
                WHEN EXISTS (SELECT FROM line l JOIN held h USING (entitlement_id) WHERE l.beneficiary_id = p.beneficiary_id
                                AND l.period = ANY(:periods::text[]) AND l.payer = :payer AND h.until IS NULL) THEN 'held'
                ELSE 'no_answer_yet' END AS gap
      FROM person p LEFT JOIN verdict v USING (beneficiary_id)
      CROSS JOIN LATERAL (SELECT max(c.gap) AS gap FROM channel_choice c
                           WHERE c.period = :period AND c.payer = :payer AND c.beneficiary_id = p.beneficiary_id) choice
      LEFT JOIN paid ON paid.beneficiary_id = p.beneficiary_id
     WHERE p.payer = :payer AND p.account_digest IS NOT NULL
)
SELECT CASE WHEN paid THEN NULL ELSE gap END AS gap, count(*) AS holders, count(*) FILTER (WHERE wished) AS wished,
       count(*) FILTER (WHERE verified) AS verified FROM holder GROUP BY 1 ORDER BY 1;

-- name: ledger
-- The balance of every account of a payroll; they sum to zero.
SELECT account, sum(vnd)::bigint AS balance
  FROM (SELECT debit AS account, vnd FROM posting WHERE period = ANY(:periods::text[]) AND payer = :payer
        UNION ALL SELECT credit, -vnd FROM posting WHERE period = ANY(:periods::text[]) AND payer = :payer) AS side
 GROUP BY account ORDER BY account;

-- name: trace_person^
-- The snapshot and verdict held of one person, without sealed blocks.
SELECT p.epoch, p.n, p.payer, p.area, p.life, p.wish, p.home_delivery, p.account_digest IS NOT NULL AS has_account, v.result_seq, v.outcome,
       v.account FROM person p LEFT JOIN verdict v USING (beneficiary_id) WHERE p.beneficiary_id = :id;

-- name: trace_lines
-- Lines of one person with the reason they are held for, if any.
SELECT l.entitlement_id, l.period, l.payer, l.programme, l.declared_vnd, h.reason AS held FROM line l
  LEFT JOIN held h ON h.entitlement_id = l.entitlement_id AND h.until IS NULL WHERE l.beneficiary_id = :id ORDER BY l.period, l.entitlement_id;

-- name: trace_payments
-- Payments of one person.
SELECT i.instruction_id, i.batch_id, b.period, coalesce(i.periods, ARRAY[b.period]) AS periods, i.end_to_end_id, i.provider, i.channel,
       i.attempt, i.vnd, i.state, i.state_seq, i.reason, array_agg(il.entitlement_id) AS lines
  FROM instruction i JOIN batch b USING (batch_id) JOIN instruction_line il USING (instruction_id)
 WHERE i.beneficiary_id = :id GROUP BY i.instruction_id, b.period, b.round ORDER BY b.period, b.round, i.part;

-- name: trace_results
-- Answers about one person's payments.
SELECT r.result_id, r.end_to_end_id, r.status, r.outcome, r.reason, r.basis, r.fate, r.occurred_at FROM result r
  JOIN instruction i USING (end_to_end_id) WHERE i.beneficiary_id = :id ORDER BY r.received_at, r.result_id;

-- name: payments_after
-- Payments whose state was told; what is only on a draft is told to nobody.
SELECT i.instruction_id, i.beneficiary_id, i.state_seq, i.state, i.provider, i.channel, b.period, b.payer, i.attempt, i.vnd, i.reason, i.periods
  FROM instruction i JOIN batch b USING (batch_id)
 WHERE i.instruction_id > :after AND i.state NOT IN ('created', 'sealed') ORDER BY i.instruction_id LIMIT :most;
