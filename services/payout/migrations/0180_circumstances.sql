-- migrate:up

-- What registry knew of the person when the list closed: which ages of the rules they had reached, and their circumstances, sealed.
ALTER TABLE line ADD COLUMN ages text, ADD COLUMN circumstances text;
-- Guarantee: circumstances stand in a table only sealed.
ALTER TABLE line ADD CONSTRAINT line_circumstances_sealed CHECK (circumstances LIKE 'v1.payee.%');

ALTER TABLE held DROP CONSTRAINT held_reason_check;
ALTER TABLE held ADD CONSTRAINT held_reason_check
    CHECK (reason IN ('WITHDRAWN', 'DEAD', 'MOVED', 'DUPLICATE', 'VERIFICATION_PENDING', 'UNAVAILABLE', 'NOT_FOUND', 'IDENTITY_MISMATCH',
                      'NOT_OWED', 'NOT_COLLECTED', 'PAID_ELSEWHERE', 'AMOUNT_DIFFERS', 'NO_DELIVERY'));

-- migrate:down
ALTER TABLE held DROP CONSTRAINT held_reason_check;
ALTER TABLE held ADD CONSTRAINT held_reason_check
    CHECK (reason IN ('WITHDRAWN', 'DEAD', 'MOVED', 'DUPLICATE', 'VERIFICATION_PENDING', 'UNAVAILABLE', 'NOT_FOUND', 'IDENTITY_MISMATCH',
                      'AMOUNT_DIFFERS', 'NO_DELIVERY'));
ALTER TABLE line DROP COLUMN ages, DROP COLUMN circumstances;
