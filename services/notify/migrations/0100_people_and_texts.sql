-- migrate:up

-- The newest snapshot of each beneficiary, as far as notify reads it. The phone is sealed; its index is a keyed hash that never
-- leaves this database. No name, number of identity or benefit is held here.
CREATE TABLE person (
    beneficiary_id  uuid    PRIMARY KEY,
    epoch           integer NOT NULL,
    n               integer NOT NULL,
    payer           text    NOT NULL,
    life            text    NOT NULL CHECK (life IN ('alive', 'dead', 'moved_out')),
    has_account     boolean NOT NULL,
    cannot          boolean NOT NULL,
    contact         text,
    phone_ix        bytea,
    CHECK ((contact IS NULL) = (phone_ix IS NULL))
);
CREATE INDEX person_payer ON person (payer);

-- Guarantee: a snapshot never gives way to an older one.
CREATE FUNCTION person_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.epoch, NEW.n) < (OLD.epoch, OLD.n) THEN
        RAISE EXCEPTION 'a person never goes back to an older snapshot' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION person_only_forward();

-- Whom verification found dead; kept apart from `person` because the two arrive in any order.
CREATE TABLE verdict (
    beneficiary_id  uuid    PRIMARY KEY,
    result_seq      integer NOT NULL,
    dead            boolean NOT NULL
);

-- The newest state of each payment that went to an account: who is paid on an account needs no reminder to register one.
CREATE TABLE account_payment (
    instruction_id  uuid    PRIMARY KEY,
    beneficiary_id  uuid    NOT NULL,
    state_seq       integer NOT NULL,
    state           text    NOT NULL
);
CREATE INDEX account_payment_person ON account_payment (beneficiary_id);

-- Phones whose holder wants no more texts.
CREATE TABLE opt_out (
    phone_ix  bytea       PRIMARY KEY,
    actor     text        NOT NULL,
    at        timestamptz NOT NULL
);

-- One round of a campaign. Guarantee: a round is drawn once; asking again finds it drawn.
CREATE TABLE campaign_round (
    campaign  text        NOT NULL,
    round     integer     NOT NULL CHECK (round >= 1),
    payer     text,
    people    integer     NOT NULL,
    texts     integer     NOT NULL,
    left_out  jsonb       NOT NULL,
    actor     text        NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (campaign, round)
);

-- One text to one phone. Its id is made and stored before the first send, and is the only id it is ever sent under.
CREATE TABLE message (
    message_id  uuid        PRIMARY KEY,
    campaign    text        NOT NULL,
    round       integer     NOT NULL,
    phone_ix    bytea       NOT NULL,
    contact     text        NOT NULL,
    owner       uuid        NOT NULL,         -- whom the contact block is sealed for
    accented    boolean     NOT NULL,
    parts       integer     NOT NULL CHECK (parts BETWEEN 1 AND 10),
    status      text        NOT NULL CHECK (status IN ('created', 'sending', 'unknown', 'accepted', 'delivered', 'failed', 'skipped')),
    asked       integer     NOT NULL DEFAULT 0 CHECK (asked >= 0),
    changed_at  timestamptz NOT NULL,
    FOREIGN KEY (campaign, round) REFERENCES campaign_round,
    -- Guarantee: people who share a phone get one text per round.
    UNIQUE (campaign, round, phone_ix)
);
CREATE INDEX message_to_do ON message (changed_at) WHERE status IN ('created', 'sending', 'unknown');

-- Whom a text serves.
CREATE TABLE message_person (
    campaign        text    NOT NULL,
    round           integer NOT NULL,
    beneficiary_id  uuid    NOT NULL,
    message_id      uuid    NOT NULL REFERENCES message,
    -- Guarantee: a person is reminded at most once per round, whatever is retried.
    PRIMARY KEY (campaign, round, beneficiary_id)
);
CREATE INDEX message_person_message ON message_person (message_id);
CREATE INDEX message_person_person ON message_person (beneficiary_id);

-- Guarantee: a text's status only moves forward, whoever writes it. A late or repeated receipt cannot undo what is known.
CREATE FUNCTION message_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT (OLD.status, NEW.status) IN (
        ('created', 'sending'), ('created', 'skipped'),
        ('sending', 'unknown'), ('sending', 'accepted'), ('sending', 'delivered'), ('sending', 'failed'),
        ('unknown', 'accepted'), ('unknown', 'delivered'), ('unknown', 'failed'),
        ('accepted', 'delivered'), ('accepted', 'failed')
    ) THEN
        RAISE EXCEPTION 'a text never goes back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER message_only_forward BEFORE UPDATE ON message FOR EACH ROW EXECUTE FUNCTION message_only_forward();

-- Every receipt of a text of ours as it came, append-only.
CREATE TABLE receipt (
    message_id   uuid        NOT NULL REFERENCES message,
    status       text        NOT NULL CHECK (status IN ('delivered', 'failed')),
    at           timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    -- Guarantee: the same receipt twice is one receipt.
    PRIMARY KEY (message_id, status, at)
);
CREATE TRIGGER receipt_append_only BEFORE UPDATE OR DELETE ON receipt FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE receipt;
DROP TABLE message_person;
DROP TABLE message;
DROP TABLE campaign_round;
DROP TABLE opt_out;
DROP TABLE account_payment;
DROP TABLE verdict;
DROP TABLE person;
DROP FUNCTION message_only_forward();
DROP FUNCTION person_only_forward();
