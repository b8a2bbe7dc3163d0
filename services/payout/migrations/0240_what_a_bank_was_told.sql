-- migrate:up

-- What a provider was told of a list besides its payments: the day of execution, which the cut-off and closed days may move away from the
-- one that was signed, and the account that is debited, as a keyed index. A list that left before this was kept has neither: its day is
-- the later of the signed one and that of sending, and no statement counts as whole for it.
ALTER TABLE batch ADD COLUMN told_on date, ADD COLUMN debtor_ix bytea,
    ADD CHECK ((told_on IS NULL) = (debtor_ix IS NULL)), ADD CHECK (told_on IS NULL OR sent_at IS NOT NULL);

-- Guarantee: what a provider was told does not change afterwards.
CREATE FUNCTION batch_told_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a provider was told never changes' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER batch_told BEFORE UPDATE ON batch FOR EACH ROW
    WHEN (OLD.sent_at IS NOT NULL AND (NEW.told_on, NEW.debtor_ix) IS DISTINCT FROM (OLD.told_on, OLD.debtor_ix)) EXECUTE FUNCTION batch_told_guard();

-- The accounts a statement is about, as keyed indexes, each with the day up to which all its bookings stand in the file: what is absent is
-- missing only on the account it had to be debited from.
CREATE TABLE statement_span (
    file_id     uuid  NOT NULL REFERENCES statement_file,
    account_ix  bytea NOT NULL,
    to_on       date  NOT NULL,
    PRIMARY KEY (file_id, account_ix)
);
CREATE INDEX statement_span_account ON statement_span (account_ix, to_on);
-- Guarantee: what a file says it is whole for never changes.
CREATE TRIGGER statement_span_append_only BEFORE UPDATE OR DELETE ON statement_span FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER statement_span_never_emptied BEFORE TRUNCATE ON statement_span EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE statement_span;
DROP TRIGGER batch_told ON batch;
DROP FUNCTION batch_told_guard();
ALTER TABLE batch DROP COLUMN told_on, DROP COLUMN debtor_ix;
