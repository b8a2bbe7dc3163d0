-- migrate:up

-- Blind index of name with year and commune: who has no number, no whole birth date and no hamlet is found again by it. Whoever is kept next
-- gets theirs.
ALTER TABLE person ADD COLUMN name_area_ix bytea CHECK (length(name_area_ix) = 32);
CREATE INDEX person_name_area ON person (name_area_ix) WHERE name_area_ix IS NOT NULL;

-- Guarantee: everybody has an identity and a payee, and an erased person has no block, no digest, no index and no word of their own.
ALTER TABLE person DROP CONSTRAINT person_erased_has_nothing;
ALTER TABLE person ADD CONSTRAINT person_erased_has_nothing CHECK (
    CASE WHEN erased_at IS NULL THEN num_nulls(identity, payee, identity_digest) = 0
         ELSE num_nonnulls(identity, payee, delivery, collector, contact, circumstances, identity_digest, account_digest, delivery_digest,
                           number_ix, old_number_ix, name_birth_ix, name_place_ix, name_area_ix, birth_year, wish_reason, account_source,
                           cannot_reason, cannot_until, collector_from, collector_until, paper_from, paper_until, aside) = 0
              AND wish = 'none' AND NOT home_delivery
    END);

-- migrate:down
ALTER TABLE person DROP CONSTRAINT person_erased_has_nothing;
ALTER TABLE person DROP COLUMN name_area_ix;
ALTER TABLE person ADD CONSTRAINT person_erased_has_nothing CHECK (
    CASE WHEN erased_at IS NULL THEN num_nulls(identity, payee, identity_digest) = 0
         ELSE num_nonnulls(identity, payee, delivery, collector, contact, circumstances, identity_digest, account_digest, delivery_digest,
                           number_ix, old_number_ix, name_birth_ix, name_place_ix, birth_year, wish_reason, account_source, cannot_reason,
                           cannot_until, collector_from, collector_until, paper_from, paper_until, aside) = 0 AND wish = 'none' AND NOT home_delivery
    END);
