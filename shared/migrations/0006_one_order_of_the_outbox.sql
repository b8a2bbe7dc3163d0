-- migrate:up

-- A row of the outbox is looked for by the order in which rows leave, and by nothing else: that order is its key, one index instead of two.
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey;
DROP INDEX outbox_order;
ALTER TABLE outbox ADD PRIMARY KEY (xid, id, day);

-- migrate:down
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey;
CREATE INDEX outbox_order ON outbox (xid, id);
ALTER TABLE outbox ADD PRIMARY KEY (day, id);
