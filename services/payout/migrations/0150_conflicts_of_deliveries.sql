-- migrate:up

-- Conflicts are few and counted every few seconds, also long after they were found.
CREATE INDEX delivery_conflict ON delivery (provider) WHERE state = 'conflict';

-- migrate:down
DROP INDEX delivery_conflict;
