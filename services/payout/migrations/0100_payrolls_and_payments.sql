-- migrate:up

-- What payout knows of a person: the newest snapshot. `payee` and `delivery` stay sealed; `bank_bin` names a bank, not a person.
CREATE TABLE person (
    beneficiary_id  uuid    PRIMARY KEY,
    epoch           integer NOT NULL,
    n               integer NOT NULL,
    payer           text    NOT NULL,
    area            text    NOT NULL,
    life            text    NOT NULL CHECK (life IN ('alive', 'dead', 'moved_out')),
    died_on         date,
    wish            text    NOT NULL CHECK (wish IN ('account', 'post', 'none')),
    home_delivery   boolean NOT NULL,
    payee           text    NOT NULL,
    delivery        text,
    bank_bin        text,
    identity_digest text    NOT NULL,
    account_digest  text,
    delivery_digest text,
    CHECK ((bank_bin IS NULL) = (account_digest IS NULL))
);
CREATE INDEX person_account_holders ON person (payer) WHERE account_digest IS NOT NULL;

-- Guarantee: a snapshot never gives way to an older one.
CREATE FUNCTION person_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.epoch, NEW.n) <= (OLD.epoch, OLD.n) THEN
        RAISE EXCEPTION 'a snapshot never gives way to an older one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION person_only_forward();

-- What verification last said of a person, for exactly the digests it names.
CREATE TABLE verdict (
    beneficiary_id  uuid    PRIMARY KEY,
    result_seq      integer NOT NULL,
    identity_digest text    NOT NULL,
    account_digest  text,
    outcome         text    NOT NULL,
    died_on         date,
    account         text,
    checked_at      timestamptz NOT NULL
);

-- Guarantee: a result never gives way to an older one.
CREATE FUNCTION verdict_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.result_seq <= OLD.result_seq THEN
        RAISE EXCEPTION 'a result never gives way to an older one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER verdict_only_forward BEFORE UPDATE ON verdict FOR EACH ROW EXECUTE FUNCTION verdict_only_forward();

-- One entitlement line as it was frozen when the list closed. `content` is the declared line with all its inputs, as JSON.
CREATE TABLE line (
    entitlement_id  uuid    PRIMARY KEY,
    beneficiary_id  uuid    NOT NULL,
    period          text    NOT NULL,
    payer           text    NOT NULL,
    area            text    NOT NULL,
    programme       text    NOT NULL,
    declared_vnd    bigint  NOT NULL CHECK (declared_vnd >= 0),
    content         text    NOT NULL,
    canonical       text    NOT NULL,         -- what the closing digest is made of
    content_sha256  text    NOT NULL
);
CREATE INDEX line_payroll ON line (period, payer);
CREATE INDEX line_person ON line (beneficiary_id);
-- Guarantee: a frozen line is never changed or removed.
CREATE TRIGGER line_append_only BEFORE UPDATE OR DELETE ON line FOR EACH ROW EXECUTE FUNCTION append_only();

-- A payer's list of one period is frozen, with the totals that the lines must reach before anything is built.
CREATE TABLE closing (
    period     text    NOT NULL,
    payer      text    NOT NULL,
    count      integer NOT NULL,
    vnd        bigint  NOT NULL,
    digest     text    NOT NULL,
    content    text    NOT NULL,
    closed_at  timestamptz NOT NULL,
    PRIMARY KEY (period, payer)
);
-- Guarantee: a closing is never changed or removed.
CREATE TRIGGER closing_append_only BEFORE UPDATE OR DELETE ON closing FOR EACH ROW EXECUTE FUNCTION append_only();

-- One payroll per period and payer. Every command locks this row first, so two commands on one payroll take turns.
CREATE TABLE payroll (
    period  text    NOT NULL,
    payer   text    NOT NULL,
    rounds  integer NOT NULL DEFAULT 0 CHECK (rounds >= 0),    -- builds that made at least one batch
    PRIMARY KEY (period, payer),
    FOREIGN KEY (period, payer) REFERENCES closing
);

