-- migrate:up

-- An enrolment under the name of a unit that came to several communes, whose new commune nobody could read off: kept sealed until a person
-- decides, and then taken as it was said. `fate` and `reason`: what became of it then.
CREATE TABLE area_case (
    case_id        uuid        PRIMARY KEY,
    source         text        NOT NULL,
    record         text        NOT NULL,
    period         text        NOT NULL CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    benefit_code   text        NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence >= 0),
    payer          text        NOT NULL,
    declared_vnd   bigint      NOT NULL CHECK (declared_vnd >= 0),
    old_area       text        NOT NULL CHECK (old_area ~ '^[0-9]{5}$'),
    old_until      date        NOT NULL,
    since          date        NOT NULL,
    codes          text[]      NOT NULL CHECK (cardinality(codes) >= 2),
    beneficiary_id uuid        REFERENCES person,
    subject        bytea       NOT NULL CHECK (length(subject) = 32),
    -- Guarantee: only sealed blocks get in, whatever a future mistake tries to write.
    sealed         text        NOT NULL CHECK (sealed LIKE 'v1.identity.%'),
    import_id      uuid        REFERENCES list_import,
    row_no         integer,
    found_at       timestamptz NOT NULL,
    fate           text        CHECK (fate IN ('applied', 'repeated', 'stale', 'conflict', 'refused', 'replaced')),
    reason         text,
    CHECK ((fate IS NOT DISTINCT FROM 'refused') = (reason IS NOT NULL)),
    -- Guarantee: what one record says of one benefit in one period waits once, however often it comes again.
    UNIQUE (source, record, period, benefit_code)
);
CREATE INDEX area_case_waits ON area_case (payer, period) WHERE fate IS NULL;
CREATE INDEX area_case_subject ON area_case (old_area, subject) WHERE fate IS NULL;
CREATE INDEX area_case_person ON area_case (beneficiary_id) WHERE beneficiary_id IS NOT NULL;
CREATE INDEX area_case_import ON area_case (import_id) WHERE import_id IS NOT NULL;

-- In which commune somebody lives who lived in a unit that was split: who says so, and by what. Kept for every list to come. Append-only.
CREATE TABLE area_decision (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id        uuid        NOT NULL REFERENCES area_case,
    old_area       text        NOT NULL,
    old_until      date        NOT NULL,
    since          date        NOT NULL,
    codes          text[]      NOT NULL,
    area           text        NOT NULL,
    evidence       text        NOT NULL CHECK (evidence IN ('RESIDENCE_PAPER', 'POLICE_REGISTER', 'COMMUNE_PAPER', 'HAMLET_HEAD', 'HOME_VISIT')),
    beneficiary_id uuid        REFERENCES person,
    subject        bytea       NOT NULL CHECK (length(subject) = 32),
    decider        text        NOT NULL CHECK (decider <> ''),
    decider_token  text        NOT NULL CHECK (decider_token <> ''),
    decided_at     timestamptz NOT NULL,
    -- Guarantee: nobody is put into a commune to which nothing of their old one came.
    CHECK (area = ANY (codes)),
    -- Guarantee: who lived in a unit was put into one commune (two decisions could have two payers pay).
    UNIQUE (old_area, old_until, since, subject),
    UNIQUE (old_area, old_until, since, beneficiary_id)
);
CREATE TRIGGER area_decision_append_only BEFORE UPDATE OR DELETE ON area_decision FOR EACH ROW EXECUTE FUNCTION append_only();

-- Enrolments that waited for a decision when the list closed: not in its lines, and seen in its totals.
ALTER TABLE payroll_list ADD COLUMN area_held integer NOT NULL DEFAULT 0 CHECK (area_held >= 0),
                         ADD COLUMN area_held_vnd bigint NOT NULL DEFAULT 0 CHECK (area_held_vnd >= 0);

-- migrate:down
ALTER TABLE payroll_list DROP COLUMN area_held, DROP COLUMN area_held_vnd;
DROP TABLE area_decision, area_case;
