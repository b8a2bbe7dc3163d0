-- migrate:up

-- Guarantee: nobody is of the "cannot" class by a visit at which they wished an account. What was heard before stays as it is.
ALTER TABLE home_visit ADD CONSTRAINT visit_says_one_thing CHECK (wish <> 'account' OR evidence IS NULL) NOT VALID;

-- migrate:down
ALTER TABLE home_visit DROP CONSTRAINT visit_says_one_thing;
