-- migrate:up

-- What decides a benefit beside its line: sealed as a payee block, which payout may open.
-- Guarantee as for the other blocks: only sealed ones get in.
ALTER TABLE person ADD COLUMN circumstances text CHECK (circumstances LIKE 'v1.payee.%');

-- A frozen line carries them as they were when the list closed, and which ages of the rules the person had reached in its month.
ALTER TABLE entitlement_line ADD COLUMN ages text CHECK (ages ~ '^[0-9]{1,3}(,[0-9]{1,3})*$'),
    ADD COLUMN circumstances text CHECK (circumstances LIKE 'v1.payee.%');

-- migrate:down
ALTER TABLE entitlement_line DROP COLUMN ages, DROP COLUMN circumstances;
ALTER TABLE person DROP COLUMN circumstances;