-- Legal moves of a batch and the signature each needs; `services/payout/batch.py` holds the same table and a test compares.
CREATE TABLE batch_move (
    from_state  text NOT NULL,
    to_state    text NOT NULL,
    step        text,                          -- the approval that must exist; null: none
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO batch_move (from_state, to_state, step) VALUES
    ('draft', 'checked', 'check'), ('checked', 'approved', 'approve'), ('approved', 'sealed', 'release'),
    ('sealed', 'sent', NULL), ('sent', 'settled', NULL);
CREATE TRIGGER batch_move_append_only BEFORE UPDATE OR DELETE ON batch_move FOR EACH ROW EXECUTE FUNCTION append_only();

-- One list for one provider. `sha256` is of the canonical list that people sign; `sent_sha256` of what left: that list minus withdrawals.
CREATE TABLE batch (
    batch_id        uuid    PRIMARY KEY,
    period          text    NOT NULL,
    payer           text    NOT NULL,
    provider        text    NOT NULL,
    round           integer NOT NULL CHECK (round > 0),
    state           text    NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'checked', 'approved', 'sealed', 'sent', 'settled')),
    count           integer NOT NULL CHECK (count > 0),
    vnd             bigint  NOT NULL CHECK (vnd > 0),
    sha256          text    NOT NULL,
    execution_date  date    NOT NULL,
    sent_count      integer CHECK (sent_count BETWEEN 0 AND count),
    sent_vnd        bigint  CHECK (sent_vnd BETWEEN 0 AND vnd),
    sent_sha256     text,
    sent_at         timestamptz,
    received_at     timestamptz,
    completed_at    timestamptz,
    CHECK ((sent_at IS NULL) = (state IN ('draft', 'checked', 'approved', 'sealed'))),
    CHECK ((sent_at IS NULL) = (sent_sha256 IS NULL)),
    UNIQUE (period, payer, provider, round),
    UNIQUE (batch_id, sha256),
    FOREIGN KEY (period, payer) REFERENCES payroll
);

-- One signature of one step on one list, with the token that is the signature.
CREATE TABLE approval (
    batch_id       uuid NOT NULL,
    step           text NOT NULL CHECK (step IN ('make', 'check', 'approve', 'release')),
    actor          text NOT NULL,
    sha256         text NOT NULL,
    signed_sha256  text,                       -- what the token names: the hash over all lists signed at once; the maker signs none
    token          text NOT NULL,
    at             timestamptz NOT NULL,
    PRIMARY KEY (batch_id, step),
    -- Guarantee: no person takes two steps of one batch.
    UNIQUE (batch_id, actor),
    -- Guarantee: what is signed is the list as it was built.
    FOREIGN KEY (batch_id, sha256) REFERENCES batch (batch_id, sha256),
    CHECK ((signed_sha256 IS NULL) = (step = 'make'))
);
CREATE TRIGGER approval_append_only BEFORE UPDATE OR DELETE ON approval FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: a batch moves only along batch_move, with the signature the move needs; its list, totals and hash never change.
CREATE FUNCTION batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.batch_id, NEW.period, NEW.payer, NEW.provider, NEW.round, NEW.count, NEW.vnd, NEW.sha256, NEW.execution_date)
       IS DISTINCT FROM (OLD.batch_id, OLD.period, OLD.payer, OLD.provider, OLD.round, OLD.count, OLD.vnd, OLD.sha256, OLD.execution_date)
       OR (OLD.sent_at IS NOT NULL
           AND (NEW.sent_at, NEW.sent_sha256, NEW.sent_count, NEW.sent_vnd)
               IS DISTINCT FROM (OLD.sent_at, OLD.sent_sha256, OLD.sent_count, OLD.sent_vnd)) THEN
        RAISE EXCEPTION 'the list of a batch never changes' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM batch_move m WHERE m.from_state = OLD.state AND m.to_state = NEW.state
           AND (m.step IS NULL OR EXISTS (SELECT FROM approval a WHERE a.batch_id = NEW.batch_id AND a.step = m.step))) THEN
        RAISE EXCEPTION 'a batch does not move like this' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_guard BEFORE UPDATE ON batch FOR EACH ROW EXECUTE FUNCTION batch_guard();
