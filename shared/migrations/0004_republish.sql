-- migrate:up

-- How far a topic's present state has been told again (shared/republishing.py). One telling at a time; the last one stays to be seen.
CREATE TABLE republish (
    topic     text        PRIMARY KEY,
    after     text        NOT NULL,       -- place of the last message told
    messages  bigint      NOT NULL CHECK (messages >= 0),
    begun_by  text        NOT NULL,
    begun_at  timestamptz NOT NULL,
    done_at   timestamptz
);

-- migrate:down
DROP TABLE republish;
