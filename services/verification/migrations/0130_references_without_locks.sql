-- migrate:up

-- The same guarantees for less work. A foreign key looks for each row alone and locks what it finds, and that writes the person's page
-- again for every result. A reference to a row that is never removed and keeps its key needs no lock, and all references of a statement
-- are looked for at once.

-- Guarantee: a person is never removed and keeps the id by which others refer to them.
CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what others refer to stays, under its name' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER person_stays BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION stays();
CREATE TRIGGER person_keeps_its_name BEFORE UPDATE ON person FOR EACH ROW
    WHEN (NEW.beneficiary_id <> OLD.beneficiary_id) EXECUTE FUNCTION stays();
CREATE TRIGGER person_never_emptied BEFORE TRUNCATE ON person EXECUTE FUNCTION stays();

-- Guarantee: a result is about a person we know.
ALTER TABLE verdict DROP CONSTRAINT verdict_beneficiary_id_fkey;
-- (Rows are looked up one by one through the key, whatever the size of the table was when a session first planned it.)
CREATE FUNCTION verdict_is_of_a_person() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM added a WHERE NOT EXISTS (SELECT FROM person p WHERE p.beneficiary_id = a.beneficiary_id)) THEN
        RAISE EXCEPTION 'a result is about a person' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER verdict_added AFTER INSERT ON verdict REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION verdict_is_of_a_person();

-- Guarantee as before; the function is called only to refuse.
DROP TRIGGER person_only_forward ON person;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW
    WHEN ((NEW.epoch, NEW.n) < (OLD.epoch, OLD.n) OR NEW.result_seq < OLD.result_seq) EXECUTE FUNCTION person_only_forward();

-- migrate:down
DROP TRIGGER person_only_forward ON person;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION person_only_forward();
DROP FUNCTION verdict_is_of_a_person() CASCADE;
ALTER TABLE verdict ADD FOREIGN KEY (beneficiary_id) REFERENCES person;
DROP FUNCTION stays() CASCADE;
