-- migrate:up

-- A file is taken in parts, each a transaction of its own; one that was interrupted is `running` until the same file comes again and
-- finishes it, or another file for the same list takes its place (`left`).
ALTER TABLE list_import ADD COLUMN state text NOT NULL DEFAULT 'done' CHECK (state IN ('running', 'done', 'left'));
ALTER TABLE list_import ALTER COLUMN state SET DEFAULT 'running';
-- Guarantee: a file that is done has told what became of every row.
ALTER TABLE list_import ADD CHECK ((state = 'done') = (row_count IS NOT NULL));
-- Guarantee: one file is taken by one import at a time.
CREATE UNIQUE INDEX list_import_running ON list_import (kind, source, payer, COALESCE(period, ''), sha256) WHERE state = 'running';

-- What became of the rows up to `upto_row` of a file, since the part before; written in the transaction that took them. Rows, columns
-- and rules, nothing personal.
CREATE TABLE import_part (
    import_id uuid    NOT NULL REFERENCES list_import,
    part_no   integer NOT NULL CHECK (part_no >= 0),
    upto_row  integer NOT NULL,
    told      jsonb   NOT NULL,
    -- Guarantee: a part of a file is taken once.
    PRIMARY KEY (import_id, part_no)
);

-- migrate:down
DROP TABLE import_part;
DROP INDEX list_import_running;
ALTER TABLE list_import DROP COLUMN state;
