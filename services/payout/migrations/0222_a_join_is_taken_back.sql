-- migrate:up

-- Joins that were taken back, by whom: what payroll_join said, and its end.
CREATE TABLE payroll_join_ended (
    period     text        NOT NULL,
    payer      text        NOT NULL,
    joined     text        NOT NULL,
    joined_by  text        NOT NULL,
    joined_at  timestamptz NOT NULL,
    ended_by   text        NOT NULL,
    ended_at   timestamptz NOT NULL,
    token      text        NOT NULL
);
CREATE INDEX payroll_join_ended_months ON payroll_join_ended (payer, joined);
CREATE TRIGGER payroll_join_ended_append_only BEFORE UPDATE OR DELETE ON payroll_join_ended FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER payroll_join_ended_never_emptied BEFORE TRUNCATE ON payroll_join_ended EXECUTE FUNCTION append_only();

-- Guarantee: a join ends only before anything was built of its months, and who ended it is kept. Both payrolls are locked first, as by the join:
-- a build waits here and then finds the months apart, or is seen.
CREATE FUNCTION payroll_join_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM payroll p WHERE p.payer = OLD.payer AND p.period IN (OLD.period, OLD.joined) ORDER BY p.period FOR UPDATE;
    IF EXISTS (SELECT FROM payroll p WHERE p.payer = OLD.payer AND p.period IN (OLD.period, OLD.joined) AND p.rounds > 0)
       OR EXISTS (SELECT FROM batch b WHERE b.payer = OLD.payer AND b.period IN (OLD.period, OLD.joined))
       OR EXISTS (SELECT FROM line l JOIN held h USING (entitlement_id)
                   WHERE l.payer = OLD.payer AND l.period IN (OLD.period, OLD.joined) AND h.since >= OLD.joined_at) THEN
        RAISE EXCEPTION 'months part before anything of them is built' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM payroll_join_ended e WHERE (e.period, e.payer, e.joined, e.joined_by, e.joined_at)
                                                         = (OLD.period, OLD.payer, OLD.joined, OLD.joined_by, OLD.joined_at)) THEN
        RAISE EXCEPTION 'who parts months is kept' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END $$;
DROP TRIGGER payroll_join_append_only ON payroll_join;
CREATE TRIGGER payroll_join_never_changes BEFORE UPDATE ON payroll_join FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER payroll_join_ends BEFORE DELETE ON payroll_join FOR EACH ROW EXECUTE FUNCTION payroll_join_ends();

-- migrate:down
DROP TRIGGER payroll_join_ends ON payroll_join;
DROP TRIGGER payroll_join_never_changes ON payroll_join;
CREATE TRIGGER payroll_join_append_only BEFORE UPDATE OR DELETE ON payroll_join FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION payroll_join_ends();
DROP TABLE payroll_join_ended;
