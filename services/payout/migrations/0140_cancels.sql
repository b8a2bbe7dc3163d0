-- migrate:up

-- A payment that was sent may be cancelled: by its provider's word alone, which two people asked for. The same moves stand in
-- `services/payout/batch.py`; a test compares.
INSERT INTO instruction_move (from_state, to_state) VALUES
    ('sending', 'cancelled'), ('accepted', 'cancelled'), ('issued', 'cancelled'), ('unknown', 'cancelled');

-- What a provider says to the wish to cancel one line.
ALTER TABLE result ADD COLUMN outcome text CHECK (outcome IN ('cancelled', 'too_late', 'unknown_id'));

-- Two people wish that payments are cancelled. The hash covers the reason, what becomes of the lines, and the payments.
CREATE TABLE cancel_list (
    list_sha256      text        PRIMARY KEY,
    period           text        NOT NULL,
    payer            text        NOT NULL,
    reason           text        NOT NULL CHECK (reason ~ '^[A-Z_]{2,40}$'),
    after            text        NOT NULL CHECK (after IN ('keep', 'free')),
    proposed_by      text        NOT NULL,
    proposed_at      timestamptz NOT NULL,
    proposed_token   text        NOT NULL,
    confirmed_by     text,
    confirmed_at     timestamptz,
    confirmed_token  text,
    FOREIGN KEY (period, payer) REFERENCES payroll,
    -- Guarantee: nobody confirms the cancel they proposed.
    CONSTRAINT cancel_by_two CHECK (proposed_by <> confirmed_by),
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL) AND (confirmed_by IS NULL) = (confirmed_token IS NULL))
);
-- Guarantee: a proposed cancel is confirmed once and otherwise never changes.
CREATE FUNCTION cancel_list_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL
       OR (NEW.list_sha256, NEW.period, NEW.payer, NEW.reason, NEW.after, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
          IS DISTINCT FROM
          (OLD.list_sha256, OLD.period, OLD.payer, OLD.reason, OLD.after, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token) THEN
        RAISE EXCEPTION 'a cancel is confirmed once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cancel_list_guard BEFORE UPDATE ON cancel_list FOR EACH ROW EXECUTE FUNCTION cancel_list_guard();
CREATE TRIGGER cancel_list_never_removed BEFORE DELETE ON cancel_list FOR EACH ROW EXECUTE FUNCTION append_only();

-- Legal moves of one wish to cancel; `services/payout/recalling.py` holds the same table and a test compares.
CREATE TABLE cancel_move (
    from_state  text NOT NULL,
    to_state    text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO cancel_move (from_state, to_state) VALUES
    ('proposed', 'asked'), ('proposed', 'too_late'), ('proposed', 'moot'),
    ('asked', 'unknown'), ('asked', 'not_known'), ('asked', 'cancelled'), ('asked', 'too_late'), ('asked', 'moot'),
    ('unknown', 'not_known'), ('unknown', 'cancelled'), ('unknown', 'too_late'), ('unknown', 'moot'),
    ('not_known', 'cancelled'), ('not_known', 'too_late'), ('not_known', 'moot'),
    ('too_late', 'moot');
CREATE TRIGGER cancel_move_append_only BEFORE UPDATE OR DELETE ON cancel_move FOR EACH ROW EXECUTE FUNCTION append_only();

-- One signed message to one provider about payments of one batch. Its id is stored before it is sent.
CREATE TABLE cancel_message (
    cancel_id    uuid    PRIMARY KEY,          -- derived from list, batch and number: a second confirmation makes no second one
    list_sha256  text    NOT NULL REFERENCES cancel_list,
    batch_id     uuid    NOT NULL REFERENCES batch,
    count        integer NOT NULL CHECK (count > 0),
    asked_at     timestamptz NOT NULL
);
CREATE TRIGGER cancel_message_append_only BEFORE UPDATE OR DELETE ON cancel_message FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: a payment is asked back at most once.
CREATE TABLE cancel_item (
    instruction_id  uuid        PRIMARY KEY REFERENCES instruction,
    list_sha256     text        NOT NULL REFERENCES cancel_list,
    state           text        NOT NULL DEFAULT 'proposed',
    cancel_id       uuid        REFERENCES cancel_message,
    changed_at      timestamptz NOT NULL,
    CHECK (state NOT IN ('asked', 'unknown', 'not_known', 'cancelled') OR cancel_id IS NOT NULL)
);
CREATE INDEX cancel_item_list ON cancel_item (list_sha256);
CREATE TRIGGER cancel_item_never_removed BEFORE DELETE ON cancel_item FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER cancel_item_never_emptied BEFORE TRUNCATE ON cancel_item EXECUTE FUNCTION append_only();

-- Guarantee: a wish to cancel begins as proposed, about a payment that was sent; it moves only along cancel_move, leaves `proposed` only
-- when two people signed, and its message stays the same.
CREATE FUNCTION cancel_item_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' OR NEW.cancel_id IS NOT NULL OR EXISTS (
            SELECT FROM instruction i WHERE i.instruction_id = NEW.instruction_id AND i.state NOT IN ('sending', 'accepted', 'issued', 'unknown')) THEN
            RAISE EXCEPTION 'only a payment on its way is asked back' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.instruction_id, NEW.list_sha256) IS DISTINCT FROM (OLD.instruction_id, OLD.list_sha256)
       OR (OLD.cancel_id IS NOT NULL AND NEW.cancel_id IS DISTINCT FROM OLD.cancel_id)
       OR NOT EXISTS (SELECT FROM cancel_move m WHERE m.from_state = OLD.state AND m.to_state = NEW.state) THEN
        RAISE EXCEPTION 'a cancel does not move like this' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'asked' AND NOT EXISTS (SELECT FROM cancel_list l WHERE l.list_sha256 = NEW.list_sha256 AND l.confirmed_by IS NOT NULL) THEN
        RAISE EXCEPTION 'two people must sign a cancel' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cancel_item_guard BEFORE INSERT OR UPDATE ON cancel_item FOR EACH ROW EXECUTE FUNCTION cancel_item_guard();

