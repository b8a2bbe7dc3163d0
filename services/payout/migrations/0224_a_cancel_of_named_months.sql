-- migrate:up

-- Which months two people keep back for good when a payment dies under their cancel; null: all that it pays. What else it pays is still owed.
-- Guarantee: what is free for the next build has no months that are kept back.
ALTER TABLE cancel_list ADD COLUMN periods text[] CHECK (cardinality(periods) > 0),
    ADD CONSTRAINT cancel_of_months CHECK (periods IS NULL OR after = 'keep');
-- Guarantee: a proposed cancel is confirmed once and otherwise never changes.
CREATE OR REPLACE FUNCTION cancel_list_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL
       OR (NEW.list_sha256, NEW.period, NEW.payer, NEW.reason, NEW.after, NEW.periods, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
          IS DISTINCT FROM
          (OLD.list_sha256, OLD.period, OLD.payer, OLD.reason, OLD.after, OLD.periods, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token) THEN
        RAISE EXCEPTION 'a cancel is confirmed once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Guarantee: what two people keep back stays back: such a hold ends only where the line is held again, for the same reason and no less. (At
-- the end of the transaction: the hold that is ended stands before the one that takes its place.)
CREATE FUNCTION kept_back_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM held h WHERE h.entitlement_id = OLD.entitlement_id AND h.until IS NULL AND h.reason = 'WITHDRAWN'
                      AND h.vnd >= OLD.vnd) THEN
        RAISE EXCEPTION 'what two people keep back stays back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER kept_back_for_good AFTER UPDATE ON held DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.reason = 'WITHDRAWN' AND OLD.until IS NULL) EXECUTE FUNCTION kept_back_for_good();

-- migrate:down
DROP TRIGGER kept_back_for_good ON held;
DROP FUNCTION kept_back_for_good();
CREATE OR REPLACE FUNCTION cancel_list_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL
       OR (NEW.list_sha256, NEW.period, NEW.payer, NEW.reason, NEW.after, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
          IS DISTINCT FROM
          (OLD.list_sha256, OLD.period, OLD.payer, OLD.reason, OLD.after, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token) THEN
        RAISE EXCEPTION 'a cancel is confirmed once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE cancel_list DROP CONSTRAINT cancel_of_months, DROP COLUMN periods;
