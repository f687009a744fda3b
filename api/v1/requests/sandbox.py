"""What callers send to the sandbox."""

from api.clock import LONGEST
from api.fields import AmountField, StrictSerializer, WholeNumberField


class AdvanceRequest(StrictSerializer):
    """How far your platform's clock is moved ahead."""

    seconds = WholeNumberField(
        min_value=1,
        max_value=int(LONGEST.total_seconds()),
        help_text="Seconds, up to 90 days: 86400 is a day.",
    )


class PayDebtRequest(StrictSerializer):
    """What a seller pays of a debt: what is asked for, less or more."""

    amount_minor = AmountField(
        min_value=1, help_text="How much, in minor units of the debt's currency."
    )
