-- migrate:up

-- Registry erased this person: what was paid stays under the random id, everything else goes. `leaves_files`: files that name the person may
-- still hold their content.
ALTER TABLE person ADD COLUMN erased_at timestamptz, ADD COLUMN leaves_files boolean NOT NULL DEFAULT false;
CREATE INDEX person_erased ON person (beneficiary_id) WHERE erased_at IS NOT NULL;
CREATE INDEX person_leaves_files ON person (beneficiary_id) WHERE leaves_files;
ALTER TABLE person ALTER COLUMN payee DROP NOT NULL, ALTER COLUMN identity_digest DROP NOT NULL;
-- Guarantee: an erased person has no block, no digest and no account.
ALTER TABLE person ADD CONSTRAINT person_erased_has_nothing CHECK (
    CASE WHEN erased_at IS NULL THEN num_nulls(payee, identity_digest) = 0
         ELSE num_nonnulls(payee, delivery, bank_bin, identity_digest, account_digest, delivery_digest, account_source, paper_scope, paper_from,
                           paper_until) = 0 AND wish = 'none' AND NOT home_delivery
    END);

-- Guarantee: a snapshot never gives way to an older one, and who is erased stays so, whatever comes.
CREATE OR REPLACE FUNCTION person_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a snapshot never gives way to an older one, nor an erasure to a snapshot' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER person_only_forward ON person;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW
    WHEN ((NEW.epoch, NEW.n) < (OLD.epoch, OLD.n) OR (NEW.epoch, NEW.n) = (OLD.epoch, OLD.n) AND NEW.erased_at IS NULL
          OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS NULL)
    EXECUTE FUNCTION person_only_forward();

-- Guarantee: a frozen line is never changed or removed; of an erased person it loses the circumstances, and nothing else.
CREATE FUNCTION line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.circumstances IS NULL AND to_jsonb(NEW) - 'circumstances' = to_jsonb(OLD) - 'circumstances'
       AND is_erased(OLD.beneficiary_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER line_append_only ON line;
CREATE TRIGGER line_append_only BEFORE UPDATE OR DELETE ON line FOR EACH ROW EXECUTE FUNCTION line_stays();

-- A file whose content is taken out, and since when it is off the disk too. Its name, hash, count and sum stay.
ALTER TABLE file ADD COLUMN emptied_at timestamptz, ADD COLUMN removed_at timestamptz;
ALTER TABLE file ADD CONSTRAINT file_is_emptied_first CHECK (removed_at IS NULL OR emptied_at IS NOT NULL);
CREATE INDEX file_to_remove ON file (path) WHERE emptied_at IS NOT NULL AND removed_at IS NULL;

-- Whether files of ours that name somebody still hold anything: of their payrolls, or statements with a line about them.
CREATE FUNCTION stands_in_files(who uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM line l JOIN file f USING (period, payer) WHERE l.beneficiary_id = who AND f.emptied_at IS NULL)
        OR EXISTS (SELECT FROM instruction i JOIN statement_line s USING (end_to_end_id)
                    WHERE i.beneficiary_id = who
                      AND (s.account_ix IS NOT NULL OR EXISTS (SELECT FROM statement_part p WHERE p.file_id = s.file_id)))
$$;

-- Guarantee: what was sealed with its hash is what is written. It goes only with an erased person of its payroll, when its list has settled and
-- nothing is under way.
CREATE FUNCTION file_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM file f JOIN line l USING (period, payer) JOIN person p ON p.beneficiary_id = l.beneficiary_id AND p.erased_at IS NOT NULL
          LEFT JOIN batch b USING (batch_id)
         WHERE f.path = OLD.path AND f.emptied_at IS NOT NULL AND f.written_at IS NOT NULL AND coalesce(b.state = 'settled', true)
           AND NOT EXISTS (SELECT FROM delivery d WHERE d.path = f.path AND d.settled_at IS NULL)) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER file_part_append_only ON file_part;
