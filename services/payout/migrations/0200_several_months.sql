-- migrate:up

-- One payroll over several months. A payroll is named by the month it pays in; further closed months of its payer may join it before anything
-- of either was built. Lines, closings, budgets, postings and finishing keep their own month; lists, signatures, withdrawals, files and
-- answers are the payroll's: docs/decisions/0025-several-months.md.
CREATE TABLE payroll_join (
    period     text        NOT NULL,          -- the payroll
    payer      text        NOT NULL,
    joined     text        NOT NULL,          -- a month that is paid with it
    joined_by  text        NOT NULL,
    joined_at  timestamptz NOT NULL,
    token      text        NOT NULL,
    -- Guarantee: a month joins one payroll of its payer at most.
    PRIMARY KEY (payer, joined),
    -- Guarantee: only closed lists are paid together, all of one payer.
    CONSTRAINT payroll_join_to_closed FOREIGN KEY (period, payer) REFERENCES payroll (period, payer),
    CONSTRAINT payroll_join_of_closed FOREIGN KEY (joined, payer) REFERENCES payroll (period, payer),
    CONSTRAINT payroll_joins_another CHECK (period <> joined)
);
CREATE INDEX payroll_join_payroll ON payroll_join (payer, period);
CREATE TRIGGER payroll_join_append_only BEFORE UPDATE OR DELETE ON payroll_join FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER payroll_join_never_emptied BEFORE TRUNCATE ON payroll_join EXECUTE FUNCTION append_only();

-- Guarantee: a month names a payroll or joins one, never both, and joins before anything of either was built. Both rows are locked first: a
-- build, and another join of the same months, wait here and then see this one.
CREATE FUNCTION payroll_joins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM payroll p WHERE p.payer = NEW.payer AND p.period IN (NEW.period, NEW.joined) ORDER BY p.period FOR UPDATE;
    IF EXISTS (SELECT FROM payroll_join j WHERE j.payer = NEW.payer AND (j.joined = NEW.period OR j.period = NEW.joined)) THEN
        RAISE EXCEPTION 'a month names a payroll or joins one' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM payroll p WHERE p.payer = NEW.payer AND p.period IN (NEW.period, NEW.joined) AND p.rounds > 0)
       OR EXISTS (SELECT FROM batch b WHERE b.payer = NEW.payer AND b.period IN (NEW.period, NEW.joined))
       OR EXISTS (SELECT FROM payroll_closed c WHERE c.payer = NEW.payer AND c.period IN (NEW.period, NEW.joined)) THEN
        RAISE EXCEPTION 'months join before anything of them is built' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payroll_joins BEFORE INSERT ON payroll_join FOR EACH ROW EXECUTE FUNCTION payroll_joins();

-- Guarantee: of a month that joined a payroll no list is made by itself. (The lock is the one a join waits for.)
CREATE FUNCTION batch_of_joined() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM payroll p WHERE p.period = NEW.period AND p.payer = NEW.payer FOR KEY SHARE;
    IF EXISTS (SELECT FROM payroll_join j WHERE j.payer = NEW.payer AND j.joined = NEW.period) THEN
        RAISE EXCEPTION 'a month that joined a payroll is not built by itself' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_of_joined BEFORE INSERT ON batch FOR EACH ROW EXECUTE FUNCTION batch_of_joined();

-- Which months a payment pays, in order, where its payroll is of several; null: the month of its list.
ALTER TABLE instruction ADD COLUMN periods text[];

