-- name: chain_end^
-- The last link of a payer's ledger chain.
SELECT h.seq, encode(h.sha256, 'hex') AS sha256, l.posting_id FROM ledger_head h JOIN ledger_link l USING (payer, seq) WHERE h.payer = :payer;

-- name: open_period
-- A month is open from now on; returns nothing when it was already.
INSERT INTO opened_period (period, opened_by, opened_at, token) VALUES (:period, :actor, :at, :token)
ON CONFLICT DO NOTHING RETURNING period;

-- name: opened_period^
-- Who opened a month.
SELECT period, opened_by, opened_at FROM opened_period WHERE period = :period;

-- name: budgets_confirmed^
-- How many budgets of a payer were confirmed for a period.
SELECT count(*) AS count FROM budget_confirmation WHERE period = :period AND payer = :payer;

-- name: propose_budget!
-- A budget sheet waits for its second signature; the same one again is the same.
INSERT INTO budget_sheet (sheet_sha256, period, payer, version, proposed_by, proposed_at, proposed_token)
VALUES (:sha256, :period, :payer, :version, :actor, :at, :token) ON CONFLICT DO NOTHING;

-- name: add_budget_rows!
-- The rows of a new sheet.
INSERT INTO budget_row (sheet_sha256, programme, vnd)
SELECT :sha256, programme, vnd FROM unnest(:programmes::text[], :vnds::bigint[]) AS row (programme, vnd) ON CONFLICT DO NOTHING;

-- name: budget_sheet^
-- One sheet, and whether it is confirmed.
SELECT s.period, s.payer, s.version, s.proposed_by, c.confirmed_by FROM budget_sheet s LEFT JOIN budget_confirmation c USING (sheet_sha256)
 WHERE s.sheet_sha256 = :sha256 AND s.period = :period AND s.payer = :payer;

-- name: waiting_sheet^
-- The newest budget sheet of a payer that can still be confirmed: of the next version.
SELECT s.sheet_sha256 AS sha256, s.version, s.proposed_by, s.proposed_at,
       (SELECT sum(r.vnd)::bigint FROM budget_row r WHERE r.sheet_sha256 = s.sheet_sha256) AS vnd
  FROM budget_sheet s
 WHERE s.period = :period AND s.payer = :payer
   AND s.version = 1 + (SELECT count(*) FROM budget_confirmation c WHERE c.period = :period AND c.payer = :payer)
 ORDER BY s.proposed_at DESC, s.sheet_sha256 LIMIT 1;

-- name: budget_below_use^
-- Programmes of which more has left than this sheet allows.
SELECT count(*) AS count FROM budget_use u LEFT JOIN budget_row r ON r.sheet_sha256 = :sha256 AND r.programme = u.programme
 WHERE u.period = :period AND u.payer = :payer AND u.used_vnd > coalesce(r.vnd, 0);

-- name: confirm_budget!
-- The second signature: the sheet is in force.
INSERT INTO budget_confirmation (sheet_sha256, period, payer, version, proposed_by, confirmed_by, confirmed_at, confirmed_token)
SELECT sheet_sha256, period, payer, version, proposed_by, :actor, :at, :token FROM budget_sheet WHERE sheet_sha256 = :sha256;

-- name: budget_rows
-- The rows of a sheet.
SELECT programme, vnd FROM budget_row WHERE sheet_sha256 = :sha256 ORDER BY programme;

-- name: budgets
-- Budget and use of a payer's programmes in these months, with what lists that have not left would use; `payroll` names those lists.
SELECT coalesce(u.period, w.period) AS period, coalesce(u.programme, w.programme) AS programme, u.budget_vnd, coalesce(u.used_vnd, 0) AS used_vnd,
       coalesce(w.vnd, 0)::bigint AS waiting_vnd
  FROM (SELECT * FROM budget_use WHERE period = ANY(:periods::text[]) AND payer = :payer) u
  FULL JOIN (SELECT l.period, l.programme, sum(il.vnd) AS vnd
               FROM batch b JOIN instruction i USING (batch_id) JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
              WHERE b.period = :payroll AND b.payer = :payer AND i.state = 'created' GROUP BY l.period, l.programme) w
         ON w.period = u.period AND w.programme = u.programme
 ORDER BY 1, 2;

