-- migrate:up

-- A round is drawn in parts of about a second: `drawn_up_to` is the last person looked at, `told_up_to` the last phone told of. Nothing is
-- sent while a round is not drawn, so that whoever shares a phone is known before its text leaves.
ALTER TABLE campaign_round ADD COLUMN drawn boolean NOT NULL DEFAULT true, ADD COLUMN drawn_up_to uuid, ADD COLUMN told_up_to bytea;

-- The next part of a payer's people is found by its place, not by sorting what is left.
DROP INDEX person_payer;
CREATE INDEX person_payer ON person (payer, beneficiary_id);

-- Guarantee as before: a person is reminded at most once per round. It begins with the person, so that it also finds a person's texts.
ALTER TABLE message_person DROP CONSTRAINT message_person_pkey;
ALTER TABLE message_person ADD CONSTRAINT message_person_pkey PRIMARY KEY (beneficiary_id, campaign, round);
DROP INDEX message_person_person;

-- Room for the next state of a text on the page it stands on.
ALTER TABLE message SET (fillfactor = 80);

-- migrate:down
ALTER TABLE message RESET (fillfactor);
CREATE INDEX message_person_person ON message_person (beneficiary_id);
ALTER TABLE message_person DROP CONSTRAINT message_person_pkey;
ALTER TABLE message_person ADD CONSTRAINT message_person_pkey PRIMARY KEY (campaign, round, beneficiary_id);
DROP INDEX person_payer;
CREATE INDEX person_payer ON person (payer);
ALTER TABLE campaign_round DROP COLUMN told_up_to, DROP COLUMN drawn_up_to, DROP COLUMN drawn;
