-- name: chain_end^
-- The last link of a payer's ledger chain.
SELECT h.seq, encode(h.sha256, 'hex') AS sha256, l.posting_id FROM ledger_head h JOIN ledger_link l USING (payer, seq) WHERE h.payer = :payer;