-- name: leaving_budgets
-- Budget and use of the programmes of which these lists would let something leave, month by month, without what was withdrawn or falls out
-- now.
SELECT l.period, l.programme, u.budget_vnd, coalesce(u.used_vnd, 0) AS used_vnd, sum(il.vnd)::bigint AS leaving_vnd
  FROM instruction i JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
  LEFT JOIN budget_use u ON u.period = l.period AND u.payer = :payer AND u.programme = l.programme
 WHERE i.batch_id = ANY(:ids::uuid[]) AND i.state = 'created' AND i.instruction_id <> ALL(:dropped::uuid[])
 GROUP BY l.period, l.programme, u.budget_vnd, u.used_vnd ORDER BY l.period, l.programme;

-- name: above_tier^
-- The sum of the largest round among these batches, and the sum above which the province signs; null: no such tier.
SELECT max(total.vnd)::bigint AS vnd, tier_of(:period, :payer) AS above_vnd
  FROM (SELECT sum(b.vnd) AS vnd FROM batch b WHERE b.period = :period AND b.payer = :payer
           AND b.round IN (SELECT round FROM batch WHERE batch_id = ANY(:ids::uuid[])) GROUP BY b.round) total;

-- name: endorsed
-- Batches among these that the province signed.
SELECT batch_id FROM approval WHERE batch_id = ANY(:ids::uuid[]) AND step = 'endorse';

-- name: set_tier!
-- From this period on the province signs above this sum.
INSERT INTO approval_tier (payer, from_period, set_at, above_vnd, set_by, token)
VALUES (:payer, :from_period, :at, :above_vnd, :actor, :token);

-- name: set_freeze!
-- Nothing is released between these moments.
INSERT INTO freeze_window (freeze_id, payer, starts_at, ends_at, reason, set_by, set_at, token)
VALUES (:freeze_id, :payer, :starts_at, :ends_at, :reason, :actor, :at, :token);

-- name: freezes
-- Freezes of a payer that are not over.
SELECT payer, starts_at, ends_at, reason FROM freeze_window WHERE payer IN (:payer, '*') AND ends_at > :at ORDER BY starts_at;

-- name: frozen^
-- Whether nothing may be released now.
SELECT count(*) AS count FROM freeze_window WHERE payer IN (:payer, '*') AND starts_at <= :at AND ends_at > :at;

-- name: release_in_emergency!
-- Who lets these batches leave in a freeze, and why.
INSERT INTO emergency_release (batch_id, actor, reason, at, token) SELECT unnest(:ids::uuid[]), :actor, :reason, :at, :token;

-- name: unfinished^
-- What keeps a payroll from being closed: lists that are not settled, lines of which something is neither paid, held nor came back, and those that
-- the next build would pay: still owed of a payment that fell out, or held for the sake of other payers who hold theirs too.
SELECT (SELECT count(*) FROM batch WHERE period = :period AND payer = :payer AND state <> 'settled') AS lists,
       (SELECT count(*) FROM line l WHERE l.period = ANY(:periods::text[]) AND l.payer = :payer
           AND NOT EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id)
           AND NOT EXISTS (SELECT FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL)) AS lines,
       (SELECT count(*) FROM held h JOIN line l USING (entitlement_id)
         WHERE h.until IS NULL AND l.period = ANY(:periods::text[]) AND l.payer = :payer
           AND (h.reason = 'NEXT_BUILD'
                OR (h.reason = 'PAID_ELSEWHERE' AND l.gift IS NULL AND l.may_be_on_death IS NULL
                    AND 'held' = ALL (SELECT CASE WHEN k.reason IS NULL THEN 'open' ELSE 'held' END
                                        FROM line o LEFT JOIN held k ON k.entitlement_id = o.entitlement_id AND k.until IS NULL
                                       WHERE o.beneficiary_id = l.beneficiary_id AND o.period = l.period AND o.payer <> l.payer)))) AS waiting;

