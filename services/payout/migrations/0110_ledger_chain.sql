-- migrate:up

-- The ledger is a chain per payer: each posting is hashed together with the hash before it, so that no later hand can change, take out, put
-- in or swap a posting without every hash behind it being wrong. One statement makes one piece of the chain, however many rows it adds;
-- payers do not wait for one another. What stands in a chain is said outside too: docs/decisions/0016-ledger-chain.md.

-- The end of each payer's chain. Who adds to a chain locks its row, payers in order.
CREATE TABLE ledger_head (
    payer   text   PRIMARY KEY,
    seq     bigint NOT NULL CHECK (seq >= 0),
    sha256  bytea  NOT NULL CHECK (octet_length(sha256) = 32)
);
CREATE TABLE ledger_link (
    payer       text   NOT NULL,
    seq         bigint NOT NULL CHECK (seq > 0),
    posting_id  uuid   NOT NULL,
    sha256      bytea  NOT NULL CHECK (octet_length(sha256) = 32),
    PRIMARY KEY (payer, seq)
);

-- What is hashed of a posting: its columns, in this order, joined by '|'; `at` in microseconds. None of them holds a '|', and equal texts
-- have equally many of them, so two different postings never make one text. `ansinh/audit_verify.py` makes the same text.
CREATE FUNCTION posting_canonical(p posting) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('|', p.posting_id, p.instruction_id, p.period, p.payer, p.debit, p.credit, p.vnd,
                     (extract(epoch FROM p.at) * 1000000)::bigint)
$$;
-- SHA-256 of the hash before and this row's text; before the first row of a window stands `start`.
CREATE FUNCTION ledger_step(before bytea, row_text text, start bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(coalesce(before, start) || convert_to(row_text, 'UTF8'));
END $$;
CREATE AGGREGATE ledger_chain(text, bytea) (SFUNC = ledger_step, STYPE = bytea);

-- Guarantee: every posting is a link of its payer's chain, in the moment it is written.
CREATE FUNCTION posting_chained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_head (payer, seq, sha256)
    SELECT DISTINCT payer, 0, decode(repeat('00', 32), 'hex') FROM added ORDER BY payer ON CONFLICT DO NOTHING;
    PERFORM FROM ledger_head WHERE payer IN (SELECT payer FROM added) ORDER BY payer FOR UPDATE;
    INSERT INTO ledger_link (payer, seq, posting_id, sha256)
    SELECT a.payer, h.seq + row_number() OVER chain, a.posting_id,
           ledger_chain(concat_ws('|', a.posting_id, a.instruction_id, a.period, a.payer, a.debit, a.credit, a.vnd,
                                  (extract(epoch FROM a.at) * 1000000)::bigint), h.sha256) OVER chain
      FROM added a JOIN ledger_head h USING (payer)
    WINDOW chain AS (PARTITION BY a.payer ORDER BY a.posting_id ROWS UNBOUNDED PRECEDING);
    UPDATE ledger_head h SET seq = last.seq, sha256 = last.sha256
      FROM (SELECT DISTINCT payer FROM added) a
      CROSS JOIN LATERAL (SELECT l.seq, l.sha256 FROM ledger_link l WHERE l.payer = a.payer ORDER BY l.seq DESC LIMIT 1) last
     WHERE h.payer = a.payer;
    RETURN NULL;
END $$;

-- What was posted before there was a chain is chained in the order in which it was written.
INSERT INTO ledger_link (payer, seq, posting_id, sha256)
SELECT p.payer, row_number() OVER chain, p.posting_id, ledger_chain(posting_canonical(p), decode(repeat('00', 32), 'hex')) OVER chain
  FROM posting p WINDOW chain AS (PARTITION BY p.payer ORDER BY p.at, p.posting_id ROWS UNBOUNDED PRECEDING);
INSERT INTO ledger_head (payer, seq, sha256) SELECT DISTINCT ON (payer) payer, seq, sha256 FROM ledger_link ORDER BY payer, seq DESC;
DROP FUNCTION posting_canonical(posting);

CREATE TRIGGER posting_chained AFTER INSERT ON posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION posting_chained();

-- Guarantee: only a posting makes a link, and a link is never changed or removed.
CREATE FUNCTION only_postings_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'only a posting makes a link' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_link_by_posting BEFORE INSERT ON ledger_link FOR EACH STATEMENT EXECUTE FUNCTION only_postings_chain();
CREATE TRIGGER ledger_link_append_only BEFORE UPDATE OR DELETE ON ledger_link FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER ledger_link_never_emptied BEFORE TRUNCATE ON ledger_link EXECUTE FUNCTION append_only();
CREATE TRIGGER posting_never_emptied BEFORE TRUNCATE ON posting EXECUTE FUNCTION append_only();

-- Guarantee: the end of a chain only moves on, and only with a posting.
CREATE FUNCTION ledger_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 OR NEW.payer <> OLD.payer OR NEW.seq <= OLD.seq THEN
        RAISE EXCEPTION 'the end of a chain only moves on' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_head_guard BEFORE UPDATE ON ledger_head FOR EACH ROW EXECUTE FUNCTION ledger_head_guard();
CREATE TRIGGER ledger_head_never_removed BEFORE DELETE ON ledger_head FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER ledger_head_never_emptied BEFORE TRUNCATE ON ledger_head EXECUTE FUNCTION append_only();

-- Guarantee: the role that writes the ledger has no right to change it, whatever becomes of the triggers. (A superuser has every right:
-- `ansinh audit verify` finds what one did.)
REVOKE UPDATE, DELETE, TRUNCATE ON posting, ledger_link FROM CURRENT_USER, PUBLIC;

-- migrate:down
GRANT UPDATE, DELETE, TRUNCATE ON posting TO CURRENT_USER;
DROP TRIGGER posting_chained ON posting;
DROP TRIGGER posting_never_emptied ON posting;
DROP TABLE ledger_link;
DROP TABLE ledger_head;
DROP FUNCTION posting_chained();
DROP FUNCTION only_postings_chain();
DROP FUNCTION ledger_head_guard();
DROP AGGREGATE ledger_chain(text, bytea);
DROP FUNCTION ledger_step(bytea, text, bytea);
