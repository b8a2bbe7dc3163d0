-- name: take_turns_of_cancels
-- Answers about payments that people wish to cancel take turns with the commands on their payrolls, until the transaction ends: they may
-- hold lines. In order, so that two batches of answers never wait for one another; payments nobody wishes to cancel wait for nobody.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(' ', asked.period, asked.payer), 0))
  FROM (SELECT DISTINCT l.period, l.payer FROM cancel_item c JOIN cancel_list l USING (list_sha256) JOIN instruction i USING (instruction_id)
         WHERE i.end_to_end_id = ANY(:end_to_end_ids::text[]) OR i.batch_id = ANY(:refused::uuid[]) ORDER BY l.period, l.payer) asked;

-- name: cancellable
-- The payments of these people that are not dead, with the list that left them, the cancel that names them, if any, and what they pay of
-- which month.
SELECT i.instruction_id, i.batch_id, i.beneficiary_id, i.end_to_end_id, i.vnd, i.state, b.sent_sha256, c.list_sha256 AS cancel_list,
       s.months, s.vnds
  FROM instruction i JOIN batch b USING (batch_id) LEFT JOIN cancel_item c USING (instruction_id)
  CROSS JOIN LATERAL (SELECT array_agg(l.period) AS months, array_agg(il.vnd) AS vnds
                        FROM instruction_line il JOIN line l USING (entitlement_id) WHERE il.instruction_id = i.instruction_id) s
 WHERE b.period = :period AND b.payer = :payer AND i.beneficiary_id = ANY(:people::uuid[])
   AND i.state NOT IN ('rejected', 'returned', 'expired', 'withdrawn', 'cancelled')
 ORDER BY i.instruction_id FOR UPDATE OF i;

-- name: propose_cancel!
-- A cancel waits for its second signature; the same one again is the same.
INSERT INTO cancel_list (list_sha256, period, payer, reason, after, periods, proposed_by, proposed_at, proposed_token)
VALUES (:list_sha256, :period, :payer, :reason, :after, :periods, :actor, :at, :token) ON CONFLICT DO NOTHING;

-- name: add_cancels!
-- The payments of a proposed cancel.
INSERT INTO cancel_item (instruction_id, list_sha256, changed_at) SELECT unnest(:ids::uuid[]), :list_sha256, :at ON CONFLICT DO NOTHING;

-- name: cancel_list^
-- One proposed cancel, locked.
SELECT reason, after, periods, proposed_by, confirmed_by FROM cancel_list
 WHERE list_sha256 = :list_sha256 AND period = :period AND payer = :payer FOR UPDATE;

-- name: cancels_of_list
-- The payments a cancel names, as they are now, locked, and what they pay of which month.
SELECT i.instruction_id, i.batch_id, i.provider, i.end_to_end_id, i.vnd, i.state, c.state AS cancel, s.months, s.vnds
  FROM cancel_item c JOIN instruction i USING (instruction_id)
  CROSS JOIN LATERAL (SELECT array_agg(l.period) AS months, array_agg(il.vnd) AS vnds
                        FROM instruction_line il JOIN line l USING (entitlement_id) WHERE il.instruction_id = i.instruction_id) s
 WHERE c.list_sha256 = :list_sha256 ORDER BY i.instruction_id FOR UPDATE OF i;

-- name: confirm_cancel!
-- The second signature.
UPDATE cancel_list SET confirmed_by = :actor, confirmed_at = :at, confirmed_token = :token WHERE list_sha256 = :list_sha256;

-- name: add_cancel_messages!
-- Messages before they are sent.
INSERT INTO cancel_message (cancel_id, list_sha256, batch_id, count, asked_at)
SELECT cancel_id, :list_sha256, batch_id, count, :at FROM unnest(:ids::uuid[], :batches::uuid[], :counts::int[]) AS row (cancel_id, batch_id, count);

-- name: ask_back!
-- These payments are asked back by these messages.
UPDATE cancel_item c SET state = 'asked', cancel_id = row.cancel_id, changed_at = :at
  FROM unnest(:ids::uuid[], :cancels::uuid[]) AS row (instruction_id, cancel_id) WHERE c.instruction_id = row.instruction_id;

