-- migrate:up

-- The same guarantees for less work. A foreign key looks for each row alone and locks what it finds, and that writes the person's page
-- again for every record, row and line. A reference to a row that is never removed and keeps its key needs no lock, and all references of
-- a statement are looked for at once.

-- Guarantee: a person, a list, a row of it and a file are never removed and keep the names by which others refer to them.
CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what others refer to stays, under its name' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER person_stays BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER person_keeps_its_name BEFORE UPDATE ON person FOR EACH ROW
    WHEN (NEW.beneficiary_id <> OLD.beneficiary_id) EXECUTE FUNCTION stays();
CREATE TRIGGER person_never_emptied BEFORE TRUNCATE ON person EXECUTE FUNCTION stays();
CREATE TRIGGER list_row_stays BEFORE DELETE ON list_row FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER list_row_keeps_its_name BEFORE UPDATE ON list_row FOR EACH ROW
    WHEN ((NEW.source, NEW.record, NEW.period) <> (OLD.source, OLD.record, OLD.period)) EXECUTE FUNCTION stays();
CREATE TRIGGER list_row_never_emptied BEFORE TRUNCATE ON list_row EXECUTE FUNCTION stays();
CREATE TRIGGER payroll_list_stays BEFORE DELETE ON payroll_list FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER payroll_list_keeps_its_name BEFORE UPDATE ON payroll_list FOR EACH ROW
    WHEN ((NEW.period, NEW.payer) <> (OLD.period, OLD.payer)) EXECUTE FUNCTION stays();
CREATE TRIGGER payroll_list_never_emptied BEFORE TRUNCATE ON payroll_list EXECUTE FUNCTION stays();
CREATE TRIGGER list_import_stays BEFORE DELETE ON list_import FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER list_import_keeps_its_name BEFORE UPDATE ON list_import FOR EACH ROW
    WHEN (NEW.import_id <> OLD.import_id) EXECUTE FUNCTION stays();
CREATE TRIGGER list_import_never_emptied BEFORE TRUNCATE ON list_import EXECUTE FUNCTION stays();

ALTER TABLE source_record DROP CONSTRAINT source_record_beneficiary_id_fkey;
ALTER TABLE list_row DROP CONSTRAINT list_row_beneficiary_id_fkey, DROP CONSTRAINT list_row_import_id_fkey;
ALTER TABLE source_event DROP CONSTRAINT source_event_import_id_fkey;
ALTER TABLE entitlement_line DROP CONSTRAINT entitlement_line_beneficiary_id_fkey, DROP CONSTRAINT entitlement_line_period_payer_fkey,
    DROP CONSTRAINT entitlement_line_source_record_period_fkey;

-- The functions look rows up one by one through their keys, whatever the sizes of the tables were when a session first planned them.

-- Guarantee: whose record or row something is, is a person we know.
CREATE FUNCTION is_of_a_person() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM written w WHERE NOT EXISTS (SELECT FROM person p WHERE p.beneficiary_id = w.beneficiary_id)) THEN
        RAISE EXCEPTION 'a record is the record of a person' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER source_record_added AFTER INSERT ON source_record REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION is_of_a_person();
CREATE TRIGGER source_record_changed AFTER UPDATE ON source_record REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION is_of_a_person();
CREATE TRIGGER list_row_added AFTER INSERT ON list_row REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION is_of_a_person();
CREATE TRIGGER list_row_changed AFTER UPDATE ON list_row REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION is_of_a_person();

-- Guarantee: what came by a file names a file that is kept.
CREATE FUNCTION is_of_a_file() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT import_id FROM written WHERE import_id IS NOT NULL) w
                WHERE NOT EXISTS (SELECT FROM list_import i WHERE i.import_id = w.import_id)) THEN
        RAISE EXCEPTION 'a row of a file is of a file that is kept' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER list_row_of_file_added AFTER INSERT ON list_row REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION is_of_a_file();
CREATE TRIGGER list_row_of_file_changed AFTER UPDATE ON list_row REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION is_of_a_file();
CREATE TRIGGER source_event_of_file AFTER INSERT ON source_event REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION is_of_a_file();

-- Guarantee: a frozen line is a row of a list that is known, and is for the person whose row it is. (One row is frozen once: the unique
-- constraint.)
CREATE FUNCTION line_is_of_a_row() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM written w
                WHERE NOT EXISTS (SELECT FROM list_row r WHERE r.source = w.source AND r.record = w.record AND r.period = w.period
                                     AND r.beneficiary_id = w.beneficiary_id))
       OR EXISTS (SELECT FROM (SELECT DISTINCT period, payer FROM written) w
                   WHERE NOT EXISTS (SELECT FROM payroll_list l WHERE l.period = w.period AND l.payer = w.payer)) THEN
        RAISE EXCEPTION 'a frozen line is a row of a list' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entitlement_line_added AFTER INSERT ON entitlement_line REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION line_is_of_a_row();

-- Guarantees as before; the function is called only to refuse.
DROP TRIGGER version_only_rises ON person;
CREATE TRIGGER version_only_rises BEFORE UPDATE ON person FOR EACH ROW
    WHEN ((NEW.epoch, NEW.n) < (OLD.epoch, OLD.n)) EXECUTE FUNCTION version_only_rises();
DROP TRIGGER sequence_only_rises ON source_record;
CREATE TRIGGER sequence_only_rises BEFORE UPDATE ON source_record FOR EACH ROW
    WHEN (NEW.sequence < OLD.sequence) EXECUTE FUNCTION sequence_only_rises();

-- migrate:down
DROP TRIGGER sequence_only_rises ON source_record;
CREATE TRIGGER sequence_only_rises BEFORE UPDATE ON source_record FOR EACH ROW EXECUTE FUNCTION sequence_only_rises();
DROP TRIGGER version_only_rises ON person;
CREATE TRIGGER version_only_rises BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION version_only_rises();
DROP FUNCTION line_is_of_a_row() CASCADE;
DROP FUNCTION is_of_a_file() CASCADE;
DROP FUNCTION is_of_a_person() CASCADE;
ALTER TABLE entitlement_line ADD FOREIGN KEY (beneficiary_id) REFERENCES person, ADD FOREIGN KEY (period, payer) REFERENCES payroll_list,
    ADD FOREIGN KEY (source, record, period) REFERENCES list_row;
ALTER TABLE source_event ADD FOREIGN KEY (import_id) REFERENCES list_import;
ALTER TABLE list_row ADD FOREIGN KEY (beneficiary_id) REFERENCES person, ADD FOREIGN KEY (import_id) REFERENCES list_import;
ALTER TABLE source_record ADD FOREIGN KEY (beneficiary_id) REFERENCES person;
DROP FUNCTION stays() CASCADE;
