-- migrate:up

-- A part of the register updates its entries; what is said of everybody else is as old as it was. What was handed in before counts as whole.
ALTER TABLE extract ADD COLUMN part boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE extract DROP COLUMN part;
