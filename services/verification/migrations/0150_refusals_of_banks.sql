-- migrate:up

-- Why a bank named no holder, in the field's words (domain 4.2): it tells an office what to mend.
ALTER TABLE question ADD COLUMN refusal text
    CHECK (refusal IN ('CANNOT_VERIFY', 'ACC_ID_MISMATCH', 'ACC_NOT_FOUND', 'ACC_CLOSED', 'ACC_LOCKED'));
-- Guarantee: a bank that refused has verified nobody, and only an answered question about a holder has a refusal.
ALTER TABLE question ADD CONSTRAINT question_refusal_verifies_nobody
    CHECK (refusal IS NULL OR (about = 'holder' AND answer IS NOT NULL AND answer = 'cannot_verify'));

-- migrate:down
ALTER TABLE question DROP COLUMN refusal;
