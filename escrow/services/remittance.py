"""A channel's money reaches the supervised reserve. Reconciliation will check it against the
bank's statement."""

from datetime import datetime

from common.errors import DomainError
from escrow.models import Remittance
from ledger import accounts as ledger_accounts
from ledger import chart, entries
from ledger import services as ledger
from ledger.usecases import use_case


class RemittanceInvalid(DomainError):
    code = "remittance_invalid"
    status = 422


@use_case()
def record_remittance(
    *,
    channel: str,
    custodian: str,
    provider_reference: str,
    gross_minor: int,
    fee_minor: int,
    currency: str,
    at: datetime,
) -> Remittance:
    """The channel has paid what it collected, less refunds and its fee, into the reserve.

    Money: Dr reserve (net), Dr channel fee / Cr channel receivable (gross).
    Raises: RemittanceInvalid.
    Idempotent: by (channel, provider_reference); another amount under the same reference is
        refused.
    Locks: the channel's receivable account, so that the same message twice at once is booked
        once.
    """
    if not 0 <= fee_minor < gross_minor or not provider_reference:
        raise RemittanceInvalid(
            "A remittance needs a reference and 0 <= fee < gross.", channel=channel
        )
    ledger_accounts.lock_account(address=chart.channel_receivable(channel), currency=currency)
    known = Remittance.objects.filter(
        channel=channel, provider_reference=provider_reference
    ).first()
    if known is not None:
        if (known.gross_minor, known.fee_minor, known.currency) != (
            gross_minor,
            fee_minor,
            currency,
        ):
            raise RemittanceInvalid(
                f"Remittance {provider_reference} was booked with other amounts.", channel=channel
            )
        return known
    remittance = Remittance(
        channel=channel,
        custodian=custodian,
        provider_reference=provider_reference,
        currency=currency,
        gross_minor=gross_minor,
        fee_minor=fee_minor,
        remitted_at=at,
    )
    draft = entries.remittance(
        remittance_id=f"{channel}:{provider_reference}",
        channel=channel,
        custodian=custodian,
        gross_minor=gross_minor,
        fee_minor=fee_minor,
        currency=currency,
    )
    remittance.entry_id = ledger.post(draft=draft, at=at)
    remittance.save(force_insert=True)
    return remittance


@use_case()
def record_topup(
    *, custodian: str, bank_reference: str, amount_minor: int, currency: str, at: datetime
) -> int:
    """The operator has put own money into the reserve, to cover what channels keep.

    Money: Dr reserve / Cr own top-up.
    Returns: the entry's id.
    Raises: RemittanceInvalid, AlreadyPosted.
    Idempotent: by `bank_reference`: a second booking is refused by the books.
    """
    if amount_minor <= 0 or not bank_reference:
        raise RemittanceInvalid(
            "A top-up needs the bank's reference and a positive amount.", custodian=custodian
        )
    draft = entries.topup(
        topup_id=f"{custodian}:{bank_reference}",
        custodian=custodian,
        amount_minor=amount_minor,
        currency=currency,
    )
    return ledger.post(draft=draft, at=at)
