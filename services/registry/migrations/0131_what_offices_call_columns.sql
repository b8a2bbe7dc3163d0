-- migrate:up

-- What an office calls the columns of its lists, by folded word of the header; an empty name leaves a column aside. The newest row holds,
-- the others say who changed what. Words of headers, nothing personal.
CREATE TABLE column_words (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind   text   NOT NULL CHECK (kind IN ('payroll', 'accounts')),
    payer  text   NOT NULL,
    source text   NOT NULL,
    words  jsonb  NOT NULL,
    actor  text   NOT NULL,
    at     timestamptz NOT NULL
);
CREATE INDEX column_words_office ON column_words (kind, payer, source, id);
-- Guarantee: what was said once is kept; a file that was read under older words can be explained.
CREATE TRIGGER column_words_append_only BEFORE UPDATE OR DELETE ON column_words FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE column_words;