CREATE TRIGGER file_part_append_only BEFORE UPDATE OR DELETE ON file_part FOR EACH ROW EXECUTE FUNCTION file_part_stays();

-- Guarantee: evidence is kept as it came. It goes only with an erased person whom one of its lines is about, when all its lines are booked.
CREATE FUNCTION statement_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM statement_file f JOIN statement_line s USING (file_id) JOIN instruction i USING (end_to_end_id)
          JOIN person p ON p.beneficiary_id = i.beneficiary_id AND p.erased_at IS NOT NULL
         WHERE f.file_id = OLD.file_id AND f.state = 'booked') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER statement_part_append_only ON statement_part;
CREATE TRIGGER statement_part_append_only BEFORE UPDATE OR DELETE ON statement_part FOR EACH ROW EXECUTE FUNCTION statement_part_stays();

-- Guarantee: what a line says never changes, and it gets its fate once; a line about an erased person loses the account's index.
CREATE OR REPLACE FUNCTION statement_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.account_ix IS NULL AND OLD.fate IS NOT NULL AND to_jsonb(NEW) - 'account_ix' = to_jsonb(OLD) - 'account_ix'
       AND EXISTS (SELECT FROM instruction i WHERE i.end_to_end_id = OLD.end_to_end_id AND is_erased(i.beneficiary_id)) THEN
        RETURN NEW;
    END IF;
    IF OLD.fate IS NOT NULL
       OR (NEW.file_id, NEW.line, NEW.kind, NEW.end_to_end_id, NEW.batch_id, NEW.vnd, NEW.booked_on, NEW.code, NEW.reason, NEW.bank_ref,
           NEW.account_ix, NEW.fault)
          IS DISTINCT FROM
          (OLD.file_id, OLD.line, OLD.kind, OLD.end_to_end_id, OLD.batch_id, OLD.vnd, OLD.booked_on, OLD.code, OLD.reason, OLD.bank_ref,
           OLD.account_ix, OLD.fault) THEN
        RAISE EXCEPTION 'a line of a statement never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION statement_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.fate IS NOT NULL
       OR (NEW.file_id, NEW.line, NEW.kind, NEW.end_to_end_id, NEW.batch_id, NEW.vnd, NEW.booked_on, NEW.code, NEW.reason, NEW.bank_ref,
           NEW.account_ix, NEW.fault)
          IS DISTINCT FROM
          (OLD.file_id, OLD.line, OLD.kind, OLD.end_to_end_id, OLD.batch_id, OLD.vnd, OLD.booked_on, OLD.code, OLD.reason, OLD.bank_ref,
           OLD.account_ix, OLD.fault) THEN
        RAISE EXCEPTION 'a line of a statement never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER statement_part_append_only ON statement_part;
CREATE TRIGGER statement_part_append_only BEFORE UPDATE OR DELETE ON statement_part FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION statement_part_stays();
DROP TRIGGER file_part_append_only ON file_part;
CREATE TRIGGER file_part_append_only BEFORE UPDATE OR DELETE ON file_part FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION file_part_stays();
DROP FUNCTION stands_in_files(uuid);
ALTER TABLE file DROP COLUMN removed_at, DROP COLUMN emptied_at;
DROP TRIGGER line_append_only ON line;
CREATE TRIGGER line_append_only BEFORE UPDATE OR DELETE ON line FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION line_stays();
DROP TRIGGER person_only_forward ON person;
CREATE OR REPLACE FUNCTION person_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.epoch, NEW.n) <= (OLD.epoch, OLD.n) THEN
        RAISE EXCEPTION 'a snapshot never gives way to an older one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW
    WHEN ((NEW.epoch, NEW.n) <= (OLD.epoch, OLD.n)) EXECUTE FUNCTION person_only_forward();
ALTER TABLE person DROP COLUMN leaves_files, DROP COLUMN erased_at;