-- Guarantee: a payment is worth exactly its lines, and its lines are added with it. What is held now and what is in live payments never exceed
-- together what the line declares, and the line exists. (0171) It is of the months of its lines, and those are months of its payroll.
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM added a
          LEFT JOIN instruction i USING (instruction_id)
          LEFT JOIN line l USING (entitlement_id)
          LEFT JOIN batch b ON b.batch_id = i.batch_id
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
          LEFT JOIN held h ON h.entitlement_id = a.entitlement_id AND h.until IS NULL
         WHERE (i.vnd = lines.vnd AND i.state = 'created' AND coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd
                AND l.payer = b.payer
                AND CASE WHEN i.periods IS NULL THEN l.period = b.period
                         ELSE (l.period = b.period OR EXISTS (SELECT FROM payroll_join j WHERE j.payer = b.payer AND j.period = b.period
                                                                 AND j.joined = l.period))
                              AND i.periods = (SELECT array_agg(DISTINCT o.period ORDER BY o.period)
                                                 FROM instruction_line ol JOIN line o ON o.entitlement_id = ol.entitlement_id
                                                WHERE ol.instruction_id = i.instruction_id) END) IS NOT TRUE) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM (SELECT DISTINCT instruction_id FROM added) a LEFT JOIN instruction i USING (instruction_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
                WHERE i.vnd IS DISTINCT FROM lines.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM added a LEFT JOIN line l USING (entitlement_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
                LEFT JOIN held h ON h.entitlement_id = a.entitlement_id AND h.until IS NULL
                WHERE (coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd) IS NOT TRUE) THEN
        RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'a payment pays months of its payroll' USING ERRCODE = 'check_violation';
END $$;

-- Guarantee: a payment moves only along instruction_move, one state_seq a move; what it pays, for which months, to whom and through whom never
-- changes; it is withdrawn only by a list that two people signed. Sealing and sending are two moves of one statement: they leave together.
-- (Without nested loops: the plan is kept from a first call that may have seen one row.)
CREATE OR REPLACE FUNCTION instruction_guard() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM after a LEFT JOIN before b USING (instruction_id)
         WHERE (a.batch_id, a.beneficiary_id, a.part, a.attempt, a.provider, a.channel, a.area, a.vnd, a.end_to_end_id, a.account_digest, a.periods)
               IS DISTINCT FROM
               (b.batch_id, b.beneficiary_id, b.part, b.attempt, b.provider, b.channel, b.area, b.vnd, b.end_to_end_id, b.account_digest,
                b.periods)) THEN
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

-- Guarantee: a month is finished only when every list of its payroll has settled and each of its lines is exactly paid, carried or held.
CREATE OR REPLACE FUNCTION payroll_closes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM batch b WHERE b.payer = NEW.payer AND b.state <> 'settled'
                  AND b.period IN (NEW.period, (SELECT j.period FROM payroll_join j WHERE j.payer = NEW.payer AND j.joined = NEW.period)))
       OR EXISTS (
        SELECT FROM line l
          CROSS JOIN LATERAL (SELECT coalesce(sum(il.vnd), 0) AS vnd FROM instruction_line il JOIN instruction i USING (instruction_id)
                               WHERE il.entitlement_id = l.entitlement_id AND il.live AND i.state IN ('paid', 'collected')) paid
          CROSS JOIN LATERAL (SELECT sum(h.vnd) AS vnd FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL) kept
          LEFT JOIN carried c ON c.entitlement_id = l.entitlement_id
         WHERE l.period = NEW.period AND l.payer = NEW.payer
           AND (paid.vnd + coalesce(kept.vnd, 0) + coalesce(c.vnd, 0) <> l.declared_vnd
                OR (l.declared_vnd = 0 AND kept.vnd IS NULL))) THEN
        RAISE EXCEPTION 'a payroll closes when every line is paid, carried or held' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Guarantee: the months of a payroll are finished together.
CREATE FUNCTION months_close_together() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added a JOIN payroll_join j ON j.payer = a.payer AND a.period IN (j.period, j.joined)
                WHERE (SELECT count(*) FROM payroll_closed c WHERE c.payer = j.payer AND c.period IN (j.period, j.joined)) < 2) THEN
        RAISE EXCEPTION 'the months of a payroll are finished together' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER months_close_together AFTER INSERT ON payroll_closed REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION months_close_together();

-- Files of a payroll hold people of all its months (0190).
CREATE OR REPLACE FUNCTION stands_in_files(who uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM line l LEFT JOIN payroll_join j ON j.payer = l.payer AND j.joined = l.period
                      JOIN file f ON f.payer = l.payer AND f.period = coalesce(j.period, l.period)
                    WHERE l.beneficiary_id = who AND f.emptied_at IS NULL)
        OR EXISTS (SELECT FROM instruction i JOIN statement_line s USING (end_to_end_id)
                    WHERE i.beneficiary_id = who
                      AND (s.account_ix IS NOT NULL OR EXISTS (SELECT FROM statement_part p WHERE p.file_id = s.file_id)))
