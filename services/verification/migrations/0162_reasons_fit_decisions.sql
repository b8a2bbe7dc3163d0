-- migrate:up

-- Guarantee: nobody decides that two sides are one because they are two, nor the other way round. What was decided before stays as it is, and may
-- be erased (then no digest names the sides).
ALTER TABLE review_decision ADD CONSTRAINT review_reason_fits CHECK (
    identity_digest IS NULL OR NOT (verdict = 'same' AND reason = 'OTHER_PERSON')
                               AND NOT (verdict = 'different' AND reason IN ('SPELLING', 'NAME_CHANGED', 'BIRTH_DATE_CORRECTED'))) NOT VALID;

-- migrate:down
ALTER TABLE review_decision DROP CONSTRAINT review_reason_fits;
