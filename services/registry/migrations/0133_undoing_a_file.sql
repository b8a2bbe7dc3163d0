-- migrate:up

-- A file that was undone names its undoing; nothing of its history goes.
ALTER TABLE list_import ADD COLUMN undone_by uuid REFERENCES list_import;
-- Guarantee: a file is undone once, and only a file is.
CREATE UNIQUE INDEX list_import_undone_by ON list_import (undone_by) WHERE undone_by IS NOT NULL;
ALTER TABLE list_import ADD CONSTRAINT list_import_undone_is_done
    CHECK (undone_by IS NULL OR (state = 'done' AND kind IN ('payroll', 'accounts')));

-- A row that only the undone file had brought ends with the file, which says nothing about the person.
ALTER TABLE list_row DROP CONSTRAINT list_row_end_reason_check;
ALTER TABLE list_row ADD CONSTRAINT list_row_end_reason_check
    CHECK (end_reason IN ('death', 'moved_out', 'no_longer_entitled', 'given_up', 'import_undone'));

-- What stood where a file changed something, as it was before the file: written in the transaction of the change. Sealed blocks stay sealed.
CREATE TABLE import_before (
    import_id uuid NOT NULL REFERENCES list_import,
    source    text NOT NULL,
    record    text NOT NULL,
    period    text NOT NULL,   -- empty: about the record alone
    row_then  jsonb,           -- null: there was no such row
    digest    text NOT NULL,   -- of the record's last statement then
    -- Guarantee: what a file found is kept as it found it first.
    PRIMARY KEY (import_id, source, record, period)
);
CREATE TABLE person_before (
    import_id      uuid  NOT NULL REFERENCES list_import,
    beneficiary_id uuid  NOT NULL REFERENCES person,
    person_then    jsonb NOT NULL,
    PRIMARY KEY (import_id, beneficiary_id),
    -- Guarantee: no name and no number stands here in the clear.
    CHECK (person_then ->> 'identity' LIKE 'v1.identity.%' AND person_then ->> 'payee' LIKE 'v1.payee.%')
);
CREATE TRIGGER import_before_append_only BEFORE UPDATE OR DELETE ON import_before FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER person_before_append_only BEFORE UPDATE OR DELETE ON person_before FOR EACH ROW EXECUTE FUNCTION append_only();

-- The statements of a file in the order of its rows.
CREATE INDEX source_event_import ON source_event (import_id, row_no) WHERE import_id IS NOT NULL;

-- migrate:down
DROP INDEX source_event_import;
DROP TABLE person_before, import_before;
DROP INDEX list_import_undone_by;
ALTER TABLE list_import DROP COLUMN undone_by;