-- name: carry
-- What came back of each line and is not paid again is carried over.
INSERT INTO carried (entitlement_id, vnd, at)
SELECT l.entitlement_id, l.declared_vnd - live.vnd - kept.vnd, :at FROM line l
  CROSS JOIN LATERAL (SELECT coalesce(sum(il.vnd), 0)::bigint AS vnd FROM instruction_line il
                       WHERE il.entitlement_id = l.entitlement_id AND il.live) live
  CROSS JOIN LATERAL (SELECT coalesce(sum(h.vnd), 0)::bigint AS vnd FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL) kept
 WHERE l.period = ANY(:periods::text[]) AND l.payer = :payer AND l.declared_vnd > live.vnd + kept.vnd
RETURNING entitlement_id, vnd, (SELECT o.period FROM line o WHERE o.entitlement_id = carried.entitlement_id) AS period;

-- name: close_payroll!
-- Nothing moves from now on, in none of the months that were paid together.
INSERT INTO payroll_closed (period, payer, closed_by, closed_at, token) SELECT unnest(:periods::text[]), :payer, :actor, :at, :token;

-- name: closed^
-- Who closed a payroll.
SELECT closed_by, closed_at FROM payroll_closed WHERE period = :period AND payer = :payer;

-- name: join_month!
-- A month is paid with this payroll.
INSERT INTO payroll_join (period, payer, joined, joined_by, joined_at, token) VALUES (:period, :payer, :joined, :actor, :at, :token);

-- name: parted_before^
-- How often a month was parted from a payroll again.
SELECT count(*) AS count FROM payroll_join_ended WHERE payer = :payer AND joined = :joined;

-- name: end_join!
-- Who takes a join back, kept before it ends.
INSERT INTO payroll_join_ended (period, payer, joined, joined_by, joined_at, ended_by, ended_at, token)
SELECT period, payer, joined, joined_by, joined_at, :actor, :at, :token FROM payroll_join
 WHERE period = :period AND payer = :payer AND joined = :joined;

-- name: part_month!
-- A month is paid by itself again.
DELETE FROM payroll_join WHERE period = :period AND payer = :payer AND joined = :joined;

-- name: decided_since_joined^
-- Lines of months paid together that a build has held since they were joined.
SELECT count(*) AS count FROM payroll_join j JOIN line l ON l.payer = j.payer AND l.period IN (j.period, j.joined)
  JOIN held h ON h.entitlement_id = l.entitlement_id AND h.since >= j.joined_at
 WHERE j.period = :period AND j.payer = :payer AND j.joined = :joined;

