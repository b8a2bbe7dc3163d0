-- migrate:up

-- Registry erased this person: there is no number any more to reach them at, and there never will be under this id.
ALTER TABLE person ADD COLUMN erased_at timestamptz;
CREATE INDEX person_erased ON person (beneficiary_id) WHERE erased_at IS NOT NULL;
-- Guarantee: an erased person has no number and no account.
ALTER TABLE person ADD CONSTRAINT person_erased_has_nothing
    CHECK (erased_at IS NULL OR (contact IS NULL AND phone_ix IS NULL AND NOT has_account AND NOT cannot));

-- Guarantee: who is erased stays so, whatever older or newer snapshot comes.
CREATE FUNCTION erased_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who is erased stays erased' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER person_stays_erased BEFORE UPDATE ON person FOR EACH ROW
    WHEN (OLD.erased_at IS NOT NULL AND NEW.erased_at IS NULL) EXECUTE FUNCTION erased_stays();

-- The texts of a phone are found when its owner is erased.
CREATE INDEX message_owner ON message (owner);
ALTER TABLE message ALTER COLUMN contact DROP NOT NULL;
-- Guarantee: a text without a number is never sent, and never asked about again.
ALTER TABLE message ADD CONSTRAINT message_without_number_has_ended
    CHECK (contact IS NOT NULL OR status NOT IN ('created', 'sending', 'unknown'));

-- A phone's index stands with a round only while the round is drawn.
UPDATE campaign_round SET told_up_to = NULL WHERE drawn AND told_up_to IS NOT NULL;
ALTER TABLE campaign_round ADD CONSTRAINT campaign_round_drawn_names_no_phone CHECK (NOT drawn OR told_up_to IS NULL);

-- migrate:down
ALTER TABLE campaign_round DROP CONSTRAINT campaign_round_drawn_names_no_phone;
ALTER TABLE message DROP CONSTRAINT message_without_number_has_ended;
DROP INDEX message_owner;
DROP FUNCTION erased_stays() CASCADE;
ALTER TABLE person DROP COLUMN erased_at;