CREATE TRIGGER batch_never_removed BEFORE DELETE ON batch FOR EACH ROW EXECUTE FUNCTION append_only();

-- Legal moves of one payment; `services/payout/batch.py` holds the same table and a test compares.
CREATE TABLE instruction_move (
    from_state  text NOT NULL,
    to_state    text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO instruction_move (from_state, to_state) VALUES
    ('created', 'sealed'), ('created', 'withdrawn'), ('sealed', 'sending'),
    ('sending', 'accepted'), ('sending', 'issued'), ('sending', 'unknown'), ('sending', 'paid'), ('sending', 'collected'),
    ('sending', 'rejected'), ('sending', 'returned'), ('sending', 'expired'),
    ('accepted', 'unknown'), ('accepted', 'paid'), ('accepted', 'rejected'), ('accepted', 'returned'),
    ('unknown', 'accepted'), ('unknown', 'issued'), ('unknown', 'paid'), ('unknown', 'collected'), ('unknown', 'rejected'),
    ('unknown', 'returned'), ('unknown', 'expired'),
    ('issued', 'collected'), ('issued', 'expired'), ('issued', 'rejected'),
    ('paid', 'returned'), ('collected', 'returned');
CREATE TRIGGER instruction_move_append_only BEFORE UPDATE OR DELETE ON instruction_move FOR EACH ROW EXECUTE FUNCTION append_only();

-- One payment: payee x batch x part. Its end-to-end id is made and stored long before the first byte leaves.
CREATE TABLE instruction (
    instruction_id  uuid    PRIMARY KEY,
    batch_id        uuid    NOT NULL REFERENCES batch,
    beneficiary_id  uuid    NOT NULL,
    part            integer NOT NULL CHECK (part > 0),
    attempt         integer NOT NULL CHECK (attempt > 0),
    provider        text    NOT NULL,
    channel         text    NOT NULL CHECK (channel IN ('account', 'counter', 'home')),
    area            text    NOT NULL,
    vnd             bigint  NOT NULL CHECK (vnd > 0),
    end_to_end_id   text    NOT NULL CHECK (end_to_end_id ~ '^[A-Z2-7]{16}$'),
    account_digest  text,
    state           text    NOT NULL DEFAULT 'created',
    state_seq       integer NOT NULL DEFAULT 1,
    reason          text,
    -- Guarantee: a provider never sees one id for two payments.
    UNIQUE (end_to_end_id),
    -- Guarantee: nobody is in one batch twice with the same part.
    UNIQUE (batch_id, beneficiary_id, part),
    CHECK ((channel = 'account') = (account_digest IS NOT NULL)),
    CHECK ((channel = 'account') = (provider <> 'post'))
);
CREATE INDEX instruction_person ON instruction (beneficiary_id);
CREATE INDEX instruction_batch_state ON instruction (batch_id, state);

-- Which lines a payment covers. `piece` counts the cuts of a line whose payee is above a provider's limit; nearly always 1.
CREATE TABLE instruction_line (
    instruction_id  uuid    NOT NULL REFERENCES instruction,
    entitlement_id  uuid    NOT NULL REFERENCES line,
    piece           integer NOT NULL CHECK (piece > 0),
    vnd             bigint  NOT NULL CHECK (vnd > 0),
    live            boolean NOT NULL DEFAULT true,
    PRIMARY KEY (instruction_id, entitlement_id)
);
CREATE INDEX instruction_line_entitlement ON instruction_line (entitlement_id);
-- Guarantee: a line (a piece of it, when it was cut) is in one live payment at most. Dead: rejected, returned, expired, withdrawn.
CREATE UNIQUE INDEX instruction_line_one_live ON instruction_line (entitlement_id, piece) WHERE live;

-- Why a line is not paid now. `until` null: it still holds.
CREATE TABLE held (
    entitlement_id  uuid   NOT NULL REFERENCES line,
    reason          text   NOT NULL CHECK (reason IN ('WITHDRAWN', 'DEAD', 'MOVED', 'DUPLICATE', 'VERIFICATION_PENDING', 'UNAVAILABLE',
                                                      'NOT_FOUND', 'IDENTITY_MISMATCH', 'AMOUNT_DIFFERS', 'NO_DELIVERY')),
    vnd             bigint NOT NULL CHECK (vnd >= 0),
    since           timestamptz NOT NULL,
    until           timestamptz
);
-- Guarantee: a line is held for one reason at a time.
CREATE UNIQUE INDEX held_one_reason ON held (entitlement_id) WHERE until IS NULL;
CREATE INDEX held_entitlement ON held (entitlement_id);

-- Two people take payments off a list that was built. The hash covers the lists' hashes and the payments taken off.
CREATE TABLE withdrawal_list (
    list_sha256      text PRIMARY KEY,
    period           text NOT NULL,
    payer            text NOT NULL,
    reason           text NOT NULL,
    proposed_by      text NOT NULL,
    proposed_at      timestamptz NOT NULL,
    proposed_token   text NOT NULL,
    confirmed_by     text,
    confirmed_at     timestamptz,
    confirmed_token  text,
    FOREIGN KEY (period, payer) REFERENCES payroll,
    -- Guarantee: nobody confirms their own proposal.
    CHECK (proposed_by <> confirmed_by),
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL) AND (confirmed_by IS NULL) = (confirmed_token IS NULL))
);
CREATE TABLE withdrawal (
    instruction_id  uuid PRIMARY KEY REFERENCES instruction,
    list_sha256     text NOT NULL REFERENCES withdrawal_list
);
CREATE TRIGGER withdrawal_append_only BEFORE UPDATE OR DELETE ON withdrawal FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: a proposed withdrawal is confirmed once and otherwise never changes.
CREATE FUNCTION withdrawal_list_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL
       OR (NEW.list_sha256, NEW.period, NEW.payer, NEW.reason, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
          IS DISTINCT FROM (OLD.list_sha256, OLD.period, OLD.payer, OLD.reason, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token) THEN
        RAISE EXCEPTION 'a withdrawal is confirmed once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withdrawal_list_guard BEFORE UPDATE ON withdrawal_list FOR EACH ROW EXECUTE FUNCTION withdrawal_list_guard();
CREATE TRIGGER withdrawal_list_never_removed BEFORE DELETE ON withdrawal_list FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: a payment moves only along instruction_move, one state_seq at a time; what it pays, to whom and through whom never
-- changes; it is withdrawn only by a list that two people signed.
CREATE FUNCTION instruction_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.instruction_id, NEW.batch_id, NEW.beneficiary_id, NEW.part, NEW.attempt, NEW.provider, NEW.channel, NEW.area, NEW.vnd,
        NEW.end_to_end_id, NEW.account_digest)
       IS DISTINCT FROM (OLD.instruction_id, OLD.batch_id, OLD.beneficiary_id, OLD.part, OLD.attempt, OLD.provider, OLD.channel, OLD.area,
        OLD.vnd, OLD.end_to_end_id, OLD.account_digest) THEN
        RAISE EXCEPTION 'a payment never changes' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state_seq <> OLD.state_seq + 1
       OR NOT EXISTS (SELECT FROM instruction_move m WHERE m.from_state = OLD.state AND m.to_state = NEW.state) THEN
        RAISE EXCEPTION 'a payment does not move like this' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'withdrawn' AND NOT EXISTS (
        SELECT FROM withdrawal JOIN withdrawal_list USING (list_sha256)
         WHERE instruction_id = NEW.instruction_id AND confirmed_by IS NOT NULL) THEN
        RAISE EXCEPTION 'two people must sign a withdrawal' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER instruction_guard BEFORE UPDATE ON instruction FOR EACH ROW EXECUTE FUNCTION instruction_guard();
