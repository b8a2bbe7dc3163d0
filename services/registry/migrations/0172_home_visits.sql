-- migrate:up

-- What somebody heard at a home visit: how the person wishes to be paid, why, and whether an account is beyond them for now. Append-only.
CREATE TABLE home_visit (
    visit_id       uuid        PRIMARY KEY,
    beneficiary_id uuid        NOT NULL REFERENCES person,
    -- Guarantee: the visits of one person are numbered, because their number is the sequence under which they are taken.
    nth            integer     NOT NULL CHECK (nth >= 1),
    wish           text        NOT NULL CHECK (wish IN ('account', 'post')),
    reason         text        CHECK (reason ~ '^R_[A-Z]+$'),
    evidence       text        CHECK (evidence IN ('SEEN_AT_HOME', 'HEALTH_PAPER', 'DISABILITY_PAPER', 'COURT_DECISION', 'COMMUNE_PAPER')),
    review_on      date,
    visited_on     date        NOT NULL,
    decider        text        NOT NULL CHECK (decider <> ''),
    decider_token  text        NOT NULL CHECK (decider_token <> ''),
    at             timestamptz NOT NULL,
    UNIQUE (beneficiary_id, nth),
    -- Guarantee: nobody goes, or stays, with cash without a reason.
    CHECK (wish = 'account' OR reason IS NOT NULL),
    -- Guarantee: nobody is put into the "cannot" class without reason, evidence and a day of review that is to come, at most two years away.
    CHECK (review_on IS NULL OR (reason IS NOT NULL AND evidence IS NOT NULL AND review_on > visited_on
                                 AND review_on <= visited_on + 731)),
    CHECK ((evidence IS NULL) = (review_on IS NULL))
);
CREATE TRIGGER home_visit_append_only BEFORE UPDATE OR DELETE ON home_visit FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE home_visit;
