"""Whether the reserve has the money: what has not arrived from a channel cannot be paid out."""

from channels import registry
from escrow import selectors as escrow
from ledger import accounts, chart
from ledger import selectors as books
from payouts.models import Payout


def reserve_covers(*, rail: str, amount_minor: int, currency: str) -> bool:
    """Say whether the reserve holds an amount on top of all that the bank may be paying at this
    moment, to payees and to buyers.

    Locks: the reserve account, so that two claims cannot both count the same money.
    """
    reserve = chart.reserve(registry.get_rail(rail).custodian)
    accounts.lock_account(address=reserve, currency=currency)
    payouts = Payout.objects.filter(rail=rail, currency=currency, state__in=Payout.OPEN)
    refunds = escrow.open_bank_refunds().filter(rail=rail, currency=currency)
    owed = sum(payouts.values_list("amount_minor", flat=True))
    owed += sum(refunds.values_list("amount_minor", flat=True))
    return books.balance(address=reserve, currency=currency) >= owed + amount_minor
