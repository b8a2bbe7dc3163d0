-- name: ledger_links
-- payout: every chain in its order, each link with the posting it names as it is stored now; nulls where that is gone.
SELECT l.payer AS chain, l.seq, l.posting_id AS linked, l.sha256, p.posting_id, p.instruction_id, p.period, p.payer, p.debit, p.credit, p.vnd,
       (extract(epoch FROM p.at) * 1000000)::bigint AS micros
  FROM ledger_link l LEFT JOIN posting p USING (posting_id) ORDER BY l.payer, l.seq;

-- name: ledger_heads
-- payout: the end of every chain.
SELECT payer, seq, sha256 FROM ledger_head ORDER BY payer;

-- name: postings_outside_chains
-- payout: postings that are no link.
SELECT posting_id, payer FROM posting p WHERE NOT EXISTS (SELECT FROM ledger_link l WHERE l.posting_id = p.posting_id) ORDER BY 2, 1;

-- name: postings_linked_twice
-- payout: postings that are more than one link.
SELECT posting_id, min(payer) AS payer FROM ledger_link GROUP BY posting_id HAVING count(*) > 1 ORDER BY 2, 1;

-- name: recovery_links
-- payout: claims by payer, in the order of their chains; each holds its own hash.
SELECT concat('recoveries of ', payer) AS chain, concat('recoveries of ', payer) AS payer, payer AS owner, seq, posting_id AS linked, sha256,
       posting_id, case_id, debit, credit, vnd, (extract(epoch FROM at) * 1000000)::bigint AS micros
  FROM recovery_posting ORDER BY 3, seq;

-- name: break_links
-- payout: postings about breaks by provider, in the order of their chains; each holds its own hash.
SELECT concat('breaks of ', provider) AS chain, concat('breaks of ', provider) AS payer, provider AS owner, seq, posting_id AS linked, sha256,
       posting_id, break_id, debit, credit, vnd, (extract(epoch FROM at) * 1000000)::bigint AS micros
  FROM break_posting ORDER BY 3, seq;
