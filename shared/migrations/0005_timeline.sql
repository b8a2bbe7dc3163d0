-- migrate:up

-- Which life of this database this is (shared/restoring.py). `epoch` rises when the database is found older than its own topics; from
-- then on nothing is published until two people have signed. One row.
CREATE TABLE timeline (
    one            boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch          integer NOT NULL CHECK (epoch >= 1),
    locked_at      timestamptz,
    locked_reason  text    CHECK (locked_reason IN ('DATABASE_RESTORED', 'OTHER_CLUSTER')),
    proposed_by    text,
    proposed_token text,
    proposed_at    timestamptz,
    CHECK (num_nulls(locked_at, locked_reason) IN (0, 2)),
    CHECK (num_nulls(proposed_by, proposed_token, proposed_at) IN (0, 3)),
    CHECK (locked_at IS NOT NULL OR proposed_at IS NULL)
);
INSERT INTO timeline (epoch) VALUES (1);

-- Who let it publish again, with the tokens that are their signatures of the same statement.
CREATE TABLE timeline_unlock (
    epoch           integer     PRIMARY KEY,
    locked_at       timestamptz NOT NULL,
    locked_reason   text        NOT NULL,
    sha256          text        NOT NULL,
    proposed_by     text        NOT NULL,
    proposed_token  text        NOT NULL,
    proposed_at     timestamptz NOT NULL,
    confirmed_by    text        NOT NULL,
    confirmed_token text        NOT NULL,
    confirmed_at    timestamptz NOT NULL,
    -- Guarantee: nobody lets a restored database publish alone.
    CHECK (proposed_by <> confirmed_by)
);
CREATE TRIGGER timeline_unlock_append_only BEFORE UPDATE OR DELETE ON timeline_unlock FOR EACH ROW EXECUTE FUNCTION append_only();

-- Guarantee: an epoch never falls, and a lock is lifted only by two signatures.
CREATE FUNCTION timeline_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.epoch < OLD.epoch THEN
        RAISE EXCEPTION 'an epoch never falls' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.locked_at IS NOT NULL AND NEW.locked_at IS DISTINCT FROM OLD.locked_at
       AND NOT EXISTS (SELECT FROM timeline_unlock u WHERE u.epoch = OLD.epoch AND u.locked_at = OLD.locked_at) THEN
        RAISE EXCEPTION 'two people must sign before publishing goes on' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER timeline_guard BEFORE UPDATE OR DELETE ON timeline FOR EACH ROW EXECUTE FUNCTION timeline_guard();

-- migrate:down
DROP TABLE timeline_unlock;
DROP TABLE timeline;
DROP FUNCTION timeline_guard();
