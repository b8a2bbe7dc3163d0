-- migrate:up

-- Guarantee: what a death brings is paid once, as a gift of a year is (0181): funeral money under whichever law, and beside it the months of a
-- Heroic Mother's relatives. `gift`: what of it a line is (TET-2026 of TET-2026-BT; MT of MT-BT, MT-HT and MT-NCC; MT-BM).
DROP INDEX line_gift;
ALTER TABLE line DROP COLUMN gift;
ALTER TABLE line ADD COLUMN gift text GENERATED ALWAYS AS (
    CASE WHEN content LIKE '%"benefit_code":"TET-%' THEN left(content::jsonb ->> 'benefit_code', 8)
         WHEN content LIKE '%"benefit_code":"MT-BM"%' THEN 'MT-BM'
         WHEN content LIKE '%"benefit_code":"MT-%' THEN 'MT' END) STORED;
CREATE INDEX line_gift ON line (beneficiary_id, gift) WHERE gift IS NOT NULL;

-- migrate:down
DROP INDEX line_gift;
ALTER TABLE line DROP COLUMN gift;
ALTER TABLE line ADD COLUMN gift text GENERATED ALWAYS AS (
    CASE WHEN content LIKE '%"benefit_code":"TET-%' THEN left(content::jsonb ->> 'benefit_code', 8) END) STORED;
CREATE INDEX line_gift ON line (beneficiary_id, gift) WHERE gift IS NOT NULL;