CREATE TRIGGER instruction_never_removed BEFORE DELETE ON instruction FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: the lines of a dead payment are free again in the same moment, and only then.
CREATE FUNCTION instruction_dies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE instruction_line SET live = false WHERE instruction_id = NEW.instruction_id;
    RETURN NULL;
END $$;
CREATE TRIGGER instruction_dies AFTER UPDATE ON instruction FOR EACH ROW
    WHEN (NEW.state IN ('rejected', 'returned', 'expired', 'withdrawn')) EXECUTE FUNCTION instruction_dies();
CREATE FUNCTION instruction_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.instruction_id, NEW.entitlement_id, NEW.piece, NEW.vnd) IS DISTINCT FROM (OLD.instruction_id, OLD.entitlement_id, OLD.piece, OLD.vnd)
       OR NEW.live <> EXISTS (SELECT FROM instruction i WHERE i.instruction_id = NEW.instruction_id
                                 AND i.state NOT IN ('rejected', 'returned', 'expired', 'withdrawn')) THEN
        RAISE EXCEPTION 'a line is free exactly when its payment is dead' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER instruction_line_guard BEFORE UPDATE ON instruction_line FOR EACH ROW EXECUTE FUNCTION instruction_line_guard();
CREATE TRIGGER instruction_line_never_removed BEFORE DELETE ON instruction_line FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: payments are added to a draft only, as created; a list that somebody signed never grows.
CREATE FUNCTION instruction_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added a JOIN batch b USING (batch_id)
                WHERE b.state <> 'draft' OR b.provider <> a.provider OR a.state <> 'created' OR a.state_seq <> 1
                   OR EXISTS (SELECT FROM approval p WHERE p.batch_id = b.batch_id AND p.step <> 'make')) THEN
        RAISE EXCEPTION 'a payment is added to a draft only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER instruction_added AFTER INSERT ON instruction REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION instruction_added();

