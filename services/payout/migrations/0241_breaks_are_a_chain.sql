-- migrate:up

-- The ledger of breaks is a chain too, one per provider, as the payments' (0110) and the claims' (0141) are per payer.
ALTER TABLE break_posting ADD COLUMN provider text, ADD COLUMN seq bigint, ADD COLUMN sha256 bytea CHECK (octet_length(sha256) = 32);

-- What was posted before there was a chain is chained in the order in which it was written.
ALTER TABLE break_posting DISABLE TRIGGER break_posting_append_only;
UPDATE break_posting b SET provider = c.provider, seq = c.seq, sha256 = c.sha256
  FROM (SELECT p.posting_id, p.provider, row_number() OVER chain AS seq,
               ledger_chain(concat_ws('|', p.posting_id, p.break_id, p.provider, p.debit, p.credit, p.vnd,
                                      (extract(epoch FROM p.at) * 1000000)::bigint), decode(repeat('00', 32), 'hex')) OVER chain AS sha256
          FROM (SELECT *, split_part(credit, ':', 2) AS provider FROM (SELECT posting_id, break_id, debit, credit, vnd, at FROM break_posting) o) p
        WINDOW chain AS (PARTITION BY p.provider ORDER BY p.at, p.posting_id ROWS UNBOUNDED PRECEDING)) c
 WHERE b.posting_id = c.posting_id;
ALTER TABLE break_posting ENABLE TRIGGER break_posting_append_only;
ALTER TABLE break_posting ALTER COLUMN provider SET NOT NULL, ALTER COLUMN seq SET NOT NULL, ALTER COLUMN sha256 SET NOT NULL,
    ADD UNIQUE (provider, seq);

-- Guarantee: every posting about a break is hashed together with the one before it of its provider, in the moment it is written.
CREATE FUNCTION break_posting_chained() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    NEW.provider := split_part(NEW.credit, ':', 2);
    PERFORM pg_advisory_xact_lock(hashtextextended('breaks ' || NEW.provider, 0));
    SELECT p.seq, p.sha256 INTO last FROM break_posting p WHERE p.provider = NEW.provider ORDER BY p.seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.sha256 := ledger_step(last.sha256, concat_ws('|', NEW.posting_id, NEW.break_id, NEW.provider, NEW.debit, NEW.credit, NEW.vnd,
                                                     (extract(epoch FROM NEW.at) * 1000000)::bigint), decode(repeat('00', 32), 'hex'));
    RETURN NEW;
END $$;
CREATE TRIGGER break_posting_chained BEFORE INSERT ON break_posting FOR EACH ROW EXECUTE FUNCTION break_posting_chained();
REVOKE UPDATE, DELETE, TRUNCATE ON break_posting FROM CURRENT_USER, PUBLIC;

-- migrate:down
GRANT UPDATE, DELETE, TRUNCATE ON break_posting TO CURRENT_USER;
DROP TRIGGER break_posting_chained ON break_posting;
DROP FUNCTION break_posting_chained();
ALTER TABLE break_posting DROP COLUMN provider, DROP COLUMN seq, DROP COLUMN sha256;
