-- migrate:up

-- That a person is erased: asked by one officer, confirmed by another. The paper is a number in the office's book, never a person's. The row
-- stays after everything personal is gone, and with it who asked and why.
CREATE TABLE erasure (
    erasure_id      uuid        PRIMARY KEY,
    ordinal         bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    beneficiary_id  uuid        NOT NULL REFERENCES person,
    reason          text        NOT NULL CHECK (reason IN ('PERSON_ASKED', 'PURPOSE_OVER', 'COURT_DECISION', 'WRONGLY_KEPT', 'ERASED_BEFORE_RESTORE')),
    requester       text        NOT NULL CHECK (requester IN ('PERSON', 'GUARDIAN', 'HEIR', 'COURT', 'OFFICE')),
    paper           text        NOT NULL CHECK (paper ~ '^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$' AND paper !~ '[0-9]{9}'),
    asked_by        text        NOT NULL,
    asked_token     text        NOT NULL CHECK (asked_token <> ''),
    asked_at        timestamptz NOT NULL,
    confirmed_by    text,
    confirmed_token text        CHECK (confirmed_token <> ''),
    confirmed_at    timestamptz,
    with_merged     uuid[],      -- ids that had been merged into this one and went with it
    -- Guarantee: nobody erases a person alone.
    CONSTRAINT erasure_by_two CHECK (asked_by <> confirmed_by),
    CHECK (num_nulls(confirmed_by, confirmed_token, confirmed_at, with_merged) IN (0, 4))
);
-- Guarantee: of a person one request waits at a time, and a person is erased once.
CREATE UNIQUE INDEX erasure_waits ON erasure (beneficiary_id) WHERE confirmed_at IS NULL;
CREATE UNIQUE INDEX erasure_done ON erasure (beneficiary_id) WHERE confirmed_at IS NOT NULL;

-- Guarantee: a request is confirmed once and otherwise stays as it was asked; it goes only while nobody has confirmed it.
CREATE FUNCTION erasure_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.confirmed_at IS NULL THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.confirmed_at IS NOT NULL
       OR to_jsonb(NEW) - '{confirmed_by,confirmed_token,confirmed_at,with_merged}'::text[]
          <> to_jsonb(OLD) - '{confirmed_by,confirmed_token,confirmed_at,with_merged}'::text[] THEN
        RAISE EXCEPTION 'an erasure is confirmed once and never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erasure_guard BEFORE UPDATE OR DELETE ON erasure FOR EACH ROW EXECUTE FUNCTION erasure_guard();
CREATE TRIGGER erasure_never_emptied BEFORE TRUNCATE ON erasure EXECUTE FUNCTION append_only();

ALTER TABLE person ADD COLUMN erased_at timestamptz;
CREATE INDEX person_erased ON person (beneficiary_id) WHERE erased_at IS NOT NULL;
ALTER TABLE person ALTER COLUMN identity DROP NOT NULL, ALTER COLUMN payee DROP NOT NULL, ALTER COLUMN identity_digest DROP NOT NULL;
-- Guarantee: everybody has an identity and a payee, and an erased person has no block, no digest, no index and no word of their own.
ALTER TABLE person ADD CONSTRAINT person_erased_has_nothing CHECK (
    CASE WHEN erased_at IS NULL THEN num_nulls(identity, payee, identity_digest) = 0
         ELSE num_nonnulls(identity, payee, delivery, collector, contact, circumstances, identity_digest, account_digest, delivery_digest,
                           number_ix, old_number_ix, name_birth_ix, name_place_ix, birth_year, wish_reason, account_source, cannot_reason,
                           cannot_until, collector_from, collector_until) = 0 AND wish = 'none' AND NOT home_delivery
    END);

-- Guarantee: nobody is erased but by a request that two people signed, and who is erased stays so.
CREATE FUNCTION erased_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.erased_at IS NOT NULL
       OR NOT EXISTS (SELECT FROM erasure WHERE confirmed_at IS NOT NULL AND confirmed_at = NEW.erased_at
                                            AND (beneficiary_id = NEW.beneficiary_id OR NEW.beneficiary_id = ANY (with_merged))) THEN
        RAISE EXCEPTION 'two people erase a person, once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_is_erased BEFORE UPDATE ON person FOR EACH ROW
    WHEN (NEW.erased_at IS DISTINCT FROM OLD.erased_at) EXECUTE FUNCTION erased_by_two();
CREATE TRIGGER person_comes_erased BEFORE INSERT ON person FOR EACH ROW
    WHEN (NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erased_by_two();

-- Guarantee: an erased id gets no live row on an open list. Per statement: intake writes thousands of rows with each.
CREATE FUNCTION no_row_of_an_erased_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM person WHERE erased_at IS NOT NULL)
       AND EXISTS (SELECT FROM fresh JOIN person p ON p.beneficiary_id = fresh.beneficiary_id JOIN payroll_list l ON (l.period, l.payer) = (fresh.period, fresh.payer)
                    WHERE p.erased_at IS NOT NULL AND fresh.state = 'active' AND l.state <> 'closed') THEN
        RAISE EXCEPTION 'an erased id has no live row' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER no_new_row_of_an_erased_id AFTER INSERT ON list_row REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION no_row_of_an_erased_id();
CREATE TRIGGER no_row_of_an_erased_id AFTER UPDATE ON list_row REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION no_row_of_an_erased_id();

