-- migrate:up

-- Answers of the HTTP door under the sender's idempotency key: no personal data, codes and counts.
CREATE TABLE event_request (
    actor          text  NOT NULL,
    key            text  NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
    request_sha256 text  NOT NULL CHECK (length(request_sha256) = 64),
    answer         jsonb NOT NULL,
    at             timestamptz NOT NULL,
    -- Guarantee: one key of one sender is one request; it is written in the transaction of that request's effects.
    PRIMARY KEY (actor, key)
);
CREATE INDEX event_request_at ON event_request (at);

-- migrate:down
DROP TABLE event_request;
