-- migrate:up

-- One row per person registry has met. Personal data stands only in sealed blocks; what is readable is what a snapshot shows.
CREATE TABLE person (
    beneficiary_id  uuid    PRIMARY KEY,
    epoch           integer NOT NULL CHECK (epoch >= 1),
    n               integer NOT NULL CHECK (n >= 1),
    payer           text    NOT NULL,
    area            text    NOT NULL CHECK (area ~ '^[0-9]{5}$'),
    life            text    NOT NULL CHECK (life IN ('alive', 'dead', 'moved_out')),
    died_on         date,
    wish            text    NOT NULL CHECK (wish IN ('account', 'post', 'none')),
    wish_reason     text    CHECK (wish_reason ~ '^R_[A-Z]+$'),
    account_source  text    CHECK (account_source IN ('vneid', 'confirmed', 'commune_police', 'bulk')),
    home_delivery   boolean NOT NULL,
    cannot_reason   text    CHECK (cannot_reason ~ '^R_[A-Z]+$'),
    cannot_until    date,
    collector_from  date,
    collector_until date,
    -- Guarantee: only sealed blocks get in, whatever a future mistake tries to write.
    identity        text    NOT NULL CHECK (identity LIKE 'v1.identity.%'),
    payee           text    NOT NULL CHECK (payee LIKE 'v1.payee.%'),
    delivery        text    CHECK (delivery LIKE 'v1.delivery.%'),
    collector       text    CHECK (collector LIKE 'v1.delivery.%'),
    contact         text    CHECK (contact LIKE 'v1.contact.%'),
    identity_digest text    NOT NULL CHECK (identity_digest ~ '^[0-9a-f]{64}$'),
    account_digest  text    CHECK (account_digest ~ '^[0-9a-f]{64}$'),
    delivery_digest text    CHECK (delivery_digest ~ '^[0-9a-f]{64}$'),
    -- Guarantee: one personal number is one person (two rows with one number could both be paid).
    number_ix       bytea   UNIQUE CHECK (length(number_ix) = 32),
    old_number_ix   bytea   CHECK (length(old_number_ix) = 32),
    name_birth_ix   bytea   CHECK (length(name_birth_ix) = 32),
    changed_at      timestamptz NOT NULL,
    -- Guarantee: a death has a day, because it is judged by month; an account has a source, because sources have ranks.
    CHECK ((life = 'dead') = (died_on IS NOT NULL)),
    CHECK ((account_digest IS NULL) = (account_source IS NULL))
);
CREATE INDEX person_old_number ON person (old_number_ix) WHERE old_number_ix IS NOT NULL;
CREATE INDEX person_name_birth ON person (name_birth_ix) WHERE name_birth_ix IS NOT NULL;

-- Guarantee: a person's version only rises, so that a reader who ignores lower ones misses nothing.
CREATE FUNCTION version_only_rises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.epoch, NEW.n) < (OLD.epoch, OLD.n) THEN
        RAISE EXCEPTION 'a version never falls' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER version_only_rises BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION version_only_rises();

-- An officer's file that was taken. `ordinal` is the source_sequence of its rows: the later file holds.
CREATE TABLE list_import (
    import_id    uuid    PRIMARY KEY,
    ordinal      bigint  GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind         text    NOT NULL CHECK (kind IN ('payroll', 'accounts')),
    source       text    NOT NULL,
    payer        text    NOT NULL,
    period       text    CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    sha256       text    NOT NULL,
    actor        text    NOT NULL,
    at           timestamptz NOT NULL,
    row_count    integer CHECK (row_count >= 0),
    accepted     integer,
    unchanged    integer,
    refused      integer,
    waiting      integer,
    declared_vnd bigint,
    -- Guarantee: every row of a file ended somewhere.
    CHECK (accepted + unchanged + refused + waiting = row_count),
    CHECK ((kind = 'payroll') = (period IS NOT NULL))
);

-- What upstream calls (source, record), whose record it is, and the last statement that took effect.
CREATE TABLE source_record (
    source         text   NOT NULL,
    record         text   NOT NULL,
    beneficiary_id uuid   NOT NULL REFERENCES person,
    sequence       bigint NOT NULL CHECK (sequence >= 0),
    digest         text   NOT NULL,
    PRIMARY KEY (source, record)
);
CREATE INDEX source_record_person ON source_record (beneficiary_id);

