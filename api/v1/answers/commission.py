"""What is answered to questions about commission that change nothing."""

from api.v1.answers.fields import Answer, amount, text, whole
from api.v1.answers.orders import PartyPartAnswer, RemarkAnswer


class ExplainedAnswer(Answer):
    """What a sale would pay, and why. All amounts in minor units of the sale's currency."""

    amount_minor = amount("What the buyer would pay.", source="terms.amount_minor")
    commission_minor = amount("The platform's commission.", source="terms.commission_minor")
    tax_minor = amount("Tax on the commission, to the platform too.", source="terms.tax_minor")
    parties = PartyPartAnswer(
        many=True, source="terms.parties", help_text="What further parties would get."
    )
    service_fee_minor = amount("Holdfast's fee.", source="terms.service_fee_minor")
    seller_minor = amount("What is left for the seller.", source="terms.seller_minor")
    explanation = RemarkAnswer(
        many=True, source="remarks", help_text="How the split comes about, step by step."
    )


class RepricedAnswer(Answer):
    order = text("Id of the order.", source="order_id")
    currency = text("ISO 4217 code of all amounts.", source="old.currency")
    amount_minor = amount("What the buyer paid, in minor units.", source="old.amount_minor")
    old_commission_minor = amount(
        "Commission by the order's own terms, in minor units.", source="old.commission_minor"
    )
    new_commission_minor = amount(
        "Commission it would have been, in minor units.", source="new.commission_minor"
    )
    difference_minor = whole("New less old, in minor units; may be negative.")


class TotalAnswer(Answer):
    currency = text("ISO 4217 code of all amounts.")
    orders = whole("Number of orders.")
    amount_minor = amount("What their buyers paid, in minor units.")
    old_commission_minor = amount("Commission by their own terms, in minor units.")
    new_commission_minor = amount("Commission it would have been, in minor units.")
    old_seller_minor = amount("The sellers' part by their own terms, in minor units.")
    new_seller_minor = amount("The sellers' part it would have been, in minor units.")


class ComparisonAnswer(Answer):
    """Past orders priced again; nothing is changed."""

    orders = RepricedAnswer(many=True, help_text="Order by order, newest first.")
    totals = TotalAnswer(many=True, help_text="One total per currency.")
