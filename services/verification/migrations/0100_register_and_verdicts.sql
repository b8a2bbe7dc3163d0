-- migrate:up

-- Our replica of the population register, one row per number it knows. What identifies a person is sealed; the indexes are keyed
-- hashes that never leave this database.
CREATE TABLE register (
    person_token    text        PRIMARY KEY,
    as_of           timestamptz NOT NULL,
    status          text        NOT NULL CHECK (status IN ('alive', 'dead', 'moved')),
    status_on       date,
    area            text,
    sealed          text        NOT NULL,
    content_digest  text        NOT NULL,     -- of everything the entry says: equal content judges nobody again
    number_ix       bytea       NOT NULL,
    old_number_ix   bytea,
    name_birth_ix   bytea       NOT NULL,     -- name at tier T4 with birth year
    replaced_by_ix  bytea
);
CREATE INDEX register_number ON register (number_ix);
CREATE INDEX register_old_number ON register (old_number_ix) WHERE old_number_ix IS NOT NULL;
CREATE INDEX register_name_birth ON register (name_birth_ix);

-- Extracts handed to the feed. While none has arrived whole, the register gives no answer: half a register finds nobody.
CREATE TABLE extract (
    as_of    timestamptz PRIMARY KEY,
    entries  integer NOT NULL CHECK (entries >= 0),
    applied  integer NOT NULL DEFAULT 0 CHECK (applied BETWEEN 0 AND entries)
);

-- The newest snapshot of each beneficiary, as far as verification reads it, and whom of the register it was judged to be.
CREATE TABLE person (
    beneficiary_id   uuid    PRIMARY KEY,
    epoch            integer NOT NULL,
    n                integer NOT NULL,
    payer            text    NOT NULL,
    identity         text    NOT NULL,
    payee            text    NOT NULL,
    identity_digest  text    NOT NULL,
    account_digest   text,
    number_ix        bytea,
    old_number_ix    bytea,
    name_birth_ix    bytea,
    account_ix       bytea,
    person_token     text,                    -- the register person this one was judged to be
    result_seq       integer NOT NULL DEFAULT 0 CHECK (result_seq >= 0)
);
CREATE INDEX person_number ON person (number_ix) WHERE number_ix IS NOT NULL;
CREATE INDEX person_old_number ON person (old_number_ix) WHERE old_number_ix IS NOT NULL;
CREATE INDEX person_name_birth ON person (name_birth_ix) WHERE name_birth_ix IS NOT NULL;
CREATE INDEX person_token ON person (person_token) WHERE person_token IS NOT NULL;
CREATE INDEX person_account ON person (account_ix) WHERE account_ix IS NOT NULL;
CREATE INDEX person_payer ON person (payer);

-- Guarantee: a snapshot never gives way to an older one.
CREATE FUNCTION person_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.epoch, NEW.n) < (OLD.epoch, OLD.n) OR NEW.result_seq < OLD.result_seq THEN
        RAISE EXCEPTION 'a person never goes back to an older snapshot or result' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION person_only_forward();

-- Every result ever told, append-only; `person.result_seq` names the one that holds.
CREATE TABLE verdict (
    beneficiary_id   uuid    NOT NULL REFERENCES person,
    result_seq       integer NOT NULL CHECK (result_seq >= 1),
    identity_digest  text    NOT NULL,
    account_digest   text,
    outcome          text    NOT NULL CHECK (outcome IN ('match', 'weak_match', 'mismatch', 'not_found', 'dead', 'moved',
                                                         'number_changed', 'duplicate', 'unavailable')),
    evidence         jsonb   NOT NULL,
    died_on          date,
    account          text    CHECK (account IN ('usable', 'bank_unknown_bin', 'number_shape', 'name_mismatch', 'cannot_verify',
                                                'shared_account', 'unavailable')),
    checked_at       timestamptz NOT NULL,
    -- Guarantee: one result per number; a replay cannot tell two things under one.
    PRIMARY KEY (beneficiary_id, result_seq)
);
CREATE TRIGGER verdict_append_only BEFORE UPDATE OR DELETE ON verdict FOR EACH ROW EXECUTE FUNCTION append_only();

-- Lists that closed, for progress per list.
CREATE TABLE closed_list (
    period     text        NOT NULL,
    payer      text        NOT NULL,
    count      integer     NOT NULL,
    vnd        bigint      NOT NULL,
    digest     text        NOT NULL,
    closed_at  timestamptz NOT NULL,
    PRIMARY KEY (period, payer)
);

-- migrate:down
DROP TABLE closed_list;
DROP TABLE verdict;
DROP TABLE person;
DROP TABLE extract;
DROP TABLE register;
DROP FUNCTION person_only_forward();
