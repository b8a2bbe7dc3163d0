-- migrate:up

-- Registry found that this id is somebody else's who stays: they are reminded under the other one.
ALTER TABLE person ADD COLUMN merged boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE person DROP COLUMN merged;
