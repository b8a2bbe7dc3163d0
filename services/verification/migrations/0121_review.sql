-- migrate:up

-- Every time a person saw both sides of an unclear case. No personal data: whom, by whom, and what stood there by its digests.
CREATE TABLE review_sight (
    sight_id         uuid        PRIMARY KEY,
    beneficiary_id   uuid        NOT NULL REFERENCES person,
    actor            text        NOT NULL CHECK (actor <> ''),
    seen_at          timestamptz NOT NULL,
    identity_digest  text        NOT NULL,
    entries          jsonb       NOT NULL,        -- register entry -> digest of what it said
    UNIQUE (sight_id, beneficiary_id, actor)
);
CREATE TRIGGER review_sight_append_only BEFORE UPDATE OR DELETE ON review_sight FOR EACH ROW EXECUTE FUNCTION append_only();

-- What a person decided of two sides. It holds while both say what they said: their digests are part of it.
CREATE TABLE review_decision (
    decision_id      uuid        PRIMARY KEY,
    beneficiary_id   uuid        NOT NULL,
    identity_digest  text        NOT NULL,
    person_token     text        NOT NULL,
    register_digest  text        NOT NULL,
    verdict          text        NOT NULL CHECK (verdict IN ('same', 'different')),
    -- Guarantee: nobody decides without a reason and a paper of closed lists.
    reason           text        NOT NULL CHECK (reason IN ('SPELLING', 'NAME_CHANGED', 'BIRTH_DATE_CORRECTED', 'NUMBER_CORRECTED',
                                                            'REGISTER_WRONG', 'OTHER_PERSON')),
    evidence         text        NOT NULL CHECK (evidence IN ('IDENTITY_CARD', 'BIRTH_CERTIFICATE', 'POLICE_CONFIRMATION',
                                                              'COMMUNE_FILE', 'HOME_VISIT')),
    decider          text        NOT NULL,
    decider_token    text        NOT NULL CHECK (decider_token <> ''),
    decided_at       timestamptz NOT NULL,
    sight_id         uuid        NOT NULL,
    -- Guarantee: a decision is taken back at most once, by a decision that names it.
    replaces         uuid        UNIQUE REFERENCES review_decision,
    -- Guarantee: nobody decides about somebody whose two sides they have not seen themselves.
    FOREIGN KEY (sight_id, beneficiary_id, decider) REFERENCES review_sight (sight_id, beneficiary_id, actor)
);
-- Guarantee: the same two sides are decided once; whoever decides them again replaces what was decided.
CREATE UNIQUE INDEX review_decided_once ON review_decision (beneficiary_id, identity_digest, person_token, register_digest)
    WHERE replaces IS NULL;
CREATE INDEX review_decision_person ON review_decision (beneficiary_id);
CREATE TRIGGER review_decision_append_only BEFORE UPDATE OR DELETE ON review_decision FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE review_decision;
DROP TABLE review_sight;
