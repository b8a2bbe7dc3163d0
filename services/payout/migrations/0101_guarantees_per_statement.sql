-- migrate:up

-- The same guarantees as in 0100 for less work: what was asked of every row alone is asked once per statement. A reference to a row that
-- can never be removed or get another key needs no lock on it: to look once, when the reference is made, is enough.

-- Guarantee: frozen lines, lists and payments are never removed, not all at once either.
CREATE TRIGGER line_never_emptied BEFORE TRUNCATE ON line EXECUTE FUNCTION append_only();
CREATE TRIGGER batch_never_emptied BEFORE TRUNCATE ON batch EXECUTE FUNCTION append_only();
CREATE TRIGGER instruction_never_emptied BEFORE TRUNCATE ON instruction EXECUTE FUNCTION append_only();

-- What the closing digest is made of stands in the other columns: the digest proves exactly what is paid from.
ALTER TABLE line DROP COLUMN canonical;
DROP INDEX line_payroll;
CREATE INDEX line_payroll ON line (period, payer, beneficiary_id);

-- Half of each page stays free, and no index names the state: the next state of a payment is written beside the last one.
ALTER TABLE instruction SET (fillfactor = 50);
DROP INDEX instruction_batch_state;
ALTER TABLE instruction DROP CONSTRAINT instruction_batch_id_fkey;
ALTER TABLE instruction_line DROP CONSTRAINT instruction_line_instruction_id_fkey;
ALTER TABLE instruction_line DROP CONSTRAINT instruction_line_entitlement_id_fkey;
ALTER TABLE held DROP CONSTRAINT held_entitlement_id_fkey;
ALTER TABLE posting DROP CONSTRAINT posting_instruction_id_fkey;
-- Live ones are found by the index that keeps them apart.
DROP INDEX instruction_line_entitlement;
CREATE INDEX instruction_line_dead ON instruction_line (entitlement_id) WHERE NOT live;
DROP INDEX result_batch;

-- The functions below look rows up one by one through their keys, whatever the sizes of the tables were when a session first planned
-- them: PostgreSQL keeps that plan.

-- Guarantee: payments are added to a draft only, as created, through its provider; a list that somebody signed never grows.
CREATE OR REPLACE FUNCTION instruction_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM added WHERE state <> 'created' OR state_seq <> 1)
       OR EXISTS (SELECT FROM (SELECT DISTINCT batch_id, provider FROM added) a LEFT JOIN batch b USING (batch_id)
                   WHERE b.state IS DISTINCT FROM 'draft' OR b.provider <> a.provider
                      OR EXISTS (SELECT FROM approval p WHERE p.batch_id = a.batch_id AND p.step <> 'make')) THEN
        RAISE EXCEPTION 'a payment is added to a draft only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- Guarantee: a payment is worth exactly its lines, and its lines are added with it.
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT instruction_id FROM added) a LEFT JOIN instruction i USING (instruction_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
                WHERE i.vnd IS DISTINCT FROM lines.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- Guarantee: what is held now and what is in live payments never exceed together what the line declares, and the line exists.
CREATE OR REPLACE FUNCTION line_covered_once() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT entitlement_id FROM added) a
          LEFT JOIN line l USING (entitlement_id)
          CROSS JOIN LATERAL (SELECT coalesce(sum(vnd), 0) AS vnd FROM instruction_line il
                               WHERE il.entitlement_id = a.entitlement_id AND il.live) live
          CROSS JOIN LATERAL (SELECT coalesce(sum(vnd), 0) AS vnd FROM held h
                               WHERE h.entitlement_id = a.entitlement_id AND h.until IS NULL) kept
         WHERE l.declared_vnd IS NULL OR live.vnd + kept.vnd > l.declared_vnd) THEN
        RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- Guarantee: every posting is about a payment.
CREATE FUNCTION posting_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM added a WHERE NOT EXISTS (SELECT FROM instruction i WHERE i.instruction_id = a.instruction_id)) THEN
        RAISE EXCEPTION 'a posting is about a payment' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_added AFTER INSERT ON posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION posting_added();

-- Guarantee: a payment moves only along instruction_move, one state_seq a move; what it pays, to whom and through whom never changes;
-- it is withdrawn only by a list that two people signed. Sealing and sending are two moves of one statement: they leave together.
-- (Without nested loops: the plan is kept from a first call that may have seen one row.)
CREATE OR REPLACE FUNCTION instruction_guard() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM after a LEFT JOIN before b USING (instruction_id)
         WHERE (a.batch_id, a.beneficiary_id, a.part, a.attempt, a.provider, a.channel, a.area, a.vnd, a.end_to_end_id, a.account_digest)
               IS DISTINCT FROM
               (b.batch_id, b.beneficiary_id, b.part, b.attempt, b.provider, b.channel, b.area, b.vnd, b.end_to_end_id, b.account_digest)) THEN
        RAISE EXCEPTION 'a payment never changes' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT b.state AS from_state, a.state AS to_state, a.state_seq - b.state_seq AS moves
                       FROM after a JOIN before b USING (instruction_id)) moved
         WHERE NOT (moves = 1 AND (from_state, to_state) IN (SELECT m.from_state, m.to_state FROM instruction_move m))
           AND NOT (moves = 2 AND from_state = 'created' AND to_state = 'sending'
                    AND ('created', 'sealed') IN (SELECT m.from_state, m.to_state FROM instruction_move m)
                    AND ('sealed', 'sending') IN (SELECT m.from_state, m.to_state FROM instruction_move m))) THEN
        RAISE EXCEPTION 'a payment does not move like this' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM after WHERE state = 'withdrawn') AND EXISTS (
        SELECT instruction_id FROM after WHERE state = 'withdrawn'
        EXCEPT SELECT w.instruction_id FROM withdrawal w JOIN withdrawal_list l USING (list_sha256) WHERE l.confirmed_by IS NOT NULL) THEN
        RAISE EXCEPTION 'two people must sign a withdrawal' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER instruction_guard ON instruction;