-- Guarantee: a payment is cancelled only by its provider's own word, which was asked for by two people. The request alone frees nothing.
CREATE FUNCTION instruction_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM after a WHERE a.state = 'cancelled'
                  AND NOT EXISTS (SELECT FROM cancel_item c JOIN result r ON r.end_to_end_id = a.end_to_end_id
                                   WHERE c.instruction_id = a.instruction_id AND c.state = 'cancelled' AND r.provider = a.provider
                                     AND r.kind = 'cancel' AND r.outcome = 'cancelled')) THEN
        RAISE EXCEPTION 'only the provider cancels a payment' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER instruction_cancelled AFTER UPDATE ON instruction REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION instruction_cancelled();

-- Guarantee: a line whose cancelled payment is said to have been paid all the same leaves in no other payment while that is unexplained.
CREATE FUNCTION cancelled_in_doubt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM cancel_item WHERE state = 'cancelled')
       AND EXISTS (SELECT FROM after WHERE state = 'sending')
       AND EXISTS (
        SELECT FROM break_item k
          JOIN instruction c ON c.instruction_id = k.instruction_id AND c.state = 'cancelled'
          JOIN instruction_line dead ON dead.instruction_id = c.instruction_id
          JOIN instruction_line il ON il.entitlement_id = dead.entitlement_id AND il.live
          JOIN after a ON a.instruction_id = il.instruction_id
         WHERE k.approved_by IS NULL AND a.state = 'sending') THEN
        RAISE EXCEPTION 'a line in doubt is not sent again' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cancelled_in_doubt AFTER UPDATE ON instruction REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION cancelled_in_doubt();

-- Guarantee: the lines of a dead payment, a cancelled one too, are free again in the same moment, and only then.
DROP TRIGGER instruction_dies ON instruction;
CREATE TRIGGER instruction_dies AFTER UPDATE ON instruction FOR EACH ROW
    WHEN (NEW.state IN ('rejected', 'returned', 'expired', 'withdrawn', 'cancelled')) EXECUTE FUNCTION instruction_dies();
CREATE OR REPLACE FUNCTION instruction_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.instruction_id, NEW.entitlement_id, NEW.piece, NEW.vnd) IS DISTINCT FROM (OLD.instruction_id, OLD.entitlement_id, OLD.piece, OLD.vnd)
       OR NEW.live <> EXISTS (SELECT FROM instruction i WHERE i.instruction_id = NEW.instruction_id
                                 AND i.state NOT IN ('rejected', 'returned', 'expired', 'withdrawn', 'cancelled')) THEN
        RAISE EXCEPTION 'a line is free exactly when its payment is dead' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION instruction_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.instruction_id, NEW.entitlement_id, NEW.piece, NEW.vnd) IS DISTINCT FROM (OLD.instruction_id, OLD.entitlement_id, OLD.piece, OLD.vnd)
       OR NEW.live <> EXISTS (SELECT FROM instruction i WHERE i.instruction_id = NEW.instruction_id
                                 AND i.state NOT IN ('rejected', 'returned', 'expired', 'withdrawn')) THEN
        RAISE EXCEPTION 'a line is free exactly when its payment is dead' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER instruction_dies ON instruction;
CREATE TRIGGER instruction_dies AFTER UPDATE ON instruction FOR EACH ROW
    WHEN (NEW.state IN ('rejected', 'returned', 'expired', 'withdrawn')) EXECUTE FUNCTION instruction_dies();
DROP TRIGGER cancelled_in_doubt ON instruction;
DROP FUNCTION cancelled_in_doubt();
DROP TRIGGER instruction_cancelled ON instruction;
DROP FUNCTION instruction_cancelled();
DROP TABLE cancel_item;
DROP TABLE cancel_message;
DROP TABLE cancel_move;
DROP TABLE cancel_list;
DROP FUNCTION cancel_item_guard();
DROP FUNCTION cancel_list_guard();
ALTER TABLE result DROP COLUMN outcome;
ALTER TABLE instruction_move DISABLE TRIGGER instruction_move_append_only;
DELETE FROM instruction_move WHERE to_state = 'cancelled';
ALTER TABLE instruction_move ENABLE TRIGGER instruction_move_append_only;