-- Guarantee: a payment is worth exactly its lines, and its lines are added with it.
CREATE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM instruction_line il JOIN instruction i USING (instruction_id)
                WHERE il.instruction_id IN (SELECT instruction_id FROM added)
                GROUP BY i.instruction_id, i.vnd, i.state HAVING sum(il.vnd) <> i.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER instruction_line_added AFTER INSERT ON instruction_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION instruction_line_added();

-- Guarantee: what is held now and what is in live payments never exceed together what the line declares.
CREATE FUNCTION line_covered_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT entitlement_id FROM added) a
          JOIN line l USING (entitlement_id)
          LEFT JOIN LATERAL (SELECT coalesce(sum(vnd), 0) AS vnd FROM instruction_line il
                              WHERE il.entitlement_id = a.entitlement_id AND il.live) live ON true
          LEFT JOIN LATERAL (SELECT coalesce(sum(vnd), 0) AS vnd FROM held h
                              WHERE h.entitlement_id = a.entitlement_id AND h.until IS NULL) kept ON true
         WHERE live.vnd + kept.vnd > l.declared_vnd) THEN
        RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER instruction_line_covered AFTER INSERT ON instruction_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION line_covered_once();
CREATE TRIGGER held_covered AFTER INSERT ON held REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION line_covered_once();