-- name: go_no_go
-- Every payer with a list, a budget or a list last month, and what the go / no-go sheet asks of each, of every month that is paid together
-- with this one. Sets side by side, joined by payer and month. `over_vnd`: what lists that have not left would take beyond confirmed budgets,
-- programme by programme, without what was withdrawn from them. `unheard`: lists whose provider neither took them nor answered any payment
-- of theirs, over a topic or by file; `undecided`: lines of payers without a list that are not held.
WITH payers AS (
    SELECT payer, coalesce((SELECT j.period FROM payroll_join j WHERE j.payer = p.payer AND j.joined = :period), :period) AS payroll
      FROM (SELECT payer FROM closing WHERE period IN (:period, :before) UNION SELECT payer FROM budget_sheet WHERE period = :period) p
), months AS (
    SELECT payer, payroll, payroll AS period FROM payers
    UNION ALL SELECT p.payer, p.payroll, j.joined FROM payers p JOIN payroll_join j ON j.payer = p.payer AND j.period = p.payroll
), lines AS (
    SELECT l.period, l.payer, count(*) AS count, sum(l.declared_vnd)::bigint AS vnd,
           count(*) FILTER (WHERE v.identity_digest IS DISTINCT FROM p.identity_digest
                               OR v.account_digest IS DISTINCT FROM p.account_digest) AS unverified
      FROM line l LEFT JOIN person p USING (beneficiary_id) LEFT JOIN verdict v USING (beneficiary_id)
     WHERE (l.period, l.payer) IN (SELECT m.period, m.payer FROM months m) GROUP BY l.period, l.payer
), lists AS (
    SELECT period, payer, count(*) AS count, count(*) FILTER (WHERE state = 'draft') AS draft, count(*) FILTER (WHERE state = 'checked') AS checked,
           count(*) FILTER (WHERE state = 'approved') AS approved,
           count(*) FILTER (WHERE state IN ('sent', 'settled') AND received_at IS NULL AND sent_count > 0 AND NOT EXISTS (
               SELECT FROM instruction i WHERE i.batch_id = b.batch_id
                  AND i.state IN ('accepted', 'issued', 'paid', 'collected', 'rejected', 'returned', 'expired', 'cancelled'))) AS unheard
      FROM batch b WHERE (period, payer) IN (SELECT p.payroll, p.payer FROM payers p) GROUP BY period, payer
), undecided AS (
    SELECT l.period, l.payer, count(*) AS count FROM months m JOIN line l USING (period, payer)
     WHERE NOT EXISTS (SELECT FROM lists x WHERE x.period = m.payroll AND x.payer = m.payer)
       AND NOT EXISTS (SELECT FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL) GROUP BY l.period, l.payer
), waiting AS (
    SELECT l.period, l.payer, l.programme, sum(il.vnd) AS vnd
      FROM batch b JOIN instruction i USING (batch_id) JOIN instruction_line il USING (instruction_id) JOIN line l USING (entitlement_id)
     WHERE (b.period, b.payer) IN (SELECT p.payroll, p.payer FROM payers p) AND b.state IN ('draft', 'checked', 'approved') AND i.state = 'created'
     GROUP BY l.period, l.payer, l.programme
), money AS (
    SELECT w.period, w.payer, sum(greatest(coalesce(u.used_vnd, 0) + w.vnd - coalesce(u.budget_vnd, 0), 0))::bigint AS over_vnd
      FROM waiting w LEFT JOIN budget_use u USING (period, payer, programme) GROUP BY w.period, w.payer
), again AS (
    SELECT l.period, l.payer, count(*) AS count FROM held h JOIN line l USING (entitlement_id)
     WHERE h.until IS NULL AND h.reason = 'NEXT_BUILD' AND (l.period, l.payer) IN (SELECT m.period, m.payer FROM months m) GROUP BY l.period, l.payer
), asked AS (
    SELECT m.payer, m.payroll, coalesce(again.count, 0) AS again, c.count AS closed_count, c.vnd AS closed_vnd, coalesce(lines.count, 0) AS line_count, coalesce(lines.vnd, 0) AS line_vnd,
           coalesce(lines.unverified, 0) AS unverified, coalesce(undecided.count, 0) AS undecided, k.bound, CASE WHEN k.bound THEN coalesce(money.over_vnd, 0) ELSE 0 END AS over_vnd
      FROM months m
      CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM budget_confirmation k WHERE k.period = m.period AND k.payer = m.payer) AS bound) k
      LEFT JOIN closing c ON c.payer = m.payer AND c.period = m.period
      LEFT JOIN lines ON lines.payer = m.payer AND lines.period = m.period
      LEFT JOIN money ON money.payer = m.payer AND money.period = m.period
      LEFT JOIN again ON again.payer = m.payer AND again.period = m.period
      LEFT JOIN undecided ON undecided.payer = m.payer AND undecided.period = m.period
)
SELECT a.payer, sum(closed_count)::bigint AS closed_count, sum(closed_vnd)::bigint AS closed_vnd, sum(line_count)::bigint AS line_count,
       sum(line_vnd)::bigint AS line_vnd,
       count(*) FILTER (WHERE (closed_count, closed_vnd) IS DISTINCT FROM (line_count::int, line_vnd)) AS unlike,
       sum(unverified)::bigint AS unverified, sum(undecided)::bigint AS undecided, sum(again)::bigint AS again, coalesce(l.count, 0) AS lists, coalesce(l.draft, 0) AS draft, coalesce(l.checked, 0) AS checked,
       coalesce(l.approved, 0) AS approved, coalesce(l.unheard, 0) AS unheard, bool_and(bound) AS has_budget, sum(over_vnd)::bigint AS over_vnd
  FROM asked a LEFT JOIN lists l ON l.payer = a.payer AND l.period = a.payroll
 GROUP BY a.payer, l.count, l.draft, l.checked, l.approved, l.unheard ORDER BY a.payer;