CREATE TRIGGER instruction_guard AFTER UPDATE ON instruction REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION instruction_guard();

-- The content of a file, in sealed parts of which none is large: a file of a hundred thousand payments is never in memory whole.
-- Sealed text does not shrink: PostgreSQL need not try.
CREATE TABLE file_part (
    path    text    NOT NULL REFERENCES file,
    part    integer NOT NULL CHECK (part >= 0),
    sealed  text    NOT NULL,
    PRIMARY KEY (path, part)
);
ALTER TABLE file_part ALTER COLUMN sealed SET STORAGE EXTERNAL;
-- Guarantee: what was sealed with its hash is what is written.
CREATE TRIGGER file_part_append_only BEFORE UPDATE OR DELETE ON file_part FOR EACH ROW EXECUTE FUNCTION append_only();
DO $$
BEGIN
    IF EXISTS (SELECT FROM file WHERE written_at IS NULL) THEN
        RAISE EXCEPTION 'files wait to be written: let the service write them first';
    END IF;
END $$;
ALTER TABLE file DROP COLUMN sealed;

-- migrate:down
ALTER TABLE file ADD COLUMN sealed text NOT NULL DEFAULT '';
ALTER TABLE file ALTER COLUMN sealed DROP DEFAULT;
DROP TABLE file_part;
DROP TRIGGER instruction_guard ON instruction;
CREATE OR REPLACE FUNCTION instruction_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.instruction_id, NEW.batch_id, NEW.beneficiary_id, NEW.part, NEW.attempt, NEW.provider, NEW.channel, NEW.area, NEW.vnd,
        NEW.end_to_end_id, NEW.account_digest)
       IS DISTINCT FROM (OLD.instruction_id, OLD.batch_id, OLD.beneficiary_id, OLD.part, OLD.attempt, OLD.provider, OLD.channel, OLD.area,
        OLD.vnd, OLD.end_to_end_id, OLD.account_digest) THEN
        RAISE EXCEPTION 'a payment never changes' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state_seq <> OLD.state_seq + 1
       OR NOT EXISTS (SELECT FROM instruction_move m WHERE m.from_state = OLD.state AND m.to_state = NEW.state) THEN
        RAISE EXCEPTION 'a payment does not move like this' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'withdrawn' AND NOT EXISTS (
        SELECT FROM withdrawal JOIN withdrawal_list USING (list_sha256)
         WHERE instruction_id = NEW.instruction_id AND confirmed_by IS NOT NULL) THEN
        RAISE EXCEPTION 'two people must sign a withdrawal' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER instruction_guard BEFORE UPDATE ON instruction FOR EACH ROW EXECUTE FUNCTION instruction_guard();
DROP TRIGGER posting_added ON posting;
DROP FUNCTION posting_added();
CREATE OR REPLACE FUNCTION line_covered_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT entitlement_id FROM added) a
          JOIN line l USING (entitlement_id)
          LEFT JOIN LATERAL (SELECT coalesce(sum(vnd), 0) AS vnd FROM instruction_line il
                              WHERE il.entitlement_id = a.entitlement_id AND il.live) live ON true
          LEFT JOIN LATERAL (SELECT coalesce(sum(vnd), 0) AS vnd FROM held h
                              WHERE h.entitlement_id = a.entitlement_id AND h.until IS NULL) kept ON true
         WHERE live.vnd + kept.vnd > l.declared_vnd) THEN
        RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM instruction_line il JOIN instruction i USING (instruction_id)
                WHERE il.instruction_id IN (SELECT instruction_id FROM added)
                GROUP BY i.instruction_id, i.vnd, i.state HAVING sum(il.vnd) <> i.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION instruction_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added a JOIN batch b USING (batch_id)
                WHERE b.state <> 'draft' OR b.provider <> a.provider OR a.state <> 'created' OR a.state_seq <> 1
                   OR EXISTS (SELECT FROM approval p WHERE p.batch_id = b.batch_id AND p.step <> 'make')) THEN
        RAISE EXCEPTION 'a payment is added to a draft only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE INDEX result_batch ON result (batch_id);
DROP INDEX instruction_line_dead;
CREATE INDEX instruction_line_entitlement ON instruction_line (entitlement_id);
ALTER TABLE posting ADD FOREIGN KEY (instruction_id) REFERENCES instruction;
ALTER TABLE held ADD FOREIGN KEY (entitlement_id) REFERENCES line;
ALTER TABLE instruction_line ADD FOREIGN KEY (instruction_id) REFERENCES instruction, ADD FOREIGN KEY (entitlement_id) REFERENCES line;
ALTER TABLE instruction ADD FOREIGN KEY (batch_id) REFERENCES batch;
ALTER TABLE instruction RESET (fillfactor);
CREATE INDEX instruction_batch_state ON instruction (batch_id, state);
DROP INDEX line_payroll;
CREATE INDEX line_payroll ON line (period, payer);
ALTER TABLE line ADD COLUMN canonical text;
ALTER TABLE line DISABLE TRIGGER line_append_only;
UPDATE line SET canonical = concat_ws('|', entitlement_id, beneficiary_id, period, payer, declared_vnd);
ALTER TABLE line ENABLE TRIGGER line_append_only;
ALTER TABLE line ALTER COLUMN canonical SET NOT NULL;
DROP TRIGGER instruction_never_emptied ON instruction;
DROP TRIGGER batch_never_emptied ON batch;
DROP TRIGGER line_never_emptied ON line;
