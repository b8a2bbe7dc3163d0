-- migrate:up

-- A month is opened by name, then payers may get a budget for it.
CREATE TABLE opened_period (
    period     text        PRIMARY KEY CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    opened_by  text        NOT NULL,
    opened_at  timestamptz NOT NULL,
    token      text        NOT NULL
);
CREATE TRIGGER opened_period_append_only BEFORE UPDATE OR DELETE ON opened_period FOR EACH ROW EXECUTE FUNCTION append_only();

-- What a payer may spend in a period, per programme: a sheet that one person writes and another confirms. The newest confirmed version is
-- the one in force; a programme that is not on it has nothing to spend.
CREATE TABLE budget_sheet (
    sheet_sha256    text        PRIMARY KEY,
    period          text        NOT NULL REFERENCES opened_period,
    payer           text        NOT NULL,
    version         integer     NOT NULL CHECK (version > 0),
    proposed_by     text        NOT NULL,
    proposed_at     timestamptz NOT NULL,
    proposed_token  text        NOT NULL,
    UNIQUE (sheet_sha256, period, payer, version, proposed_by)
);
CREATE TABLE budget_row (
    sheet_sha256  text   NOT NULL REFERENCES budget_sheet,
    programme     text   NOT NULL,
    vnd           bigint NOT NULL CHECK (vnd >= 0),
    PRIMARY KEY (sheet_sha256, programme)
);
CREATE TABLE budget_confirmation (
    sheet_sha256     text        PRIMARY KEY,
    period           text        NOT NULL,
    payer            text        NOT NULL,
    version          integer     NOT NULL,
    proposed_by      text        NOT NULL,
    confirmed_by     text        NOT NULL,
    confirmed_at     timestamptz NOT NULL,
    confirmed_token  text        NOT NULL,
    FOREIGN KEY (sheet_sha256, period, payer, version, proposed_by)
        REFERENCES budget_sheet (sheet_sha256, period, payer, version, proposed_by),
    -- Guarantee: one version is in force at a time.
    UNIQUE (period, payer, version),
    -- Guarantee: nobody confirms the budget they wrote.
    CONSTRAINT budget_by_two CHECK (confirmed_by <> proposed_by)
);
CREATE TRIGGER budget_sheet_append_only BEFORE UPDATE OR DELETE ON budget_sheet FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER budget_row_append_only BEFORE UPDATE OR DELETE ON budget_row FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER budget_confirmation_append_only BEFORE UPDATE OR DELETE ON budget_confirmation FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: a confirmed sheet gets no further row.
CREATE FUNCTION budget_row_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added JOIN budget_confirmation USING (sheet_sha256)) THEN
        RAISE EXCEPTION 'a confirmed budget gets no further row' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER budget_row_added AFTER INSERT ON budget_row REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION budget_row_added();

-- What left the budget of a programme and did not come back, beside the budget in force (null: none was ever confirmed).
CREATE TABLE budget_use (
    period      text   NOT NULL,
    payer       text   NOT NULL,
    programme   text   NOT NULL,
    budget_vnd  bigint,
    used_vnd    bigint NOT NULL,
    PRIMARY KEY (period, payer, programme),
    -- Guarantee: nothing leaves above the budget, and no budget is confirmed below what has left.
    CONSTRAINT within_budget CHECK (budget_vnd IS NULL OR used_vnd <= budget_vnd)
);
CREATE TRIGGER budget_use_never_removed BEFORE DELETE ON budget_use FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION budget_confirmed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE budget_use u SET budget_vnd = 0 WHERE u.period = NEW.period AND u.payer = NEW.payer
       AND NOT EXISTS (SELECT FROM budget_row r WHERE r.sheet_sha256 = NEW.sheet_sha256 AND r.programme = u.programme);
    INSERT INTO budget_use (period, payer, programme, budget_vnd, used_vnd)
    SELECT NEW.period, NEW.payer, programme, vnd, 0 FROM budget_row WHERE sheet_sha256 = NEW.sheet_sha256 ORDER BY programme
    ON CONFLICT (period, payer, programme) DO UPDATE SET budget_vnd = EXCLUDED.budget_vnd;
    RETURN NULL;
END $$;
CREATE TRIGGER budget_confirmed AFTER INSERT ON budget_confirmation FOR EACH ROW EXECUTE FUNCTION budget_confirmed();

INSERT INTO budget_use (period, payer, programme, used_vnd)
SELECT period, payer, programme, sum(vnd) FROM (
    SELECT period, payer, substr(credit, 8) AS programme, vnd FROM posting WHERE credit LIKE 'budget:%'
    UNION ALL SELECT period, payer, substr(debit, 8), -vnd FROM posting WHERE debit LIKE 'budget:%') moved
 GROUP BY period, payer, programme;

