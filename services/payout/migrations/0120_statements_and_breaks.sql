-- migrate:up

-- One file a provider handed in: statement, status report or the post's list. It is kept, whole and sealed, before it has any effect.
CREATE TABLE statement_file (
    file_id      uuid    PRIMARY KEY,           -- derived from provider and hash: the same file again is the same row
    provider     text    NOT NULL,
    sha256       text    NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size         integer NOT NULL CHECK (size >= 0),
    received_at  timestamptz NOT NULL,
    received_by  text    NOT NULL,
    state        text    NOT NULL CHECK (state IN ('refused', 'received', 'booked')),
    refusal      text,
    kind         text    CHECK (kind IN ('pain.002', 'camt.053', 'camt.054', 'mt940', 'post_list')),
    message_id   text,                          -- what the provider calls it
    to_on        date,                          -- bookings up to this day stand in it
    lines        integer NOT NULL DEFAULT 0 CHECK (lines >= 0),
    booked_at    timestamptz,
    UNIQUE (provider, sha256),
    CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CHECK ((state = 'booked') = (booked_at IS NOT NULL)),
    CHECK (state = 'refused' OR (kind IS NOT NULL AND message_id IS NOT NULL))
);
-- Guarantee: one message of a provider is taken once, whatever its bytes are the second time.
CREATE UNIQUE INDEX statement_file_message ON statement_file (provider, kind, message_id) WHERE state <> 'refused';
CREATE INDEX statement_file_waiting ON statement_file (file_id) WHERE state = 'received';

-- Guarantee: what was received never changes and is booked once; only a refused file may be taken after all.
CREATE FUNCTION statement_file_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.file_id, NEW.provider, NEW.sha256, NEW.size) IS DISTINCT FROM (OLD.file_id, OLD.provider, OLD.sha256, OLD.size)
       OR OLD.state = 'booked'
       OR (OLD.state = 'received' AND (NEW.state <> 'booked'
           OR (NEW.received_at, NEW.received_by, NEW.kind, NEW.message_id, NEW.to_on, NEW.lines)
              IS DISTINCT FROM (OLD.received_at, OLD.received_by, OLD.kind, OLD.message_id, OLD.to_on, OLD.lines)))
       OR (OLD.state = 'refused' AND NEW.state = 'booked') THEN
        RAISE EXCEPTION 'a statement that was taken never changes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_file_guard BEFORE UPDATE ON statement_file FOR EACH ROW EXECUTE FUNCTION statement_file_guard();
CREATE TRIGGER statement_file_never_removed BEFORE DELETE ON statement_file FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER statement_file_never_emptied BEFORE TRUNCATE ON statement_file EXECUTE FUNCTION append_only();

-- The file as it came, in sealed parts: it names people and accounts.
CREATE TABLE statement_part (
    file_id  uuid    NOT NULL REFERENCES statement_file,
    part     integer NOT NULL CHECK (part >= 0),
    sealed   text    NOT NULL,
    PRIMARY KEY (file_id, part)
);
ALTER TABLE statement_part ALTER COLUMN sealed SET STORAGE EXTERNAL;
-- Guarantee: evidence is kept as it came.
CREATE TRIGGER statement_part_append_only BEFORE UPDATE OR DELETE ON statement_part FOR EACH ROW EXECUTE FUNCTION append_only();

-- What one line of a file says, in our words, and what became of it. `fate` null: it waits to be booked.
CREATE TABLE statement_line (
    file_id        uuid    NOT NULL REFERENCES statement_file,
    line           integer NOT NULL CHECK (line > 0),
    kind           text    NOT NULL CHECK (kind IN ('accepted', 'paid', 'rejected', 'returned', 'reversal', 'unknown')),
    end_to_end_id  text    CHECK (end_to_end_id ~ '^[A-Z2-7]{16}$'),
    batch_id       uuid,                        -- said of a whole batch
    vnd            bigint  CHECK (vnd >= 0),    -- null: the file names no amount, which status reports need not
    booked_on      date,
    code           text,                        -- the provider's reason as ISO 20022 spells it
    reason         text,                        -- the same in our closed list
    bank_ref       text,                        -- the provider's name of the booking
    account_ix     bytea,                       -- keyed index of the account it went to: compared, never read
    fault          text    CHECK (fault IN ('id', 'amount', 'date')),
    fate           text    CHECK (fate IN ('applied', 'repeat', 'break', 'nothing')),
    break_id       uuid,
    PRIMARY KEY (file_id, line),
    CHECK ((fate = 'break') = (break_id IS NOT NULL) OR fate IS NULL)
);
CREATE INDEX statement_line_payment ON statement_line (end_to_end_id) WHERE end_to_end_id IS NOT NULL;
CREATE INDEX statement_line_waiting ON statement_line (file_id, line) WHERE fate IS NULL;

-- Guarantee: what a line says never changes, and it gets its fate once.
CREATE FUNCTION statement_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER statement_line_guard BEFORE UPDATE ON statement_line FOR EACH ROW EXECUTE FUNCTION statement_line_guard();
CREATE TRIGGER statement_line_never_removed BEFORE DELETE ON statement_line FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER statement_line_never_emptied BEFORE TRUNCATE ON statement_line EXECUTE FUNCTION append_only();

