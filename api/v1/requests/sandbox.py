"""What callers send to the sandbox."""

from api.clock import LONGEST
from api.fields import StrictSerializer, WholeNumberField


class AdvanceRequest(StrictSerializer):
    """How far your platform's clock is moved ahead."""

    seconds = WholeNumberField(
        min_value=1,
        max_value=int(LONGEST.total_seconds()),
        help_text="Seconds, up to 90 days: 86400 is a day.",
    )