-- Guarantee: what is append-only stays so. One exception: of a row about an erased person, blocks and keyed hashes become NULL (or empty),
-- and nothing else changes. First argument: the column that names the person (`record`: the row's source and record do); the others: what goes.
CREATE FUNCTION stays_but_for_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before    jsonb := to_jsonb(OLD);
    after     jsonb := to_jsonb(NEW);
    goes      text[] := TG_ARGV[1:];
    is_theirs boolean := false;
BEGIN
    IF TG_OP = 'UPDATE' AND before - goes = after - goes
       AND NOT EXISTS (SELECT FROM unnest(goes) AS name WHERE after -> name <> before -> name AND coalesce(after ->> name, '') <> '') THEN
        IF TG_ARGV[0] = 'record' THEN
            is_theirs := EXISTS (SELECT FROM source_record s
                                  WHERE (s.source, s.record) = (before ->> 'source', before ->> 'record') AND is_erased(s.beneficiary_id));
        ELSE
            is_theirs := is_erased((before ->> TG_ARGV[0])::uuid);
        END IF;
    END IF;
    IF NOT is_theirs THEN
        RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER entitlement_line_frozen ON entitlement_line;
CREATE TRIGGER entitlement_line_frozen BEFORE UPDATE OR DELETE ON entitlement_line FOR EACH ROW
    EXECUTE FUNCTION stays_but_for_erasure('beneficiary_id', 'circumstances');
DROP TRIGGER import_before_append_only ON import_before;
CREATE TRIGGER import_before_append_only BEFORE UPDATE OR DELETE ON import_before FOR EACH ROW
    EXECUTE FUNCTION stays_but_for_erasure('record', 'digest');

-- Of a pair each side goes with its own person.
ALTER TABLE pair_sight ALTER COLUMN one_digest DROP NOT NULL, ALTER COLUMN other_digest DROP NOT NULL;
ALTER TABLE pair_apart ALTER COLUMN one_digest DROP NOT NULL, ALTER COLUMN other_digest DROP NOT NULL;
-- Guarantee as above, for two people.
CREATE FUNCTION pair_stays_but_for_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - '{one_digest,other_digest}'::text[] = to_jsonb(OLD) - '{one_digest,other_digest}'::text[]
       AND (NEW.one_digest IS NOT DISTINCT FROM OLD.one_digest OR (NEW.one_digest IS NULL AND is_erased(OLD.one)))
       AND (NEW.other_digest IS NOT DISTINCT FROM OLD.other_digest OR (NEW.other_digest IS NULL AND is_erased(OLD.other))) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER pair_sight_append_only ON pair_sight;
CREATE TRIGGER pair_sight_append_only BEFORE UPDATE OR DELETE ON pair_sight FOR EACH ROW EXECUTE FUNCTION pair_stays_but_for_erasure();
DROP TRIGGER pair_apart_append_only ON pair_apart;
CREATE TRIGGER pair_apart_append_only BEFORE UPDATE OR DELETE ON pair_apart FOR EACH ROW EXECUTE FUNCTION pair_stays_but_for_erasure();

-- Guarantee: how a file found a person is kept, until the person is erased.
CREATE FUNCTION person_before_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND is_erased(OLD.beneficiary_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER person_before_append_only ON person_before;
CREATE TRIGGER person_before_append_only BEFORE UPDATE OR DELETE ON person_before FOR EACH ROW EXECUTE FUNCTION person_before_stays();

-- Guarantee: the history of statements stays as it was written. One exception: the name under which a row of a file waited for its person is
-- made of their keyed index, and may lose it.
CREATE FUNCTION source_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.record LIKE 'unmatched.%' AND NEW.record = 'unmatched.erased' AND OLD.beneficiary_id IS NULL
       AND to_jsonb(NEW) - 'record' = to_jsonb(OLD) - 'record' AND EXISTS (SELECT FROM erasure WHERE confirmed_at IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER source_event_append_only ON source_event;
CREATE TRIGGER source_event_append_only BEFORE UPDATE OR DELETE ON source_event FOR EACH ROW EXECUTE FUNCTION source_event_stays();

-- migrate:down
DROP TRIGGER source_event_append_only ON source_event;
CREATE TRIGGER source_event_append_only BEFORE UPDATE OR DELETE ON source_event FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION source_event_stays();
DROP TRIGGER person_before_append_only ON person_before;
CREATE TRIGGER person_before_append_only BEFORE UPDATE OR DELETE ON person_before FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION person_before_stays();
DROP TRIGGER pair_apart_append_only ON pair_apart;
CREATE TRIGGER pair_apart_append_only BEFORE UPDATE OR DELETE ON pair_apart FOR EACH ROW EXECUTE FUNCTION append_only();
DROP TRIGGER pair_sight_append_only ON pair_sight;
CREATE TRIGGER pair_sight_append_only BEFORE UPDATE OR DELETE ON pair_sight FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION pair_stays_but_for_erasure();
DROP TRIGGER import_before_append_only ON import_before;
CREATE TRIGGER import_before_append_only BEFORE UPDATE OR DELETE ON import_before FOR EACH ROW EXECUTE FUNCTION append_only();
DROP TRIGGER entitlement_line_frozen ON entitlement_line;
CREATE TRIGGER entitlement_line_frozen BEFORE UPDATE OR DELETE ON entitlement_line FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION stays_but_for_erasure();
DROP FUNCTION no_row_of_an_erased_id() CASCADE;
DROP FUNCTION erased_by_two() CASCADE;
ALTER TABLE person DROP COLUMN erased_at;
DROP TABLE erasure;
DROP FUNCTION erasure_guard();