-- The ledger of what does not agree: opening a break puts its amount into `breaks:<provider>`, resolving it takes it out again. The
-- balance of that account is what is still unexplained. A break about something nobody could read may have no amount.
CREATE TABLE break_posting (
    posting_id  uuid   PRIMARY KEY,            -- derived from the break and its step: the same step never posts twice
    break_id    uuid   NOT NULL,
    debit       text   NOT NULL,
    credit      text   NOT NULL,
    vnd         bigint NOT NULL CHECK (vnd >= 0),
    at          timestamptz NOT NULL,
    CHECK (debit <> credit)
);
CREATE INDEX break_posting_break ON break_posting (break_id);
-- Guarantee: a posting about a break is never changed or removed.
CREATE TRIGGER break_posting_append_only BEFORE UPDATE OR DELETE ON break_posting FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER break_posting_never_emptied BEFORE TRUNCATE ON break_posting EXECUTE FUNCTION append_only();

-- Something that does not agree between our ledger, what we told a provider, and what it says. It is owned, ages, and ends only by a
-- posting that a second person approved.
CREATE TABLE break_item (
    break_id         uuid   PRIMARY KEY,       -- derived from what it is about: the same disagreement said again is the same break
    type             text   NOT NULL CHECK (type IN ('missing', 'extra', 'duplicate', 'amount', 'account', 'date', 'reversal', 'unknown_id')),
    provider         text   NOT NULL,
    file_id          uuid,
    line             integer,
    end_to_end_id    text,
    instruction_id   uuid,
    batch_id         uuid,
    vnd              bigint NOT NULL CHECK (vnd >= 0),
    opened_at        timestamptz NOT NULL,
    owner            text,
    owned_at         timestamptz,
    remedy           text   CHECK (remedy IN ('believed', 'explained', 'claimed', 'recovered', 'accepted')),
    proposed_by      text,
    proposed_at      timestamptz,
    proposed_token   text,
    approved_by      text,
    approved_at      timestamptz,
    approved_token   text,
    posting_id       uuid   REFERENCES break_posting,
    CHECK ((file_id IS NULL) = (line IS NULL)),
    CHECK ((owner IS NULL) = (owned_at IS NULL)),
    CHECK ((proposed_by IS NULL) = (proposed_at IS NULL) AND (proposed_by IS NULL) = (proposed_token IS NULL)
           AND (proposed_by IS NULL) = (remedy IS NULL)),
    -- Guarantee: nobody approves their own proposal.
    CHECK (approved_by <> proposed_by),
    -- Guarantee: a break ends only by a posting, proposed and approved.
    CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (approved_token IS NULL)
           AND (approved_by IS NULL) = (posting_id IS NULL)),
    CHECK (approved_by IS NULL OR proposed_by IS NOT NULL)
);
CREATE INDEX break_item_open ON break_item (opened_at) WHERE approved_by IS NULL;
CREATE INDEX break_item_instruction ON break_item (instruction_id) WHERE instruction_id IS NOT NULL;
ALTER TABLE statement_line ADD FOREIGN KEY (break_id) REFERENCES break_item;

-- Guarantee: what a break is about never changes, and one that ended stays as it ended, by the posting of its own.
CREATE FUNCTION break_item_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.approved_by IS NOT NULL
       OR (NEW.break_id, NEW.type, NEW.provider, NEW.file_id, NEW.line, NEW.end_to_end_id, NEW.instruction_id, NEW.batch_id, NEW.vnd,
           NEW.opened_at)
          IS DISTINCT FROM
          (OLD.break_id, OLD.type, OLD.provider, OLD.file_id, OLD.line, OLD.end_to_end_id, OLD.instruction_id, OLD.batch_id, OLD.vnd,
           OLD.opened_at)
       OR (NEW.approved_by IS NOT NULL
           AND ((NEW.remedy, NEW.proposed_by, NEW.proposed_at, NEW.proposed_token)
                IS DISTINCT FROM (OLD.remedy, OLD.proposed_by, OLD.proposed_at, OLD.proposed_token)
                OR NOT EXISTS (SELECT FROM break_posting p WHERE p.posting_id = NEW.posting_id AND p.break_id = NEW.break_id
                                  AND p.vnd = NEW.vnd AND p.credit = 'breaks:' || NEW.provider))) THEN
        RAISE EXCEPTION 'a break ends once, by its approved posting' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER break_item_guard BEFORE UPDATE ON break_item FOR EACH ROW EXECUTE FUNCTION break_item_guard();
-- Guarantee: a break is never removed.
CREATE TRIGGER break_item_never_removed BEFORE DELETE ON break_item FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER break_item_never_emptied BEFORE TRUNCATE ON break_item EXECUTE FUNCTION append_only();

-- migrate:down
ALTER TABLE statement_line DROP COLUMN break_id;
DROP TABLE break_item;
DROP TABLE break_posting;
DROP TABLE statement_line;
DROP TABLE statement_part;
DROP TABLE statement_file;
DROP FUNCTION break_item_guard();
DROP FUNCTION statement_line_guard();
DROP FUNCTION statement_file_guard();
