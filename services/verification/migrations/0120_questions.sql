-- migrate:up

-- When the register last said what the result that holds rests on; NULL while it has said nothing. What is too old is renewed, or expires.
ALTER TABLE person ADD COLUMN answered_at timestamptz;
UPDATE person p SET answered_at = v.checked_at FROM verdict v
 WHERE v.beneficiary_id = p.beneficiary_id AND v.result_seq = p.result_seq AND v.outcome <> 'unavailable';
CREATE INDEX person_answered ON person (answered_at) WHERE answered_at IS NOT NULL;

-- Questions to others: to the register who a person is, to a bank whose an account is. One row per request, no personal data: what is
-- asked about stands sealed in `person`.
CREATE TABLE question (
    -- Guarantee: two questions never go out under one id.
    request_id       uuid        PRIMARY KEY,
    about            text        NOT NULL CHECK (about IN ('person', 'holder')),
    beneficiary_id   uuid        NOT NULL REFERENCES person,
    digest           text        NOT NULL,        -- of what is asked about: the identity; for a holder account and identity
    -- Guarantee: nobody is asked about without the officer and the procedure it is done for.
    officer          text        NOT NULL CHECK (officer <> ''),
    procedure        text        NOT NULL CHECK (procedure <> ''),
    urgent           boolean     NOT NULL,        -- somebody waits for it; else it is for the night
    made_at          timestamptz NOT NULL,
    due_at           timestamptz NOT NULL,
    tries            integer     NOT NULL DEFAULT 0 CHECK (tries >= 0),
    ended_at         timestamptz,                 -- answered, or dropped because the person changed (then `answer` is NULL)
    answer           text        CHECK (about <> 'person' OR answer ~ '^[0-9]+$')
                                 CHECK (about <> 'holder' OR answer IN ('match', 'mismatch', 'masked', 'cannot_verify')),
    -- Guarantee: what was never asked is never answered.
    CHECK (answer IS NULL OR (ended_at IS NOT NULL AND tries >= 1))
);
-- Guarantee: a person is asked about by one question at a time.
CREATE UNIQUE INDEX question_open ON question (beneficiary_id, about) WHERE ended_at IS NULL;
CREATE INDEX question_due ON question (about, due_at) WHERE ended_at IS NULL;
CREATE INDEX question_answered ON question (beneficiary_id, about, ended_at DESC) WHERE answer IS NOT NULL;

-- Guarantee: a question keeps its person, its digest, its officer and its procedure, and an ended one never changes.
CREATE FUNCTION question_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR NEW.tries < OLD.tries
       OR (NEW.request_id, NEW.about, NEW.beneficiary_id, NEW.digest, NEW.officer, NEW.procedure, NEW.made_at)
          IS DISTINCT FROM (OLD.request_id, OLD.about, OLD.beneficiary_id, OLD.digest, OLD.officer, OLD.procedure, OLD.made_at) THEN
        RAISE EXCEPTION 'a question that was made stays as it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER question_only_forward BEFORE UPDATE ON question FOR EACH ROW EXECUTE FUNCTION question_only_forward();

-- Every time a question went out. The quota is counted here, so it holds over restarts and over several processes.
CREATE TABLE question_sent (
    -- Guarantee: nothing goes out under an id that is not stored.
    request_id  uuid        NOT NULL REFERENCES question,
    nth         integer     NOT NULL CHECK (nth >= 1),
    about       text        NOT NULL,
    sent_at     timestamptz NOT NULL,
    PRIMARY KEY (request_id, nth)
);
CREATE INDEX question_sent_at ON question_sent (about, sent_at);
CREATE TRIGGER question_sent_append_only BEFORE UPDATE OR DELETE ON question_sent FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE question_sent;
DROP TABLE question;
DROP FUNCTION question_only_forward();
DROP INDEX person_answered;
ALTER TABLE person DROP COLUMN answered_at;
