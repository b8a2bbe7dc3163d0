-- migrate:up

-- Registry erased this person: nothing is known any more but how often something was said of the id. The replica of the register is not
-- touched: it is the state's own, and says nothing of who is paid.
ALTER TABLE person ADD COLUMN erased_at timestamptz;
CREATE INDEX person_erased ON person (beneficiary_id) WHERE erased_at IS NOT NULL;
ALTER TABLE person ALTER COLUMN identity DROP NOT NULL, ALTER COLUMN payee DROP NOT NULL, ALTER COLUMN identity_digest DROP NOT NULL;
-- Guarantee: an erased person has no block, no digest, no index and is nobody of the register.
ALTER TABLE person ADD CONSTRAINT person_erased_has_nothing CHECK (
    CASE WHEN erased_at IS NULL THEN num_nulls(identity, payee, identity_digest) = 0
         ELSE num_nonnulls(identity, payee, identity_digest, account_digest, number_ix, old_number_ix, name_birth_ix, account_ix, person_token,
                           entry_old_ix, answered_at) = 0 AND NOT unavailable AND NOT holder_unknown
    END);

-- Guarantee: who is erased stays so, whatever older or newer snapshot comes.
CREATE FUNCTION erased_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who is erased stays erased' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER person_stays_erased BEFORE UPDATE ON person FOR EACH ROW
    WHEN (OLD.erased_at IS NOT NULL AND NEW.erased_at IS NULL) EXECUTE FUNCTION erased_stays();

ALTER TABLE verdict ALTER COLUMN identity_digest DROP NOT NULL;
ALTER TABLE question ALTER COLUMN digest DROP NOT NULL;
ALTER TABLE review_sight ALTER COLUMN identity_digest DROP NOT NULL;
ALTER TABLE review_decision ALTER COLUMN identity_digest DROP NOT NULL, ALTER COLUMN person_token DROP NOT NULL,
    ALTER COLUMN register_digest DROP NOT NULL;

-- Guarantee: what is append-only stays so. One exception: of a row about an erased person the columns named to the trigger become NULL (an
-- object of a sight: empty), and nothing else changes.
CREATE FUNCTION stays_but_for_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV
       AND NOT EXISTS (SELECT FROM unnest(TG_ARGV) AS name WHERE coalesce(to_jsonb(NEW) ->> name, '{}') <> '{}')
       AND is_erased(OLD.beneficiary_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER verdict_append_only ON verdict;
CREATE TRIGGER verdict_append_only BEFORE UPDATE OR DELETE ON verdict FOR EACH ROW
    EXECUTE FUNCTION stays_but_for_erasure('identity_digest', 'account_digest');
DROP TRIGGER review_sight_append_only ON review_sight;
CREATE TRIGGER review_sight_append_only BEFORE UPDATE OR DELETE ON review_sight FOR EACH ROW
    EXECUTE FUNCTION stays_but_for_erasure('identity_digest', 'entries');
DROP TRIGGER review_decision_append_only ON review_decision;
CREATE TRIGGER review_decision_append_only BEFORE UPDATE OR DELETE ON review_decision FOR EACH ROW
    EXECUTE FUNCTION stays_but_for_erasure('identity_digest', 'person_token', 'register_digest');

-- Guarantee: a question keeps its person, its digest, its officer and its procedure, and an ended one never changes; of an erased person it
-- ends unanswered and loses its digest.
CREATE OR REPLACE FUNCTION question_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.digest IS NULL AND is_erased(OLD.beneficiary_id) AND NEW.ended_at IS NOT NULL
       AND to_jsonb(NEW) - '{digest,ended_at}'::text[] = to_jsonb(OLD) - '{digest,ended_at}'::text[]
       AND (OLD.ended_at IS NULL OR NEW.ended_at = OLD.ended_at) THEN
        RETURN NEW;
    END IF;
    IF OLD.ended_at IS NOT NULL OR NEW.tries < OLD.tries
       OR (NEW.request_id, NEW.about, NEW.beneficiary_id, NEW.digest, NEW.officer, NEW.procedure, NEW.made_at)
          IS DISTINCT FROM (OLD.request_id, OLD.about, OLD.beneficiary_id, OLD.digest, OLD.officer, OLD.procedure, OLD.made_at) THEN
        RAISE EXCEPTION 'a question that was made stays as it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION question_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR NEW.tries < OLD.tries
       OR (NEW.request_id, NEW.about, NEW.beneficiary_id, NEW.digest, NEW.officer, NEW.procedure, NEW.made_at)
          IS DISTINCT FROM (OLD.request_id, OLD.about, OLD.beneficiary_id, OLD.digest, OLD.officer, OLD.procedure, OLD.made_at) THEN
        RAISE EXCEPTION 'a question that was made stays as it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER review_decision_append_only ON review_decision;
CREATE TRIGGER review_decision_append_only BEFORE UPDATE OR DELETE ON review_decision FOR EACH ROW EXECUTE FUNCTION append_only();
DROP TRIGGER review_sight_append_only ON review_sight;
CREATE TRIGGER review_sight_append_only BEFORE UPDATE OR DELETE ON review_sight FOR EACH ROW EXECUTE FUNCTION append_only();
DROP TRIGGER verdict_append_only ON verdict;
CREATE TRIGGER verdict_append_only BEFORE UPDATE OR DELETE ON verdict FOR EACH ROW EXECUTE FUNCTION append_only();
DROP FUNCTION stays_but_for_erasure();
DROP FUNCTION erased_stays() CASCADE;
ALTER TABLE person DROP COLUMN erased_at;
