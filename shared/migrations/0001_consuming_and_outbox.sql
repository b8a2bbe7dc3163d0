-- migrate:up

-- One row per partition this service reads. `next_offset` is where reading goes on; it is written first in the same transaction as
-- the effects of the records before it, so an effect exists exactly when its record lies below next_offset.
CREATE TABLE consumed (
    topic           text    NOT NULL,
    partition       integer NOT NULL CHECK (partition >= 0),
    next_offset     bigint  NOT NULL CHECK (next_offset >= 0),
    last_event_id   text,                 -- of the record at next_offset - 1: tells a recreated topic from the one we read
    dead_in_a_row   integer NOT NULL DEFAULT 0 CHECK (dead_in_a_row >= 0),
    stopped_reason  text,                 -- not null: a person must look before this partition goes on
    PRIMARY KEY (topic, partition)
);

-- Guarantee: an offset never moves back, whoever writes it (a restore replaces the whole database, it does not update).
CREATE FUNCTION consumed_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.next_offset < OLD.next_offset THEN
        RAISE EXCEPTION 'an offset never moves back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consumed_only_forward BEFORE UPDATE ON consumed FOR EACH ROW EXECUTE FUNCTION consumed_only_forward();

-- Messages to publish, written in the transaction that decided them. Append-only, in daily partitions; rows stay until their partition
-- is dropped so that "every row was published" can be checked.
CREATE TABLE outbox (
    id        bigint GENERATED ALWAYS AS IDENTITY,
    xid       xid8   NOT NULL DEFAULT pg_current_xact_id(),  -- with id: an order that no later commit can slip under
    day       date   NOT NULL,
    event_id  uuid   NOT NULL,
    topic     text   NOT NULL,
    key       text   NOT NULL,
    type      text   NOT NULL,
    at        timestamptz NOT NULL,       -- business time, the ce_time header
    payload   bytea  NOT NULL,
    PRIMARY KEY (day, id)
) PARTITION BY RANGE (day);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE INDEX outbox_order ON outbox (xid, id);

-- Guarantee: an outbox row is never changed or removed; whole partitions are dropped after retention.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this table is append-only' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER outbox_append_only BEFORE UPDATE OR DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION append_only();

-- How far the relay has got: everything at or before (xid, id) was acknowledged by the broker. One row.
CREATE TABLE outbox_cursor (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    xid  xid8   NOT NULL,
    id   bigint NOT NULL
);
INSERT INTO outbox_cursor (xid, id) VALUES ('0', 0);

-- Records set aside: dead (can never be taken) or parked (a word we do not know yet). The original is sealed.
CREATE TABLE dead_letter (
    dead_letter_id uuid    PRIMARY KEY,
    topic          text    NOT NULL,
    partition      integer NOT NULL,
    "offset"       bigint  NOT NULL,
    event_id       text,
    disposition    text    NOT NULL CHECK (disposition IN ('dead', 'parked')),
    reason         text    NOT NULL,
    original       text    NOT NULL,
    at             timestamptz NOT NULL,
    -- Guarantee: one record is set aside at most once, however often it is read.
    UNIQUE (topic, partition, "offset")
);

-- migrate:down
DROP TABLE dead_letter;
DROP TABLE outbox_cursor;
DROP TABLE outbox;
DROP TABLE consumed;
DROP FUNCTION append_only();
DROP FUNCTION consumed_only_forward();
