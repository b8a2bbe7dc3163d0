-- migrate:up

-- Guarantees as before (0100): the functions are called only to refuse, not for every row that is as it should be.
DROP TRIGGER person_only_forward ON person;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW
    WHEN ((NEW.epoch, NEW.n) <= (OLD.epoch, OLD.n)) EXECUTE FUNCTION person_only_forward();
DROP TRIGGER verdict_only_forward ON verdict;
CREATE TRIGGER verdict_only_forward BEFORE UPDATE ON verdict FOR EACH ROW
    WHEN (NEW.result_seq <= OLD.result_seq) EXECUTE FUNCTION verdict_only_forward();

-- migrate:down
DROP TRIGGER verdict_only_forward ON verdict;
CREATE TRIGGER verdict_only_forward BEFORE UPDATE ON verdict FOR EACH ROW EXECUTE FUNCTION verdict_only_forward();
DROP TRIGGER person_only_forward ON person;
CREATE TRIGGER person_only_forward BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION person_only_forward();