-- Guarantee: a statement older than the one that took effect cannot take its place.
CREATE FUNCTION sequence_only_rises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sequence < OLD.sequence THEN
        RAISE EXCEPTION 'a sequence never falls' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sequence_only_rises BEFORE UPDATE ON source_record FOR EACH ROW EXECUTE FUNCTION sequence_only_rises();

-- What a record says for one period: a line of the payer's list as long as the list is open. Never deleted; it ends with a reason.
CREATE TABLE list_row (
    source         text   NOT NULL,
    record         text   NOT NULL,
    period         text   NOT NULL CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    beneficiary_id uuid   NOT NULL REFERENCES person,
    payer          text   NOT NULL,
    area           text   NOT NULL,
    benefit_code   text   NOT NULL,
    declared_vnd   bigint NOT NULL CHECK (declared_vnd >= 0),
    line           jsonb  NOT NULL,
    state          text   NOT NULL CHECK (state IN ('active', 'ended')),
    end_reason     text   CHECK (end_reason IN ('death', 'moved_out', 'no_longer_entitled', 'given_up')),
    import_id      uuid   REFERENCES list_import,
    row_no         integer,
    PRIMARY KEY (source, record, period),
    CHECK ((state = 'ended') = (end_reason IS NOT NULL))
);
-- Guarantee: one benefit of one person stands once in a period, whatever sources and payers say: it is never paid twice.
CREATE UNIQUE INDEX list_row_once ON list_row (period, beneficiary_id, benefit_code) WHERE state = 'active';
CREATE INDEX list_row_person ON list_row (beneficiary_id, period);
CREATE INDEX list_row_list ON list_row (period, payer);

-- Every statement that reached registry, with its fate; the answer to "what became of row 412". Append-only.
CREATE TABLE source_event (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text   NOT NULL,
    record         text,
    sequence       bigint NOT NULL,
    kind           text   NOT NULL,
    fate           text   NOT NULL
                   CHECK (fate IN ('applied', 'repeated', 'stale', 'conflict', 'refused', 'no_person')),
    reason         text,
    notes          text[] NOT NULL,
    beneficiary_id uuid,
    period         text,
    payer          text,
    declared_vnd   bigint,
    event_id       text,
    import_id      uuid   REFERENCES list_import,
    row_no         integer,
    at             timestamptz NOT NULL,
    -- Guarantee: a refusal says why.
    CHECK ((fate = 'refused') = (reason IS NOT NULL)),
    CHECK ((import_id IS NULL) = (row_no IS NULL))
);
CREATE INDEX source_event_record ON source_event (source, record);
CREATE INDEX source_event_person ON source_event (beneficiary_id) WHERE beneficiary_id IS NOT NULL;
CREATE INDEX source_event_list ON source_event (period, payer) WHERE fate = 'refused';
CREATE TRIGGER source_event_append_only BEFORE UPDATE OR DELETE ON source_event FOR EACH ROW EXECUTE FUNCTION append_only();

-- Statements that cannot take effect yet: nobody fits, or the list's content key has not arrived. Kept sealed, taken later, never lost.
CREATE TABLE waiting (
    source        text   NOT NULL,
    record        text   NOT NULL,
    sequence      bigint NOT NULL,
    kid           text,                   -- of the content key it waits for; null: it waits for a person
    number_ix     bytea,
    old_number_ix bytea,
    name_birth_ix bytea,
    sealed        text   NOT NULL CHECK (sealed LIKE 'v1.identity.%'),
    since         timestamptz NOT NULL,
    PRIMARY KEY (source, record, sequence)
);
CREATE INDEX waiting_number ON waiting (number_ix) WHERE number_ix IS NOT NULL;
CREATE INDEX waiting_old_number ON waiting (old_number_ix) WHERE old_number_ix IS NOT NULL;
CREATE INDEX waiting_name_birth ON waiting (name_birth_ix) WHERE name_birth_ix IS NOT NULL;
CREATE INDEX waiting_kid ON waiting (kid) WHERE kid IS NOT NULL;

-- Symmetric keys under which a ministry sealed the personal data of a list; sealed here.
CREATE TABLE content_key (
    kid    text PRIMARY KEY,
    sealed text NOT NULL CHECK (sealed LIKE 'v1.identity.%'),
    since  timestamptz NOT NULL
);

