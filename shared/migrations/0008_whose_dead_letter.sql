-- migrate:up

-- Whose a set-aside record is, as a keyed index of its key, so that an erasure opens none that are not theirs. NULL: not known yet (set
-- aside before this column), or gone with the person.
ALTER TABLE dead_letter ADD COLUMN key_ix bytea CHECK (length(key_ix) = 32);
CREATE INDEX dead_letter_key ON dead_letter (key_ix) WHERE key_ix IS NOT NULL;
CREATE INDEX dead_letter_unindexed ON dead_letter (dead_letter_id) WHERE key_ix IS NULL AND original <> '';

-- Guarantee: a set-aside record takes effect at most once, and what was set aside never changes or disappears; the original and the index of
-- a record about an erased person go, the row stays and names them. An index that was not kept yet is filled in once.
CREATE OR REPLACE FUNCTION dead_letter_taken_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    goes text[] := '{original,erased_for,key_ix}';
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.original = '' AND NEW.key_ix IS NULL AND is_erased(NEW.erased_for) AND to_jsonb(NEW) - goes = to_jsonb(OLD) - goes
       OR TG_OP = 'UPDATE' AND OLD.key_ix IS NULL AND OLD.original <> '' AND to_jsonb(NEW) - 'key_ix'::text = to_jsonb(OLD) - 'key_ix'::text THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.outcome = 'taken' THEN
        RAISE EXCEPTION 'a set-aside record is taken once and kept' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.dead_letter_id, NEW.topic, NEW.partition, NEW."offset", NEW.original, NEW.erased_for, NEW.key_ix)
       IS DISTINCT FROM (OLD.dead_letter_id, OLD.topic, OLD.partition, OLD."offset", OLD.original, OLD.erased_for, OLD.key_ix) THEN
        RAISE EXCEPTION 'what was set aside never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION dead_letter_taken_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.original = '' AND is_erased(NEW.erased_for)
       AND to_jsonb(NEW) - '{original,erased_for}'::text[] = to_jsonb(OLD) - '{original,erased_for}'::text[] THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.outcome = 'taken' THEN
        RAISE EXCEPTION 'a set-aside record is taken once and kept' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.dead_letter_id, NEW.topic, NEW.partition, NEW."offset", NEW.original, NEW.erased_for)
       IS DISTINCT FROM (OLD.dead_letter_id, OLD.topic, OLD.partition, OLD."offset", OLD.original, OLD.erased_for) THEN
        RAISE EXCEPTION 'what was set aside never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE dead_letter DROP COLUMN key_ix;
