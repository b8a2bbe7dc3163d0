-- migrate:up

-- The cashless funnel: as 0217 has it, people read once, and as 0218 has it, who is past the day of review is to be reviewed first. 0218 took
-- 0217's half back.
CREATE OR REPLACE FUNCTION funnel(of_period text, today date) RETURNS TABLE (
    beneficiary_id uuid, payer text, area text, programme text, age_band text, stage text, back_to_cash boolean, action text, reason text
) LANGUAGE sql STABLE AS $$
WITH listed AS (
    SELECT r.beneficiary_id, array_agg(r.payer ORDER BY r.payer) AS payers,
           CASE WHEN min(r.line ->> 'programme') = max(r.line ->> 'programme') THEN min(r.line ->> 'programme') ELSE 'several' END AS programme
      FROM list_row r
     WHERE r.period = of_period AND r.state = 'active' GROUP BY r.beneficiary_id
), paying AS (
    SELECT m.beneficiary_id, bool_or(of_period = ANY(m.periods) AND m.state = 'paid') AS is_paid,
           bool_or(m.state = 'paid') AS was_paid,
           (array_agg(m.reason ORDER BY m.at DESC, m.instruction_id)
              FILTER (WHERE of_period = ANY(m.periods) AND m.state IN ('rejected', 'returned')))[1] AS failed_for,
           bool_or(of_period = ANY(m.periods) AND m.state IN ('rejected', 'returned')) AS failed
      FROM payment m WHERE m.channel = 'account' GROUP BY m.beneficiary_id
), known AS (
    SELECT l.beneficiary_id, CASE WHEN p.payer = ANY(l.payers) THEN p.payer ELSE l.payers[1] END AS payer, p.area, l.programme, p.birth_year, p.wish, p.wish_reason, p.account_source, p.cannot_reason,
           p.cannot_until, p.contact IS NOT NULL AS has_phone, p.life, p.account_digest IS NOT NULL AS has_account,
           p.paper_from IS NOT NULL AND COALESCE(p.paper_until >= today, true) AS by_paper, p.paper_until,
           COALESCE(v.outcome, 'unavailable') AS outcome,
           CASE WHEN v.account_digest = p.account_digest AND v.identity_digest = p.identity_digest THEN v.account END AS account,
           COALESCE(m.is_paid, false) AS is_paid, COALESCE(m.was_paid, false) AS was_paid, COALESCE(m.failed, false) AS failed, m.failed_for
      FROM listed l JOIN person p USING (beneficiary_id) LEFT JOIN verified v USING (beneficiary_id) LEFT JOIN paying m USING (beneficiary_id)
), staged AS (
    SELECT k.*, k.wish = 'post' AND k.was_paid AS back,
           CASE WHEN k.life <> 'alive' THEN 'gone'
                WHEN k.cannot_reason IS NOT NULL AND (k.cannot_until IS NULL OR k.cannot_until >= today) THEN 'cannot'
                WHEN k.is_paid THEN 'paid'
                WHEN NOT k.has_account THEN 'no_account'
                WHEN k.wish <> 'account' THEN 'exists'
                WHEN k.outcome = 'match' AND (k.account = 'usable' OR k.account = 'name_mismatch' AND k.by_paper) THEN 'verified'
                ELSE 'wished' END AS stage
      FROM known k
), planned AS (
    SELECT s.*,
           CASE WHEN s.stage = 'gone' THEN 'none'
                WHEN s.cannot_reason IS NOT NULL THEN CASE WHEN s.cannot_until > today + 30 THEN 'none' ELSE 'review_cannot' END
                WHEN s.back THEN 'win_back'
                WHEN s.wish = 'account' AND s.account = 'name_mismatch' AND s.paper_until <= today + 30 THEN 'renew_paper'
                WHEN s.stage = 'paid' THEN 'none'
                WHEN s.outcome = 'unavailable' THEN 'await_register'
                WHEN s.outcome <> 'match' THEN 'review_identity'
                WHEN s.wish = 'post' AND s.wish_reason IS NULL THEN 'ask_reason'
                WHEN s.wish = 'post' THEN 'answer_reason'
                WHEN s.stage = 'no_account' AND s.wish = 'account' THEN 'open_account'
                WHEN s.stage = 'no_account' THEN CASE WHEN s.has_phone THEN 'remind' ELSE 'visit' END
                WHEN s.stage = 'exists' THEN 'ask_wish'
                WHEN s.stage = 'wished' AND s.account IS NULL THEN 'await_check'
                WHEN s.stage = 'wished' AND s.account IN ('cannot_verify', 'unavailable') THEN 'ask_bank'
                WHEN s.stage = 'wished' THEN 'correct_account'
                WHEN s.failed THEN 'repair_account'
                WHEN s.account_source = 'bulk' THEN 'confirm_use'
                ELSE 'await_payment' END AS action
      FROM staged s
)
SELECT beneficiary_id, payer, area, programme,
       CASE WHEN COALESCE(birth_year, 0) = 0 THEN 'unknown'
            WHEN left(of_period, 4)::integer - birth_year < 16 THEN 'under_16'
            WHEN left(of_period, 4)::integer - birth_year < 60 THEN '16_59'
            WHEN left(of_period, 4)::integer - birth_year < 70 THEN '60_69'
            WHEN left(of_period, 4)::integer - birth_year < 80 THEN '70_79'
            ELSE '80_plus' END,
       stage, back, action,
       CASE action WHEN 'review_cannot' THEN cannot_reason WHEN 'win_back' THEN wish_reason WHEN 'answer_reason' THEN wish_reason
                   WHEN 'review_identity' THEN outcome WHEN 'ask_bank' THEN account WHEN 'correct_account' THEN account
                   WHEN 'renew_paper' THEN account WHEN 'repair_account' THEN failed_for END
  FROM planned