-- name: differences
-- Everybody paid or listed in a period or the one before whose month differs, and why; without personal data. `payroll`: where it is paid.
-- Where the amount differs also the lines of both months that are paid.
WITH month AS (
    SELECT l.period, l.beneficiary_id, sum(il.vnd)::bigint AS vnd, min(i.channel) AS channel
      FROM line l JOIN instruction_line il USING (entitlement_id) JOIN instruction i USING (instruction_id)
     WHERE l.payer = :payer AND l.period IN (:period, :before) AND il.live GROUP BY l.period, l.beneficiary_id
), now AS (SELECT * FROM month WHERE period = :period), past AS (SELECT * FROM month WHERE period = :before)
SELECT beneficiary_id, past.vnd AS before_vnd, now.vnd AS after_vnd, past.channel AS before_channel, now.channel AS after_channel,
       was.contents AS before_contents, becomes.contents AS after_contents, p.life,
       (SELECT min(h.reason) FROM line l JOIN held h USING (entitlement_id) WHERE l.beneficiary_id = d.beneficiary_id AND l.period = :period
           AND l.payer = :payer AND h.until IS NULL) AS held,
       (SELECT min(h.reason) FROM line l JOIN held h USING (entitlement_id) WHERE l.beneficiary_id = d.beneficiary_id AND l.period = :before
           AND l.payer = :payer) AS was_held,
       EXISTS (SELECT FROM line l WHERE l.beneficiary_id = d.beneficiary_id AND l.period = :before AND l.payer <> :payer) AS from_elsewhere,
       EXISTS (SELECT FROM line l WHERE l.beneficiary_id = d.beneficiary_id AND l.period = :period AND l.payer <> :payer) AS to_elsewhere,
       (SELECT max(c.gap) FROM channel_choice c WHERE c.period = :payroll AND c.payer = :payer AND c.beneficiary_id = d.beneficiary_id) AS gap
  FROM (SELECT beneficiary_id FROM now UNION SELECT beneficiary_id FROM past) d
  LEFT JOIN now USING (beneficiary_id) LEFT JOIN past USING (beneficiary_id) LEFT JOIN person p USING (beneficiary_id)
  LEFT JOIN LATERAL (SELECT array_agg(l.content) AS contents FROM line l WHERE now.vnd <> past.vnd AND l.beneficiary_id = d.beneficiary_id
      AND l.period = :before AND l.payer = :payer
      AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)) was ON true
  LEFT JOIN LATERAL (SELECT array_agg(l.content) AS contents FROM line l WHERE now.vnd <> past.vnd AND l.beneficiary_id = d.beneficiary_id
      AND l.period = :period AND l.payer = :payer
      AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)) becomes ON true
 WHERE (now.vnd, now.channel) IS DISTINCT FROM (past.vnd, past.channel) ORDER BY beneficiary_id;

-- name: kept_answer^
-- The answer given under a key, and what was asked.
SELECT request_sha256, status, body FROM idempotency WHERE actor = :actor AND key = :key;

-- name: keep_answer
-- An answer under its key; the first stays, and then nothing is returned. Waits for another transaction that keeps one under this key.
INSERT INTO idempotency (actor, key, request_sha256, status, body, at) VALUES (:actor, :key, :request_sha256, :status, :body, :at)
ON CONFLICT DO NOTHING RETURNING key;