$$;
CREATE OR REPLACE FUNCTION file_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM file f
          CROSS JOIN LATERAL (SELECT f.period UNION ALL SELECT j.joined FROM payroll_join j WHERE j.payer = f.payer AND j.period = f.period) month (period)
          JOIN line l ON l.payer = f.payer AND l.period = month.period
          JOIN person p ON p.beneficiary_id = l.beneficiary_id AND p.erased_at IS NOT NULL
          LEFT JOIN batch b ON b.batch_id = f.batch_id
         WHERE f.path = OLD.path AND f.emptied_at IS NOT NULL AND f.written_at IS NOT NULL AND coalesce(b.state = 'settled', true)
           AND NOT EXISTS (SELECT FROM delivery d WHERE d.path = f.path AND d.settled_at IS NULL)) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;

-- migrate:down
DO $$
BEGIN
    IF EXISTS (SELECT FROM payroll_join) THEN
        RAISE EXCEPTION 'months are paid together: what was before cannot say so';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION stands_in_files(who uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM line l JOIN file f USING (period, payer) WHERE l.beneficiary_id = who AND f.emptied_at IS NULL)
        OR EXISTS (SELECT FROM instruction i JOIN statement_line s USING (end_to_end_id)
                    WHERE i.beneficiary_id = who
                      AND (s.account_ix IS NOT NULL OR EXISTS (SELECT FROM statement_part p WHERE p.file_id = s.file_id)))
$$;
CREATE OR REPLACE FUNCTION file_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP TRIGGER months_close_together ON payroll_closed;
DROP FUNCTION months_close_together();
CREATE OR REPLACE FUNCTION payroll_closes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM batch b WHERE b.period = NEW.period AND b.payer = NEW.payer AND b.state <> 'settled')
       OR EXISTS (
        SELECT FROM line l
          CROSS JOIN LATERAL (SELECT coalesce(sum(il.vnd), 0) AS vnd FROM instruction_line il JOIN instruction i USING (instruction_id)
                               WHERE il.entitlement_id = l.entitlement_id AND il.live AND i.state IN ('paid', 'collected')) paid
          CROSS JOIN LATERAL (SELECT sum(h.vnd) AS vnd FROM held h WHERE h.entitlement_id = l.entitlement_id AND h.until IS NULL) kept
          LEFT JOIN carried c ON c.entitlement_id = l.entitlement_id
         WHERE l.period = NEW.period AND l.payer = NEW.payer
           AND (paid.vnd + coalesce(kept.vnd, 0) + coalesce(c.vnd, 0) <> l.declared_vnd
                OR (l.declared_vnd = 0 AND kept.vnd IS NULL))) THEN
        RAISE EXCEPTION 'a payroll closes when every line is paid, carried or held' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
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
CREATE OR REPLACE FUNCTION instruction_line_added() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM added a
          LEFT JOIN instruction i USING (instruction_id)
          LEFT JOIN line l USING (entitlement_id)
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
          CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.entitlement_id = a.entitlement_id AND il.live) live
          LEFT JOIN held h ON h.entitlement_id = a.entitlement_id AND h.until IS NULL
         WHERE (i.vnd = lines.vnd AND i.state = 'created' AND coalesce(live.vnd, 0) + coalesce(h.vnd, 0) <= l.declared_vnd) IS NOT TRUE) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM (SELECT DISTINCT instruction_id FROM added) a LEFT JOIN instruction i USING (instruction_id)
                CROSS JOIN LATERAL (SELECT sum(il.vnd) AS vnd FROM instruction_line il WHERE il.instruction_id = a.instruction_id) lines
                WHERE i.vnd IS DISTINCT FROM lines.vnd OR i.state <> 'created') THEN
        RAISE EXCEPTION 'a payment is worth its lines' USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'a line is paid or held, never both' USING ERRCODE = 'check_violation';
END $$;
ALTER TABLE instruction DROP COLUMN periods;
DROP TRIGGER batch_of_joined ON batch;
DROP FUNCTION batch_of_joined();
DROP TABLE payroll_join;
DROP FUNCTION payroll_joins();