$$;

-- migrate:down
CREATE OR REPLACE FUNCTION funnel(of_period text, today date) RETURNS TABLE (
    beneficiary_id uuid, payer text, area text, programme text, age_band text, stage text, back_to_cash boolean, action text, reason text
) LANGUAGE sql STABLE AS $$
WITH listed AS (
    SELECT r.beneficiary_id, (array_agg(r.payer ORDER BY (r.payer = p.payer) DESC, r.payer))[1] AS payer,
           CASE WHEN min(r.line ->> 'programme') = max(r.line ->> 'programme') THEN min(r.line ->> 'programme') ELSE 'several' END AS programme
      FROM list_row r JOIN person p USING (beneficiary_id)
     WHERE r.period = of_period AND r.state = 'active' GROUP BY r.beneficiary_id
), paying AS (
    SELECT m.beneficiary_id, bool_or(of_period = ANY(m.periods) AND m.state = 'paid') AS is_paid,
           bool_or(m.state = 'paid') AS was_paid,
           (array_agg(m.reason ORDER BY m.at DESC, m.instruction_id)
              FILTER (WHERE of_period = ANY(m.periods) AND m.state IN ('rejected', 'returned')))[1] AS failed_for,
           bool_or(of_period = ANY(m.periods) AND m.state IN ('rejected', 'returned')) AS failed
      FROM payment m WHERE m.channel = 'account' GROUP BY m.beneficiary_id
), known AS (
    SELECT l.beneficiary_id, l.payer, p.area, l.programme, p.birth_year, p.wish, p.wish_reason, p.account_source, p.cannot_reason,
           p.cannot_until, p.contact IS NOT NULL AS has_phone, p.life, p.account_digest IS NOT NULL AS has_account,
           p.paper_from IS NOT NULL AND COALESCE(p.paper_until >= today, true) AS by_paper, p.paper_until,
           COALESCE(v.outcome, 'unavailable') AS outcome,
           CASE WHEN v.account_digest = p.account_digest AND v.identity_digest = p.identity_digest THEN v.account END AS account,
           COALESCE(m.is_paid, false) AS is_paid, COALESCE(m.was_paid, false) AS was_paid, COALESCE(m.failed, false) AS failed, m.failed_for
      FROM listed l JOIN person p USING (beneficiary_id) LEFT JOIN verified v USING (beneficiary_id) LEFT JOIN paying m USING (beneficiary_id)
), staged AS (
    SELECT k.*, k.wish = 'post' AND k.was_paid AS back,
           CASE WHEN k.life <> 'alive' THEN 'gone'
                WHEN k.cannot_reason IS NOT NULL AND (k.cannot_until IS NULL OR k.cannot_until >= today) THEN 'cannot'
                WHEN k.is_paid THEN 'paid'
                WHEN NOT k.has_account THEN 'no_account'
                WHEN k.wish <> 'account' THEN 'exists'
                WHEN k.outcome = 'match' AND (k.account = 'usable' OR k.account = 'name_mismatch' AND k.by_paper) THEN 'verified'
                ELSE 'wished' END AS stage
      FROM known k
), planned AS (
    SELECT s.*,
           CASE WHEN s.stage = 'gone' THEN 'none'
                WHEN s.cannot_reason IS NOT NULL THEN CASE WHEN s.cannot_until > today + 30 THEN 'none' ELSE 'review_cannot' END
                WHEN s.back THEN 'win_back'
                WHEN s.wish = 'account' AND s.account = 'name_mismatch' AND s.paper_until <= today + 30 THEN 'renew_paper'
                WHEN s.stage = 'paid' THEN 'none'
                WHEN s.outcome = 'unavailable' THEN 'await_register'
                WHEN s.outcome <> 'match' THEN 'review_identity'
                WHEN s.wish = 'post' AND s.wish_reason IS NULL THEN 'ask_reason'
                WHEN s.wish = 'post' THEN 'answer_reason'
                WHEN s.stage = 'no_account' AND s.wish = 'account' THEN 'open_account'
                WHEN s.stage = 'no_account' THEN CASE WHEN s.has_phone THEN 'remind' ELSE 'visit' END
                WHEN s.stage = 'exists' THEN 'ask_wish'
                WHEN s.stage = 'wished' AND s.account IS NULL THEN 'await_check'
                WHEN s.stage = 'wished' AND s.account IN ('cannot_verify', 'unavailable') THEN 'ask_bank'
                WHEN s.stage = 'wished' THEN 'correct_account'
                WHEN s.failed THEN 'repair_account'
                WHEN s.account_source = 'bulk' THEN 'confirm_use'
                ELSE 'await_payment' END AS action
      FROM staged s
)
SELECT beneficiary_id, payer, area, programme,
       CASE WHEN COALESCE(birth_year, 0) = 0 THEN 'unknown'
            WHEN left(of_period, 4)::integer - birth_year < 16 THEN 'under_16'
            WHEN left(of_period, 4)::integer - birth_year < 60 THEN '16_59'
            WHEN left(of_period, 4)::integer - birth_year < 70 THEN '60_69'
            WHEN left(of_period, 4)::integer - birth_year < 80 THEN '70_79'
            ELSE '80_plus' END,
       stage, back, action,
       CASE action WHEN 'review_cannot' THEN cannot_reason WHEN 'win_back' THEN wish_reason WHEN 'answer_reason' THEN wish_reason
                   WHEN 'review_identity' THEN outcome WHEN 'ask_bank' THEN account WHEN 'correct_account' THEN account
                   WHEN 'renew_paper' THEN account WHEN 'repair_account' THEN failed_for END
  FROM planned
$$;
