"""Numbers of the code that docs/money.md tells: module, name, what it means."""

CONSTANTS = (
    (
        "orders.services.lifecycle",
        "EXPECTED_DELIVERY_GRACE",
        "automatic confirmation waits at least this long after `expected_delivery_at`",
    ),
    (
        "orders.services.extensions",
        "MAX_SHIP_EXTENSION",
        "`ship_by` may be moved by this much at most, once",
    ),
    ("orders.services.payments", "QUERY_EVERY", "a pending payment is asked about this often"),
    ("orders.services.payments", "UNKNOWN_EVERY", "an unknown payment is asked about this often"),
    (
        "orders.services.payments",
        "CLOSE_FOR",
        "an expired payment is watched this long for late money",
    ),
    ("escrow.services.refund", "QUERY_EVERY", "a submitted refund is asked about this often"),
    ("escrow.services.refund", "UNKNOWN_EVERY", "an unknown refund is asked about this often"),
    (
        "escrow.services.disputes.outcome",
        "TRY_AGAIN",
        "a decided dispute whose money the payees lack is tried again after this",
    ),
    (
        "payouts.services.cutoff",
        "INSTANT_RETRY",
        "an instant schedule whose money has to wait looks again after this",
    ),
    (
        "payouts.services.sending",
        "COVER_EVERY",
        "an approved payout that the reserve does not cover yet is tried again after this",
    ),
    ("payouts.services.sending", "QUERY_EVERY", "a sent payout is asked about this often"),
    ("payouts.services.sending", "UNKNOWN_EVERY", "an unknown payout is asked about this often"),
    (
        "payouts.services.sending",
        "FROZEN_EVERY",
        "a bank that never got a payout of a frozen seller is asked about it this often",
    ),
    (
        "payouts.services.sending",
        "LEASE",
        "one attempt to send or ask may take this long before another sweep may take the row",
    ),
    ("channels.services", "ORPHANS_KEPT_FOR", "a message that matches nothing is tried this long"),
    ("notifications.services.fan_out", "FIRST_DELAY", "first wait after a mail that failed"),
    ("notifications.services.fan_out", "LONGEST_DELAY", "longest wait between two tries of a mail"),
    ("notifications.services.attempts", "DISABLED_AFTER", "a webhook endpoint may fail this long"),
    (
        "notifications.services.endpoints",
        "OVERLAP",
        "a rolled webhook secret still signs this long",
    ),
)
