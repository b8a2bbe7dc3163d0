-- migrate:up

-- A file that says of itself that it is the whole list of its source: what stood there before and does not any more is shown to a person.
ALTER TABLE list_import ADD COLUMN is_full boolean NOT NULL DEFAULT false;
-- A person's decisions and an undoing are kept like files: one ordinal for all their statements, counts, who and when.
ALTER TABLE list_import DROP CONSTRAINT list_import_kind_check, DROP CONSTRAINT list_import_check1;
ALTER TABLE list_import ADD CONSTRAINT list_import_kind_check CHECK (kind IN ('payroll', 'accounts', 'ends', 'undo'));
ALTER TABLE list_import ADD CONSTRAINT list_import_period_of_kind
    CHECK (CASE kind WHEN 'payroll' THEN period IS NOT NULL WHEN 'ends' THEN period IS NOT NULL WHEN 'accounts' THEN period IS NULL ELSE true END);

-- What a person decided about a record that is gone from the full list of a period. Nothing ends by absence alone.
CREATE TABLE gone_decision (
    source    text NOT NULL,
    record    text NOT NULL,
    period    text NOT NULL CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    payer     text NOT NULL,
    choice    text NOT NULL CHECK (choice IN ('end', 'keep')),
    reason    text CHECK (reason IN ('death', 'moved_out', 'no_longer_entitled', 'given_up')),
    ended_on  date,
    import_id uuid NOT NULL REFERENCES list_import,
    actor     text NOT NULL,
    at        timestamptz NOT NULL,
    -- Guarantee: one record is decided once for a period.
    PRIMARY KEY (source, record, period),
    -- Guarantee: who ends says why and since when.
    CHECK ((choice = 'end') = (reason IS NOT NULL AND ended_on IS NOT NULL)),
    CHECK ((reason IS NULL) = (ended_on IS NULL))
);
CREATE TRIGGER gone_decision_append_only BEFORE UPDATE OR DELETE ON gone_decision FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE gone_decision;
ALTER TABLE list_import DROP COLUMN is_full;