-- A payer's list of one period. It is open until an officer closes it; no row means that nobody has spoken of it yet.
CREATE TABLE payroll_list (
    period      text   NOT NULL,
    payer       text   NOT NULL,
    state       text   NOT NULL CHECK (state IN ('open', 'closed')),
    count       integer CHECK (count > 0),
    vnd         bigint  CHECK (vnd >= 0),
    digest      text,
    programmes  jsonb,
    closed_at   timestamptz,
    closed_by   text,
    PRIMARY KEY (period, payer),
    -- Guarantee: a closed list has its totals, an open one has none.
    CHECK ((state = 'closed') = (count IS NOT NULL AND vnd IS NOT NULL AND digest IS NOT NULL AND programmes IS NOT NULL
                                 AND closed_at IS NOT NULL AND closed_by IS NOT NULL)),
    CHECK (state = 'closed' OR (count IS NULL AND vnd IS NULL AND digest IS NULL AND closed_at IS NULL))
);
-- Guarantee: what was closed stays closed, with the totals it was published with.
CREATE FUNCTION closed_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'a closed list never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER closed_stays_closed BEFORE UPDATE OR DELETE ON payroll_list FOR EACH ROW EXECUTE FUNCTION closed_stays_closed();

-- What an upstream says its part of a list adds up to; the list closes only when our rows agree.
CREATE TABLE list_declaration (
    period   text    NOT NULL,
    payer    text    NOT NULL,
    source   text    NOT NULL,
    sequence bigint  NOT NULL,
    count    integer NOT NULL,
    vnd      bigint  NOT NULL,
    PRIMARY KEY (period, payer, source)
);

-- Lines frozen at closing, as published.
CREATE TABLE entitlement_line (
    entitlement_id uuid   PRIMARY KEY,
    beneficiary_id uuid   NOT NULL REFERENCES person,
    period         text   NOT NULL,
    payer          text   NOT NULL,
    area           text   NOT NULL,
    epoch          integer NOT NULL,
    n              integer NOT NULL,
    declared_vnd   bigint NOT NULL CHECK (declared_vnd >= 0),
    line           jsonb  NOT NULL,
    source         text   NOT NULL,
    record         text   NOT NULL,
    FOREIGN KEY (period, payer) REFERENCES payroll_list,
    -- Guarantee: one row of a list is frozen once.
    FOREIGN KEY (source, record, period) REFERENCES list_row,
    UNIQUE (source, record, period)
);
CREATE INDEX entitlement_line_list ON entitlement_line (period, payer);
CREATE INDEX entitlement_line_person ON entitlement_line (beneficiary_id);
-- Guarantee: a frozen line never changes.
CREATE TRIGGER entitlement_line_frozen BEFORE UPDATE OR DELETE ON entitlement_line FOR EACH ROW EXECUTE FUNCTION append_only();

-- What verification says of a person, the newest. Never part of a snapshot: nothing echoes.
CREATE TABLE verified (
    beneficiary_id  uuid    PRIMARY KEY,
    result_seq      integer NOT NULL,
    outcome         text    NOT NULL,
    account         text,
    identity_digest text    NOT NULL,
    account_digest  text,
    checked_at      timestamptz NOT NULL
);

-- The newest state of each payment. Never part of a snapshot either.
CREATE TABLE payment (
    instruction_id uuid    PRIMARY KEY,
    beneficiary_id uuid    NOT NULL,
    state_seq      integer NOT NULL,
    state          text    NOT NULL,
    provider       text    NOT NULL,
    channel        text    NOT NULL,
    periods        text[]  NOT NULL,
    payer          text    NOT NULL,
    attempt        integer NOT NULL,
    vnd            bigint  NOT NULL,
    reason         text,
    at             timestamptz NOT NULL
);
CREATE INDEX payment_person ON payment (beneficiary_id);

-- The furthest state of each text; one text may serve several people.
CREATE TABLE text (
    message_id      uuid    PRIMARY KEY,
    beneficiary_ids uuid[]  NOT NULL,
    campaign        text    NOT NULL,
    round           integer NOT NULL,
    status          text    NOT NULL,
    rank            integer NOT NULL,
    at              timestamptz NOT NULL
);
CREATE INDEX text_people ON text USING gin (beneficiary_ids);

-- migrate:down
DROP TABLE text, payment, verified, entitlement_line, list_declaration, payroll_list, content_key, waiting, source_event, list_row,
           source_record, list_import, person;
DROP FUNCTION closed_stays_closed();
DROP FUNCTION sequence_only_rises();
DROP FUNCTION version_only_rises();
