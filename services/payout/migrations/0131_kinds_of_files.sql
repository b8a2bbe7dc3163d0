-- migrate:up

-- Lists are also printed, and transfers listed for banks that read tables.
ALTER TABLE file DROP CONSTRAINT file_kind_check;
ALTER TABLE file ADD CONSTRAINT file_kind_check
    CHECK (kind IN ('pain.001', 'postal_list', 'held_list', 'postal_print', 'transfer_list', 'transfer_csv')) NOT VALID;
ALTER TABLE file VALIDATE CONSTRAINT file_kind_check;

-- migrate:down
ALTER TABLE file DROP CONSTRAINT file_kind_check;
ALTER TABLE file ADD CONSTRAINT file_kind_check CHECK (kind IN ('pain.001', 'postal_list', 'held_list')) NOT VALID;
