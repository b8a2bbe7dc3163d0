-- migrate:up

-- What an erasure takes out of the tables that every service has. Each service has a table `person` whose `erased_at` says who is erased
-- (its own migrations); the functions below look there when they are called.

-- For whom the original of a set-aside record was taken out.
ALTER TABLE dead_letter ADD COLUMN erased_for uuid;

CREATE FUNCTION is_erased(who uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM person WHERE beneficiary_id = who AND erased_at IS NOT NULL);
END $$;

-- Guarantee: a set-aside record takes effect at most once, and what was set aside never changes or disappears; the original of a record
-- about an erased person goes, the row stays and names them.
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

-- Guarantee: an outbox row is never changed or removed; whole partitions are dropped after retention. One exception: what was published
-- about an erased person, or about a set-aside record whose original is gone, loses its payload and nothing else.
CREATE FUNCTION outbox_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_theirs boolean := false;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.payload = '' AND to_jsonb(NEW) - 'payload' = to_jsonb(OLD) - 'payload'
       AND (OLD.xid, OLD.id) <= (SELECT c.xid, c.id FROM outbox_cursor c) THEN
        IF OLD.topic LIKE '%.deadletter.v1' THEN
            is_theirs := EXISTS (SELECT FROM dead_letter d WHERE d.erased_for IS NOT NULL
                                    AND d.dead_letter_id::text = convert_from(OLD.payload, 'UTF8')::jsonb ->> 'dead_letter_id');
        ELSIF OLD.key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
            is_theirs := is_erased(OLD.key::uuid);
        END IF;
    END IF;
    IF NOT is_theirs THEN
        RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER outbox_append_only ON outbox;
CREATE TRIGGER outbox_append_only BEFORE UPDATE OR DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_stays();

-- migrate:down
DROP TRIGGER outbox_append_only ON outbox;
CREATE TRIGGER outbox_append_only BEFORE UPDATE OR DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION outbox_stays();
CREATE OR REPLACE FUNCTION dead_letter_taken_once() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP FUNCTION is_erased(uuid);
ALTER TABLE dead_letter DROP COLUMN erased_for;
