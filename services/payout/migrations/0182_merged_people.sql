-- migrate:up

-- Registry found that this id is somebody else's who stays: nothing is paid under it (held as `DUPLICATE`).
ALTER TABLE person ADD COLUMN merged boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE person DROP COLUMN merged;
