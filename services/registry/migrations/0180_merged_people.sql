-- migrate:up

-- That two records of ours are one person, or are two again after all: proposed by one, confirmed by another. The id stands before
-- anything is done; what was done stays.
CREATE TABLE merge_act (
    act_id          uuid        PRIMARY KEY,
    ordinal         bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind            text        NOT NULL CHECK (kind IN ('merge', 'unmerge')),
    merged_id       uuid        NOT NULL REFERENCES person,
    survivor_id     uuid        NOT NULL REFERENCES person,
    undoes          uuid        REFERENCES merge_act,
    paper           text        NOT NULL CHECK (paper IN ('IDENTITY_CARD', 'BIRTH_CERTIFICATE', 'POLICE_CONFIRMATION', 'COMMUNE_FILE', 'HOME_VISIT')),
    one             uuid        NOT NULL GENERATED ALWAYS AS (least(merged_id, survivor_id)) STORED,
    other           uuid        NOT NULL GENERATED ALWAYS AS (greatest(merged_id, survivor_id)) STORED,
    proposed_sight  uuid        NOT NULL,
    proposed_by     text        NOT NULL,
    proposed_token  text        NOT NULL CHECK (proposed_token <> ''),
    proposed_at     timestamptz NOT NULL,
    confirmed_sight uuid,
    confirmed_by    text,
    confirmed_token text        CHECK (confirmed_token <> ''),
    confirmed_at    timestamptz,
    absorbed        text[],      -- what the survivor did not have and took over: names of fields
    -- Guarantee: nobody is merged with themselves.
    CHECK (merged_id <> survivor_id),
    -- Guarantee: nobody merges or separates people alone.
    CHECK (proposed_by <> confirmed_by),
    CHECK (num_nulls(confirmed_sight, confirmed_by, confirmed_token, confirmed_at, absorbed) IN (0, 5)),
    CHECK ((kind = 'unmerge') = (undoes IS NOT NULL)),
    -- Guarantee: who proposes and who confirms has seen both sides.
    FOREIGN KEY (proposed_sight, one, other, proposed_by) REFERENCES pair_sight (sight_id, one, other, actor),
    FOREIGN KEY (confirmed_sight, one, other, confirmed_by) REFERENCES pair_sight (sight_id, one, other, actor)
);
-- Guarantee: of a pair one act waits at a time, and a merge is taken back once.
CREATE UNIQUE INDEX merge_act_waits ON merge_act (one, other) WHERE confirmed_at IS NULL;
CREATE UNIQUE INDEX merge_act_undone ON merge_act (undoes) WHERE confirmed_at IS NOT NULL;
CREATE INDEX merge_act_survivor ON merge_act (survivor_id);
CREATE INDEX merge_act_merged ON merge_act (merged_id);

-- Guarantee: an act is confirmed once and otherwise stays as it was proposed.
CREATE FUNCTION merge_act_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.confirmed_at IS NULL THEN
        RETURN OLD;  -- a proposal that was withdrawn
    END IF;
    IF TG_OP = 'DELETE' OR OLD.confirmed_at IS NOT NULL
       OR (NEW.act_id, NEW.kind, NEW.merged_id, NEW.survivor_id, NEW.paper, NEW.proposed_by, NEW.proposed_token, NEW.proposed_at, NEW.proposed_sight)
          IS DISTINCT FROM
          (OLD.act_id, OLD.kind, OLD.merged_id, OLD.survivor_id, OLD.paper, OLD.proposed_by, OLD.proposed_token, OLD.proposed_at, OLD.proposed_sight)
       OR NEW.undoes IS DISTINCT FROM OLD.undoes THEN
        RAISE EXCEPTION 'an act on two people is confirmed once and never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER merge_act_guard BEFORE UPDATE OR DELETE ON merge_act FOR EACH ROW EXECUTE FUNCTION merge_act_guard();

-- Who is merged away, and into whom. It goes when the two are separated; the acts stay.
CREATE TABLE merged (
    -- Guarantee: an id is merged once.
    beneficiary_id uuid PRIMARY KEY REFERENCES person,
    survivor_id    uuid NOT NULL REFERENCES person,
    act_id         uuid NOT NULL UNIQUE REFERENCES merge_act,
    -- Guarantee: nobody is merged with themselves.
    CHECK (beneficiary_id <> survivor_id)
);
CREATE INDEX merged_survivor ON merged (survivor_id);

-- Under which numbers, names and birth dates of a merged-away id the one who stays is known too (blind indexes as in `person`).
CREATE TABLE merged_key (
    ix             bytea NOT NULL CHECK (length(ix) = 32),
    beneficiary_id uuid  NOT NULL REFERENCES merged ON DELETE CASCADE,
    PRIMARY KEY (ix, beneficiary_id)
);
CREATE INDEX merged_key_person ON merged_key (beneficiary_id);

-- Records that went over to the survivor, to go back when the two are separated.
CREATE TABLE merged_record (
    source         text NOT NULL,
    record         text NOT NULL,
    beneficiary_id uuid NOT NULL REFERENCES person,
    PRIMARY KEY (source, record),
    FOREIGN KEY (source, record) REFERENCES source_record
);
CREATE INDEX merged_record_person ON merged_record (beneficiary_id);

-- A row that says what the survivor's own row says already ends with the merge, and comes back with the separation while its list is open.
ALTER TABLE list_row DROP CONSTRAINT list_row_end_reason_check;
ALTER TABLE list_row ADD CONSTRAINT list_row_end_reason_check
    CHECK (end_reason IN ('death', 'moved_out', 'no_longer_entitled', 'given_up', 'import_undone', 'merged'));

-- Guarantee: there are no chains and no circles: who stays is not merged away, and who is merged away is nobody's survivor. And nobody goes
-- away with a live row in an open list.
CREATE FUNCTION merged_is_flat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM person WHERE beneficiary_id IN (NEW.beneficiary_id, NEW.survivor_id) ORDER BY beneficiary_id FOR UPDATE;
    IF EXISTS (SELECT FROM merged WHERE beneficiary_id = NEW.survivor_id OR survivor_id = NEW.beneficiary_id) THEN
        RAISE EXCEPTION 'a merge leads to one person and no further' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM list_row r JOIN payroll_list l USING (period, payer)
                WHERE r.beneficiary_id = NEW.beneficiary_id AND r.state = 'active' AND l.state <> 'closed') THEN
        RAISE EXCEPTION 'a merged-away id has no live row' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER merged_is_flat BEFORE INSERT OR UPDATE ON merged FOR EACH ROW EXECUTE FUNCTION merged_is_flat();

-- Guarantee: a merged-away id gets no live row, from whatever side. Per statement: intake writes thousands of rows with each.
CREATE FUNCTION no_row_of_a_merged_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM merged) AND EXISTS (SELECT FROM merged JOIN fresh USING (beneficiary_id) WHERE fresh.state = 'active') THEN
        RAISE EXCEPTION 'a merged-away id has no live row' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER no_new_row_of_a_merged_id AFTER INSERT ON list_row REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION no_row_of_a_merged_id();
CREATE TRIGGER no_row_of_a_merged_id AFTER UPDATE ON list_row REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION no_row_of_a_merged_id();

-- migrate:down
DROP TRIGGER no_row_of_a_merged_id ON list_row;
DROP TRIGGER no_new_row_of_a_merged_id ON list_row;
DROP FUNCTION no_row_of_a_merged_id();
DROP TABLE merged_record, merged_key, merged, merge_act;
DROP FUNCTION merged_is_flat();
DROP FUNCTION merge_act_guard();
