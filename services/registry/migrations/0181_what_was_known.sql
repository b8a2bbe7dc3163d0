-- migrate:up

-- What a statement says besides its period, as far as it is nobody's secret, and when registry took it: enough to say later what was known
-- of a person at a moment (known_at) about a day (period, acts_on). `at` is when upstream says that it said so. Null: taken before this was kept.
ALTER TABLE source_event ADD COLUMN known_at timestamptz, ADD COLUMN acts_on date,
    ADD COLUMN word text CHECK (word IN ('death', 'moved_out', 'no_longer_entitled', 'given_up', 'account', 'post', 'none', 'vneid', 'confirmed',
                                         'commune_police', 'bulk'));

-- migrate:down
ALTER TABLE source_event DROP COLUMN word, DROP COLUMN acts_on, DROP COLUMN known_at;
