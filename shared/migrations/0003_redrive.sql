-- migrate:up

-- A set-aside record may be handled again (shared/redriving.py): when last, by whom, and what came of it.
ALTER TABLE dead_letter
    ADD COLUMN redriven_at timestamptz,
    ADD COLUMN redriven_by text,
    ADD COLUMN outcome     text CHECK (outcome IN ('taken', 'dead', 'parked')),
    ADD CONSTRAINT dead_letter_redriven_whole CHECK (num_nulls(redriven_at, redriven_by, outcome) IN (0, 3));

-- Guarantee: a set-aside record takes effect at most once, and what was set aside never changes or disappears.
CREATE FUNCTION dead_letter_taken_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.outcome = 'taken' THEN
        RAISE EXCEPTION 'a set-aside record is taken once and kept' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.dead_letter_id, NEW.topic, NEW.partition, NEW."offset", NEW.original)
       IS DISTINCT FROM (OLD.dead_letter_id, OLD.topic, OLD.partition, OLD."offset", OLD.original) THEN
        RAISE EXCEPTION 'what was set aside never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER dead_letter_taken_once BEFORE UPDATE OR DELETE ON dead_letter
    FOR EACH ROW EXECUTE FUNCTION dead_letter_taken_once();

-- migrate:down
DROP TRIGGER dead_letter_taken_once ON dead_letter;
DROP FUNCTION dead_letter_taken_once();
ALTER TABLE dead_letter DROP CONSTRAINT dead_letter_redriven_whole, DROP COLUMN outcome, DROP COLUMN redriven_by, DROP COLUMN redriven_at;
