-- The shop's own book. An order's state is not stored: it is what its last event says.

CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY,             -- Holdfast's
    number TEXT NOT NULL,            -- ours: what was ordered together
    seller TEXT NOT NULL,
    lines TEXT NOT NULL,             -- JSON
    amount_minor INTEGER NOT NULL,   -- fen
    buyer_token TEXT NOT NULL,       -- the buyer confirms receipt with it
    tracking TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS orders_of ON orders (number);

CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY,             -- Holdfast's
    number TEXT NOT NULL
);

-- Every event Holdfast has told, each once.
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY,             -- the header webhook-id
    order_id TEXT NOT NULL,          -- empty: about no order
    subject TEXT NOT NULL,
    sequence INTEGER NOT NULL,       -- 1, 2, 3 … per subject
    type TEXT NOT NULL,
    facts TEXT NOT NULL              -- JSON
);
CREATE INDEX IF NOT EXISTS events_of ON events (order_id);

-- What an event makes of an order; other types change nothing.
CREATE TEMPORARY TABLE states (type TEXT PRIMARY KEY, state TEXT NOT NULL);
INSERT INTO states VALUES
    ('order.created', 'awaiting_payment'),
    ('order.paid', 'paid'),
    ('order.shipped', 'shipped'),
    ('order.confirmed', 'released'),
    ('order.canceled', 'canceled'),
    ('order.expired', 'expired'),
    ('refund.created', 'refunding'),
    ('refund.succeeded', 'refunded');
