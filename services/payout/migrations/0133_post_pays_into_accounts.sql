-- migrate:up

-- Provider and channel are two fields: the post also pays into accounts where its contract says so.
-- Guarantee: only the post hands out cash.
ALTER TABLE instruction DROP CONSTRAINT instruction_check1;
ALTER TABLE instruction ADD CONSTRAINT instruction_cash_by_post CHECK (channel = 'account' OR provider = 'post') NOT VALID;
ALTER TABLE instruction VALIDATE CONSTRAINT instruction_cash_by_post;

-- migrate:down
ALTER TABLE instruction DROP CONSTRAINT instruction_cash_by_post;
ALTER TABLE instruction ADD CONSTRAINT instruction_check1 CHECK ((channel = 'account') = (provider <> 'post')) NOT VALID;
