-- migrate:up

-- The ledger of what is to be given back, a chain per payer as the payments' own (0110), but of its own: a claim may outlive its payroll, in
-- which nothing moves any more. `recovery:open` holds what is still out.
CREATE TABLE recovery_posting (
    posting_id  uuid   PRIMARY KEY,            -- derived from the case and its step: the same step never posts twice
    case_id     uuid   NOT NULL,
    payer       text   NOT NULL,
    debit       text   NOT NULL,
    credit      text   NOT NULL,
    vnd         bigint NOT NULL CHECK (vnd > 0),
    at          timestamptz NOT NULL,
    seq         bigint NOT NULL,
    sha256      bytea  NOT NULL CHECK (octet_length(sha256) = 32),
    CHECK (debit <> credit),
    UNIQUE (payer, seq)
);
CREATE INDEX recovery_posting_case ON recovery_posting (case_id);

-- Guarantee: every posting about a recovery is hashed together with the one before it of its payer, in the moment it is written.
CREATE FUNCTION recovery_posting_chained() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('recovery ' || NEW.payer, 0));
    SELECT p.seq, p.sha256 INTO last FROM recovery_posting p WHERE p.payer = NEW.payer ORDER BY p.seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.sha256 := ledger_step(last.sha256, concat_ws('|', NEW.posting_id, NEW.case_id, NEW.payer, NEW.debit, NEW.credit, NEW.vnd,
                                                     (extract(epoch FROM NEW.at) * 1000000)::bigint), decode(repeat('00', 32), 'hex'));
    RETURN NEW;
END $$;
CREATE TRIGGER recovery_posting_chained BEFORE INSERT ON recovery_posting FOR EACH ROW EXECUTE FUNCTION recovery_posting_chained();
-- Guarantee: a posting about a recovery is never changed or removed.
CREATE TRIGGER recovery_posting_append_only BEFORE UPDATE OR DELETE ON recovery_posting FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER recovery_posting_never_emptied BEFORE TRUNCATE ON recovery_posting EXECUTE FUNCTION append_only();
REVOKE UPDATE, DELETE, TRUNCATE ON recovery_posting FROM CURRENT_USER, PUBLIC;

-- Somebody was paid for months not owed. It is owned, ages, and ends by two people, or because the provider gave the payment back.
CREATE TABLE recovery_case (
    case_id         uuid   PRIMARY KEY,
    entitlement_id  uuid   NOT NULL REFERENCES line,
    instruction_id  uuid   NOT NULL REFERENCES instruction,
    beneficiary_id  uuid   NOT NULL,
    period          text   NOT NULL,
    payer           text   NOT NULL,
    vnd             bigint NOT NULL CHECK (vnd > 0),
    reason          text   NOT NULL CHECK (reason IN ('DEAD')),
    fact_on         date   NOT NULL,           -- the day of death, as told when the case was opened
    opened_at       timestamptz NOT NULL,
    owner           text,
    owned_at        timestamptz,
    ending          text   CHECK (ending IN ('recovered', 'waived', 'came_back')),
    why             text   CHECK (why ~ '^[A-Z_]{2,40}$'),
    proposed_by     text,
    proposed_at     timestamptz,
    proposed_token  text,
    approved_by     text,
    approved_at     timestamptz,
    approved_token  text,
    ended_at        timestamptz,
    -- Guarantee: what a payment brought of a line is claimed back once.
    CONSTRAINT recovery_once UNIQUE (entitlement_id, instruction_id),
    CHECK ((owner IS NULL) = (owned_at IS NULL)),
    CHECK ((proposed_by IS NULL) = (proposed_at IS NULL) AND (proposed_by IS NULL) = (proposed_token IS NULL)),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (approved_token IS NULL)),
    -- Guarantee: nobody approves the end they proposed.
    CONSTRAINT recovery_by_two CHECK (approved_by <> proposed_by),
    -- Guarantee: money is written off with a reason, never without.
    CHECK (ending <> 'waived' OR why IS NOT NULL),
    -- Guarantee: a case ends by two people, or because the payment came back.
    CHECK (ended_at IS NULL OR ending = 'came_back' OR (approved_by IS NOT NULL AND proposed_by IS NOT NULL))
);
CREATE INDEX recovery_case_open ON recovery_case (opened_at) WHERE ended_at IS NULL;
CREATE INDEX person_dead ON person (beneficiary_id) WHERE life = 'dead';
CREATE INDEX verdict_dead ON verdict (beneficiary_id) WHERE outcome = 'dead';

-- Guarantee: only money that reached somebody is claimed back, and never more of a line than the payment brought.
CREATE FUNCTION recovery_case_opens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM instruction i JOIN instruction_line il USING (instruction_id)
                    WHERE i.instruction_id = NEW.instruction_id AND il.entitlement_id = NEW.entitlement_id
                      AND i.beneficiary_id = NEW.beneficiary_id AND i.state IN ('paid', 'collected') AND NEW.vnd <= il.vnd)
       OR NEW.ended_at IS NOT NULL OR NEW.ending IS NOT NULL THEN
        RAISE EXCEPTION 'only money that was paid is claimed back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recovery_case_opens BEFORE INSERT ON recovery_case FOR EACH ROW EXECUTE FUNCTION recovery_case_opens();

-- Guarantee: what a case is about never changes; it ends once, by its own posting; who approves, approves what was proposed; `came_back` is
-- said only of a payment that did.
CREATE FUNCTION recovery_case_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL
       OR (NEW.case_id, NEW.entitlement_id, NEW.instruction_id, NEW.beneficiary_id, NEW.period, NEW.payer, NEW.vnd, NEW.reason, NEW.fact_on,
           NEW.opened_at)
          IS DISTINCT FROM
          (OLD.case_id, OLD.entitlement_id, OLD.instruction_id, OLD.beneficiary_id, OLD.period, OLD.payer, OLD.vnd, OLD.reason, OLD.fact_on,
           OLD.opened_at)
       OR (NEW.ended_at IS NOT NULL AND NOT EXISTS (
           SELECT FROM recovery_posting p WHERE p.case_id = NEW.case_id AND p.vnd = NEW.vnd AND p.credit = 'recovery:open'
              AND p.debit = 'recovery:' || NEW.ending))
       OR (NEW.approved_by IS NOT NULL AND (NEW.ended_at IS NULL
           OR (NEW.ending, NEW.why, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
              IS DISTINCT FROM (OLD.ending, OLD.why, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token)))
       OR (NEW.ending = 'came_back'
           AND NOT EXISTS (SELECT FROM instruction i WHERE i.instruction_id = NEW.instruction_id AND i.state = 'returned')) THEN
        RAISE EXCEPTION 'a recovery ends once, by two or because it came back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recovery_case_guard BEFORE UPDATE ON recovery_case FOR EACH ROW EXECUTE FUNCTION recovery_case_guard();
CREATE TRIGGER recovery_case_never_removed BEFORE DELETE ON recovery_case FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER recovery_case_never_emptied BEFORE TRUNCATE ON recovery_case EXECUTE FUNCTION append_only();

-- migrate:down
DROP INDEX verdict_dead;
DROP INDEX person_dead;
DROP TABLE recovery_case;
DROP TABLE recovery_posting;
DROP FUNCTION recovery_case_guard();
DROP FUNCTION recovery_case_opens();
DROP FUNCTION recovery_posting_chained();