-- The ledger. One row moves an amount from `credit` to `debit`, so every posting sums to zero by its shape.
CREATE TABLE posting (
    posting_id      uuid   PRIMARY KEY,        -- derived from what caused it: the same cause never posts twice
    instruction_id  uuid   NOT NULL REFERENCES instruction,
    period          text   NOT NULL,
    payer           text   NOT NULL,
    debit           text   NOT NULL,
    credit          text   NOT NULL,
    vnd             bigint NOT NULL CHECK (vnd > 0),
    at              timestamptz NOT NULL,
    CHECK (debit <> credit)
);
CREATE INDEX posting_payroll ON posting (period, payer);
-- Guarantee: a posting is never changed or removed; a mistake is corrected by another posting.
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION append_only();

-- Every answer of a provider as it came, and what became of it. The same answer again is the same row.
CREATE TABLE result (
    result_id       uuid   NOT NULL,
    content_sha256  text   NOT NULL,
    provider        text   NOT NULL,
    batch_id        uuid   NOT NULL,
    kind            text   NOT NULL,
    end_to_end_id   text,
    status          text,
    amount_vnd      bigint,
    reason          text,
    basis           text   NOT NULL,
    count           integer,
    vnd             bigint,
    occurred_at     timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    fate            text   NOT NULL CHECK (fate IN ('applied', 'repeat', 'conflict', 'foreign')),
    PRIMARY KEY (result_id, content_sha256)
);
CREATE INDEX result_payment ON result (end_to_end_id) WHERE end_to_end_id IS NOT NULL;
CREATE INDEX result_batch ON result (batch_id);
-- Guarantee: an answer is kept for ever as it came.
CREATE TRIGGER result_append_only BEFORE UPDATE OR DELETE ON result FOR EACH ROW EXECUTE FUNCTION append_only();

-- How each person of a payroll is paid, and why an account holder is not paid on the account.
CREATE TABLE channel_choice (
    period          text    NOT NULL,
    payer           text    NOT NULL,
    beneficiary_id  uuid    NOT NULL,
    has_account     boolean NOT NULL,
    provider        text,
    channel         text,
    gap             text,
    decided_at      timestamptz NOT NULL,
    PRIMARY KEY (period, payer, beneficiary_id),
    -- Guarantee: an account holder whose channel is not the account has a reason.
    CHECK (NOT has_account OR channel IS NOT DISTINCT FROM 'account' OR gap IS NOT NULL)
);

-- Files for partners and officers. Content is kept sealed with its hash before the file exists, so a crash between the two loses nothing.
CREATE TABLE file (
    path        text    PRIMARY KEY,           -- relative to the files folder
    period      text    NOT NULL,
    payer       text    NOT NULL,
    batch_id    uuid    REFERENCES batch,
    kind        text    NOT NULL CHECK (kind IN ('pain.001', 'postal_list', 'held_list')),
    owner       uuid    NOT NULL,              -- whom the content is sealed for
    sealed      text    NOT NULL,
    sha256      text    NOT NULL,
    size        integer NOT NULL,
    count       integer NOT NULL,
    vnd         bigint  NOT NULL,
    made_at     timestamptz NOT NULL,
    written_at  timestamptz
);
CREATE INDEX file_unwritten ON file (path) WHERE written_at IS NULL;

-- migrate:down
DROP TABLE file;
DROP TABLE channel_choice;
DROP TABLE result;
DROP TABLE posting;
DROP TABLE withdrawal;
DROP TABLE withdrawal_list;
DROP TABLE held;
DROP TABLE instruction_line;
DROP TABLE instruction;
DROP TABLE instruction_move;
DROP TABLE approval;
DROP TABLE batch;
DROP TABLE batch_move;
DROP TABLE payroll;
DROP TABLE closing;
DROP TABLE line;
DROP TABLE verdict;
DROP TABLE person;
DROP FUNCTION line_covered_once();
DROP FUNCTION instruction_line_added();
DROP FUNCTION instruction_added();
DROP FUNCTION instruction_line_guard();
DROP FUNCTION instruction_dies();
DROP FUNCTION instruction_guard();
DROP FUNCTION withdrawal_list_guard();
DROP FUNCTION batch_guard();
DROP FUNCTION verdict_only_forward();
DROP FUNCTION person_only_forward();