-- A payroll that is over: every line is paid, carried into another month, or held with a reason.
CREATE TABLE payroll_closed (
    period     text        NOT NULL,
    payer      text        NOT NULL,
    closed_by  text        NOT NULL,
    closed_at  timestamptz NOT NULL,
    token      text        NOT NULL,
    PRIMARY KEY (period, payer),
    FOREIGN KEY (period, payer) REFERENCES payroll
);
-- What came back of a line and was not paid again when its payroll was closed: owed with a later month's list.
CREATE TABLE carried (
    entitlement_id  uuid        PRIMARY KEY REFERENCES line,
    vnd             bigint      NOT NULL CHECK (vnd > 0),
    at              timestamptz NOT NULL
);
CREATE TRIGGER payroll_closed_append_only BEFORE UPDATE OR DELETE ON payroll_closed FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER carried_append_only BEFORE UPDATE OR DELETE ON carried FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: a payroll is closed only when every list has settled and each line is exactly paid, carried or held.
CREATE FUNCTION payroll_closes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM batch b WHERE b.period = NEW.period AND b.payer = NEW.payer AND b.state <> 'settled')
       OR EXISTS (
        SELECT FROM line l
          CROSS JOIN LATERAL (SELECT coalesce(sum(il.vnd), 0) AS vnd FROM instruction_line il JOIN instruction i USING (instruction_id)
                               WHERE il.entitlement_id = l.entitlement_id AND il.live AND i.state IN ('paid', 'collected')) paid
          CROSS JOIN LATERAL (SELECT sum(h.vnd) AS vnd FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL) kept
          LEFT JOIN carried c ON c.entitlement_id = l.entitlement_id
         WHERE l.period = NEW.period AND l.payer = NEW.payer
           AND (paid.vnd + coalesce(kept.vnd, 0) + coalesce(c.vnd, 0) <> l.declared_vnd
                OR (l.declared_vnd = 0 AND kept.vnd IS NULL))) THEN
        RAISE EXCEPTION 'a payroll closes when every line is paid, carried or held' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payroll_closes BEFORE INSERT ON payroll_closed FOR EACH ROW EXECUTE FUNCTION payroll_closes();

-- Guarantee: in a closed payroll nothing moves: no list, no payment, no held line, no posting.
CREATE FUNCTION batch_of_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payroll_closed c WHERE c.period = NEW.period AND c.payer = NEW.payer) THEN
        RAISE EXCEPTION 'the payroll is closed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- (That a provider has received or completed a list is kept also later: it moves nothing.)
CREATE TRIGGER batch_of_closed BEFORE INSERT ON batch FOR EACH ROW EXECUTE FUNCTION batch_of_closed();
CREATE TRIGGER batch_of_closed_moves BEFORE UPDATE ON batch FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION batch_of_closed();
CREATE FUNCTION payment_of_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT batch_id FROM after) a JOIN batch USING (batch_id) JOIN payroll_closed USING (period, payer)) THEN
        RAISE EXCEPTION 'the payroll is closed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER payment_of_closed AFTER UPDATE ON instruction REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION payment_of_closed();
CREATE FUNCTION held_of_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payroll_closed) AND EXISTS (
        SELECT FROM (SELECT DISTINCT entitlement_id FROM after) a JOIN line USING (entitlement_id) JOIN payroll_closed USING (period, payer)) THEN
        RAISE EXCEPTION 'the payroll is closed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER held_of_closed_added AFTER INSERT ON held REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION held_of_closed();
CREATE TRIGGER held_of_closed_changed AFTER UPDATE ON held REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION held_of_closed();

-- Guarantee: every posting counts against the budget of its programme (`within_budget` refuses), and none is made in a closed payroll.
CREATE FUNCTION posting_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT period, payer FROM added) a JOIN payroll_closed USING (period, payer)) THEN
        RAISE EXCEPTION 'the payroll is closed' USING ERRCODE = 'check_violation';
    END IF;
    -- The row as proposed must pass the constraint too, so it names a budget only where there is no row yet.
    INSERT INTO budget_use AS u (period, payer, programme, budget_vnd, used_vnd)
    SELECT m.period, m.payer, m.programme,
           CASE WHEN NOT EXISTS (SELECT FROM budget_use k WHERE k.period = m.period AND k.payer = m.payer AND k.programme = m.programme)
                 AND EXISTS (SELECT FROM budget_confirmation c WHERE c.period = m.period AND c.payer = m.payer) THEN 0 END, sum(m.vnd)
      FROM (SELECT period, payer, substr(credit, 8) AS programme, vnd FROM added WHERE credit LIKE 'budget:%'
            UNION ALL SELECT period, payer, substr(debit, 8), -vnd FROM added WHERE debit LIKE 'budget:%') m
     GROUP BY m.period, m.payer, m.programme ORDER BY m.period, m.payer, m.programme
    ON CONFLICT (period, payer, programme) DO UPDATE SET used_vnd = u.used_vnd + EXCLUDED.used_vnd;
    RETURN NULL;
END $$;
-- Named so that it runs after `posting_chained`, which lets one payer's postings take turns.
CREATE TRIGGER posting_counted AFTER INSERT ON posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION posting_counted();

