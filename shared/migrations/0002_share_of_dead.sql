-- migrate:up

-- The share of dead letters (shared/stopping.py), counted since a person last resumed the partition: records read, and the numbers of
-- the dead ones among the last 10,000 of them. At most a hundred and one numbers: by then the partition has stopped.
ALTER TABLE consumed
    ADD COLUMN read_since_resume bigint   NOT NULL DEFAULT 0 CHECK (read_since_resume >= 0),
    ADD COLUMN recent_dead       bigint[] NOT NULL DEFAULT '{}';

-- migrate:down
ALTER TABLE consumed DROP COLUMN recent_dead, DROP COLUMN read_since_resume;
