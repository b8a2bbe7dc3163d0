-- migrate:up

-- A payment falls out whole, and what of it is still owed waits for the next build under a word of its own.
ALTER TABLE held DROP CONSTRAINT held_reason_check;
ALTER TABLE held ADD CONSTRAINT held_reason_check
    CHECK (reason IN ('WITHDRAWN', 'DEAD', 'MOVED', 'DUPLICATE', 'VERIFICATION_PENDING', 'UNAVAILABLE', 'NOT_FOUND', 'IDENTITY_MISMATCH',
                      'NOT_OWED', 'NOT_COLLECTED', 'PAID_ELSEWHERE', 'AMOUNT_DIFFERS', 'NO_DELIVERY', 'NEXT_BUILD'));

-- Guarantee: no month is finished while a line of it waits for the next build.
CREATE FUNCTION nobody_waits_for_a_build() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM held h JOIN line l USING (entitlement_id)
                WHERE h.until IS NULL AND h.reason = 'NEXT_BUILD' AND l.period = NEW.period AND l.payer = NEW.payer) THEN
        RAISE EXCEPTION 'a payroll closes when nothing owed waits for a build' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER nobody_waits_for_a_build BEFORE INSERT ON payroll_closed FOR EACH ROW EXECUTE FUNCTION nobody_waits_for_a_build();

-- Which months two people take off; null: all that the payments pay. What else they pay is still owed.
ALTER TABLE withdrawal_list ADD COLUMN periods text[] CHECK (cardinality(periods) > 0);
-- Guarantee: a proposed withdrawal is confirmed once and otherwise never changes.
CREATE OR REPLACE FUNCTION withdrawal_list_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL
       OR (NEW.list_sha256, NEW.period, NEW.payer, NEW.reason, NEW.periods, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
          IS DISTINCT FROM
          (OLD.list_sha256, OLD.period, OLD.payer, OLD.reason, OLD.periods, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token) THEN
        RAISE EXCEPTION 'a withdrawal is confirmed once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION withdrawal_list_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL
       OR (NEW.list_sha256, NEW.period, NEW.payer, NEW.reason, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
          IS DISTINCT FROM (OLD.list_sha256, OLD.period, OLD.payer, OLD.reason, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token) THEN
        RAISE EXCEPTION 'a withdrawal is confirmed once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE withdrawal_list DROP COLUMN periods;
DROP TRIGGER nobody_waits_for_a_build ON payroll_closed;
DROP FUNCTION nobody_waits_for_a_build();
ALTER TABLE held DROP CONSTRAINT held_reason_check;
ALTER TABLE held ADD CONSTRAINT held_reason_check
    CHECK (reason IN ('WITHDRAWN', 'DEAD', 'MOVED', 'DUPLICATE', 'VERIFICATION_PENDING', 'UNAVAILABLE', 'NOT_FOUND', 'IDENTITY_MISMATCH',
                      'NOT_OWED', 'NOT_COLLECTED', 'PAID_ELSEWHERE', 'AMOUNT_DIFFERS', 'NO_DELIVERY'));
