-- migrate:up

-- Keyed indexes under which people meet who may be one (services/registry/scoring.py). Nothing readable, and good in this database only.
CREATE TABLE person_key (
    ix             bytea NOT NULL CHECK (length(ix) = 32),
    beneficiary_id uuid  NOT NULL REFERENCES person,
    PRIMARY KEY (ix, beneficiary_id)
);
CREATE INDEX person_key_person ON person_key (beneficiary_id);

-- Of whom everything that is compared was looked at, as it was then: who reads otherwise now is looked at again.
CREATE TABLE looked_at (
    beneficiary_id uuid PRIMARY KEY REFERENCES person,
    state          text NOT NULL
);

-- Pairs that may be one person, with what speaks for it. Computed: it goes when the two do not look alike any more, and waits for a person.
CREATE TABLE candidate (
    one          uuid        NOT NULL REFERENCES person,
    other        uuid        NOT NULL REFERENCES person,
    points       integer     NOT NULL,
    evidence     jsonb       NOT NULL,
    one_digest   text        NOT NULL,   -- of the two identities that were compared
    other_digest text        NOT NULL,
    found_at     timestamptz NOT NULL,
    PRIMARY KEY (one, other),
    -- Guarantee: a pair stands once, and nobody is a candidate with themselves.
    CHECK (one < other)
);
CREATE INDEX candidate_other ON candidate (other);

-- Every time a person saw the two sides of a pair: whom, by whom, and what stood there by its digests. Nothing personal.
CREATE TABLE pair_sight (
    sight_id     uuid        PRIMARY KEY,
    one          uuid        NOT NULL REFERENCES person,
    other        uuid        NOT NULL REFERENCES person,
    one_digest   text        NOT NULL,
    other_digest text        NOT NULL,
    actor        text        NOT NULL CHECK (actor <> ''),
    seen_at      timestamptz NOT NULL,
    CHECK (one < other),
    UNIQUE (sight_id, one, other, actor)
);
CREATE TRIGGER pair_sight_append_only BEFORE UPDATE OR DELETE ON pair_sight FOR EACH ROW EXECUTE FUNCTION append_only();

-- A person decided that two are two. It holds while both identities read as they did.
CREATE TABLE pair_apart (
    decision_id  uuid        PRIMARY KEY,
    one          uuid        NOT NULL,
    other        uuid        NOT NULL,
    one_digest   text        NOT NULL,
    other_digest text        NOT NULL,
    sight_id     uuid        NOT NULL,
    -- Guarantee: nobody decides without a paper of a closed list.
    paper        text        NOT NULL CHECK (paper IN ('IDENTITY_CARD', 'BIRTH_CERTIFICATE', 'POLICE_CONFIRMATION', 'COMMUNE_FILE', 'HOME_VISIT')),
    decider      text        NOT NULL,
    decider_token text       NOT NULL CHECK (decider_token <> ''),
    decided_at   timestamptz NOT NULL,
    -- Guarantee: nobody decides about two people whose sides they have not seen themselves.
    FOREIGN KEY (sight_id, one, other, decider) REFERENCES pair_sight (sight_id, one, other, actor),
    -- Guarantee: the same two sides are told apart once.
    UNIQUE (one, other, one_digest, other_digest)
);
CREATE TRIGGER pair_apart_append_only BEFORE UPDATE OR DELETE ON pair_apart FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE pair_apart, pair_sight, candidate, looked_at, person_key;