-- name: move_cancels!
-- One legal move each; the trigger compares with cancel_move.
UPDATE cancel_item c SET state = row.state, changed_at = :at
  FROM unnest(:ids::uuid[], :states::text[]) AS row (instruction_id, state) WHERE c.instruction_id = row.instruction_id;

-- name: unanswered_cancels
-- Payments asked back before a moment about which the provider has said nothing.
SELECT c.instruction_id FROM cancel_item c JOIN cancel_list l USING (list_sha256) JOIN cancel_message m USING (cancel_id)
 WHERE l.period = :period AND l.payer = :payer AND c.state = 'asked' AND m.asked_at <= :asked_before
 ORDER BY c.instruction_id FOR UPDATE OF c;

-- name: lines_to_keep
-- What of the lines of these payments is in no live payment, and is not held so already: back for good, or, of a month that the cancel does not
-- name, for the next build. What is back for good stays so, and of a payment in dispute everything is. `payroll`: where their month is paid.
SELECT l.entitlement_id, l.period, l.payer, be.vnd, be.reason, coalesce(j.period, l.period) AS payroll
  FROM (SELECT il.entitlement_id,
               bool_or(w.periods IS NULL OR n.period = ANY(w.periods) OR il.instruction_id = ANY(:disputed::uuid[])) AS back
          FROM instruction_line il JOIN line n USING (entitlement_id)
          LEFT JOIN cancel_item c USING (instruction_id) LEFT JOIN cancel_list w USING (list_sha256)
         WHERE il.instruction_id = ANY(:ids::uuid[]) GROUP BY il.entitlement_id) named
  JOIN line l USING (entitlement_id) LEFT JOIN payroll_join j ON j.payer = l.payer AND j.joined = l.period
  LEFT JOIN held h ON h.entitlement_id = l.entitlement_id AND h.until IS NULL
  CROSS JOIN LATERAL (SELECT (l.declared_vnd - coalesce(sum(il.vnd), 0))::bigint AS vnd,
                             CASE WHEN named.back OR h.reason = 'WITHDRAWN' THEN 'WITHDRAWN' ELSE 'NEXT_BUILD' END AS reason
                        FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live) be
 WHERE be.vnd > 0 AND (h.reason, h.vnd) IS DISTINCT FROM (be.reason, be.vnd)
 ORDER BY l.entitlement_id;

-- name: lines_in_doubt^
-- Lines on lists that have not left whose cancelled payment is said to have been paid all the same, while that is unexplained.
SELECT count(DISTINCT il.entitlement_id) AS count
  FROM break_item k JOIN instruction c ON c.instruction_id = k.instruction_id AND c.state = 'cancelled'
  JOIN instruction_line dead ON dead.instruction_id = c.instruction_id
  JOIN instruction_line il ON il.entitlement_id = dead.entitlement_id AND il.live
  JOIN instruction i ON i.instruction_id = il.instruction_id JOIN batch b ON b.batch_id = i.batch_id
 WHERE k.approved_by IS NULL AND i.state = 'created' AND b.period = :period AND b.payer = :payer;

-- name: shown_cancels
-- Cancels of a payroll with what became of their payments, the months these pay, and which of those were named to be kept back (null: all).
SELECT l.list_sha256, l.reason, l.after, l.periods AS kept_back, l.proposed_by, l.proposed_at, l.confirmed_by, l.confirmed_at, c.state, count(*) AS count,
       sum(i.vnd)::bigint AS vnd, min(c.changed_at) AS since,
       (SELECT array_agg(DISTINCT month ORDER BY month) FROM cancel_item o JOIN instruction p USING (instruction_id)
          CROSS JOIN LATERAL unnest(coalesce(p.periods, ARRAY[l.period])) AS month
         WHERE o.list_sha256 = l.list_sha256 AND o.state = c.state) AS periods
  FROM cancel_list l JOIN cancel_item c USING (list_sha256) JOIN instruction i USING (instruction_id)
 WHERE l.period = :period AND l.payer = :payer GROUP BY l.list_sha256, c.state ORDER BY l.proposed_at, l.list_sha256, c.state;
