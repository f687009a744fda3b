-- Which came first is read from the numbers of the events: both were written under the seller's lock, while their
-- instants may come from clocks read before it was theirs.
SELECT p.id, 'payout ' || p.id || ' was sent although freeze ' || f.id || ' of its seller is in force'
FROM escrow_freeze f
JOIN notifications_event placed ON placed.subject_id = f.id AND placed.type = 'freeze.placed'
JOIN payouts_payout p ON p.merchant_id = f.merchant_id
JOIN notifications_event sent ON sent.subject_id = p.id AND sent.type = 'payout.sent' AND sent.id > placed.id
WHERE f.state <> 'LIFTED'
ORDER BY p.id