-- Above this sum of all lists of a round the province signs too. The payer's own row counts before that of all payers ('*'), the newest
-- period before older ones, what was set last before what was set first; null: no such signature from then on.
CREATE TABLE approval_tier (
    payer        text        NOT NULL,
    from_period  text        NOT NULL,
    set_at       timestamptz NOT NULL,
    above_vnd    bigint      CHECK (above_vnd >= 0),
    set_by       text        NOT NULL,
    token        text        NOT NULL,
    PRIMARY KEY (payer, from_period, set_at)
);
CREATE TRIGGER approval_tier_append_only BEFORE UPDATE OR DELETE ON approval_tier FOR EACH ROW EXECUTE FUNCTION append_only();
ALTER TABLE approval DROP CONSTRAINT approval_step_check;
ALTER TABLE approval ADD CONSTRAINT approval_step_check CHECK (step IN ('make', 'check', 'approve', 'endorse', 'release'));
CREATE FUNCTION tier_of(its_period text, its_payer text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT above_vnd FROM approval_tier WHERE payer IN (its_payer, '*') AND from_period <= its_period
     ORDER BY payer = '*', from_period DESC, set_at DESC LIMIT 1
$$;

-- Guarantee: lists above the tier are not sealed without the province's signature on each.
CREATE FUNCTION batch_endorsed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(b.vnd) FROM batch b WHERE b.period = NEW.period AND b.payer = NEW.payer AND b.round = NEW.round)
       > tier_of(NEW.period, NEW.payer)
       AND NOT EXISTS (SELECT FROM approval a WHERE a.batch_id = NEW.batch_id AND a.step = 'endorse') THEN
        RAISE EXCEPTION 'the province must sign this list' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_endorsed BEFORE UPDATE ON batch FOR EACH ROW
    WHEN (NEW.state = 'sealed' AND OLD.state <> 'sealed') EXECUTE FUNCTION batch_endorsed();

-- Between these moments nothing of this payer ('*': of anybody) is released.
CREATE TABLE freeze_window (
    freeze_id  uuid        PRIMARY KEY,
    payer      text        NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    reason     text        NOT NULL CHECK (reason ~ '^[A-Z_]{2,40}$'),
    set_by     text        NOT NULL,
    set_at     timestamptz NOT NULL,
    token      text        NOT NULL,
    CHECK (starts_at < ends_at)
);
-- Somebody with the emergency role let a list leave all the same, and why.
CREATE TABLE emergency_release (
    batch_id  uuid        PRIMARY KEY REFERENCES batch,
    actor     text        NOT NULL,
    reason    text        NOT NULL CHECK (reason ~ '^[A-Z_]{2,40}$'),
    at        timestamptz NOT NULL,
    token     text        NOT NULL
);
CREATE TRIGGER freeze_window_append_only BEFORE UPDATE OR DELETE ON freeze_window FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER emergency_release_append_only BEFORE UPDATE OR DELETE ON emergency_release FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: nothing is sent in a freeze without the name and the reason of an emergency.
CREATE FUNCTION batch_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM freeze_window f WHERE f.payer IN (NEW.payer, '*') AND NEW.sent_at >= f.starts_at AND NEW.sent_at < f.ends_at)
       AND NOT EXISTS (SELECT FROM emergency_release e WHERE e.batch_id = NEW.batch_id) THEN
        RAISE EXCEPTION 'nothing is released in a freeze' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_frozen BEFORE UPDATE ON batch FOR EACH ROW
    WHEN (NEW.state = 'sent' AND OLD.state <> 'sent') EXECUTE FUNCTION batch_frozen();

-- An answer that was given under a key is given again for the same request, and no other request is taken under it.
CREATE TABLE idempotency (
    actor           text        NOT NULL,
    key             text        NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
    request_sha256  text        NOT NULL,
    status          integer     NOT NULL,
    body            text        NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE TRIGGER idempotency_append_only BEFORE UPDATE OR DELETE ON idempotency FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE idempotency;
DROP TRIGGER batch_frozen ON batch;
DROP FUNCTION batch_frozen();
DROP TABLE emergency_release;
DROP TABLE freeze_window;
DROP TRIGGER batch_endorsed ON batch;
DROP FUNCTION batch_endorsed();
DROP FUNCTION tier_of(text, text);
ALTER TABLE approval DROP CONSTRAINT approval_step_check;
ALTER TABLE approval ADD CONSTRAINT approval_step_check CHECK (step IN ('make', 'check', 'approve', 'release'));
DROP TABLE approval_tier;
DROP TRIGGER posting_counted ON posting;
DROP FUNCTION posting_counted();
DROP TRIGGER held_of_closed_added ON held;
DROP TRIGGER held_of_closed_changed ON held;
DROP FUNCTION held_of_closed();
DROP TRIGGER payment_of_closed ON instruction;
DROP FUNCTION payment_of_closed();
DROP TRIGGER batch_of_closed ON batch;
DROP TRIGGER batch_of_closed_moves ON batch;
DROP FUNCTION batch_of_closed();
DROP TABLE carried;
DROP TABLE payroll_closed;
DROP FUNCTION payroll_closes();
DROP TABLE budget_use;
DROP TABLE budget_confirmation;
DROP TABLE budget_row;
DROP TABLE budget_sheet;
DROP FUNCTION budget_row_added();
DROP FUNCTION budget_confirmed();
DROP TABLE opened_period;
