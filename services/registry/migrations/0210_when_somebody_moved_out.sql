-- migrate:up

-- Readable, beside what is sealed of a move, so that a snapshot told again says the day too.
ALTER TABLE person ADD COLUMN moved_out_on date CHECK (moved_out_on IS NULL OR life = 'moved_out');

-- migrate:down
ALTER TABLE person DROP COLUMN moved_out_on;
