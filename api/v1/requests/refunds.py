"""What callers send about refunds: the shape of every body."""

from api.fields import AmountField, StrictSerializer, TextField, WholeNumberField
from common.ids import MAX_LENGTH
from escrow.services.order_refunds import MAX_REASON
from orders.services.creation import MAX_LINES


class LineRefundRequest(StrictSerializer):
    """What of one line goes back."""

    position = WholeNumberField(
        min_value=1, max_value=MAX_LINES, help_text="Which line of the order: 1, 2, 3 …"
    )
    amount_minor = AmountField(
        required=False,
        min_value=1,
        help_text="How much of it, in minor units of the order's currency; left out: all that is "
        "left of it.",
    )


class RefundRequest(StrictSerializer):
    """Money of an order that goes back to its buyer: all that is left, an amount, or lines."""

    order = TextField(max_length=MAX_LENGTH, help_text="Id of the order, ord_….")
    amount_minor = AmountField(
        required=False,
        min_value=1,
        help_text="How much, in minor units of the order's currency; left out: the sum of the "
        "lines, or all that is left.",
    )
    lines = LineRefundRequest(
        many=True,
        required=False,
        default=list,
        max_length=MAX_LINES,
        help_text="What goes back of which lines, instead of an amount.",
    )
    reason = TextField(max_length=MAX_REASON, help_text="Why, for your own books and the buyer.")
