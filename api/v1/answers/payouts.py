"""What is answered about statements and payouts."""

from api.v1.answers.fields import Answer, Related, amount, code, instant, later, text, truth, whole


class SettlementLineAnswer(Answer):
    order = text("Id of the order.", source="release.hold.order_id")
    order_reference = text("Your own order number.", source="release.hold.order.reference")
    release = text("Id of the release, rel_….", source="release_id")
    kind = text("SALE, or RESERVE_FREED: what was held back of a sale and is paid now.")
    amount_minor = amount("The payee's part, in minor units of the statement's currency.")
    owed_at = instant("When it was released, or freed.")


class DeductionAnswer(Answer):
    """What was taken from the payee, for a refund, a chargeback or the debt it left."""

    refund = code("Id of the refund, ref_….", source="refund_id")
    dispute = code("Id of the chargeback, dsp_….", source="dispute_id")
    debt = code("Id of the debt it pays, dbt_….", source="step.debt_id")
    order = code("Id of the refunded order.", source="order_id")
    amount_minor = amount("What the payee gets less, in minor units of the statement's currency.")
    taken_at = instant("When it was taken.")


class ReserveStatementAnswer(Answer):
    """What the seller's rolling reserve did since the statement before, in minor units."""

    opening_minor = amount("What was held back at the statement before.")
    kept_minor = amount("Held back of releases since.")
    freed_minor = amount("Freed since; it is among the lines.")
    taken_minor = amount("Taken since, for refunds and chargebacks.")
    closing_minor = amount("What is held back at this cutoff.")


class SettlementAnswer(Answer):
    """The statement of one cutoff: what is paid together."""

    id = text("Id of the statement, set_….")
    payee = text("MERCHANT, PARTY or PLATFORM: whom it is for.")
    merchant = code("Id of the seller, when it is one.", source="merchant_id")
    party = code("Id of the further party, when it is one.", source="party_id")
    currency = text("ISO 4217 code of all amounts.")
    amount_minor = amount("Sum of its lines less its deductions, in minor units.")
    line_count = whole("Number of its lines.")
    cutoff_at = instant("What was released before is on it.")


class SettlementDetailAnswer(SettlementAnswer):
    """A statement with its lines and what is deducted from them."""

    lines = SettlementLineAnswer(many=True, help_text="What is paid, oldest first.")
    deductions = DeductionAnswer(
        many=True, help_text="What is taken off for refunds and debts, oldest first."
    )
    reserve = ReserveStatementAnswer(
        allow_null=True,
        read_only=True,
        help_text="The seller's rolling reserve; null when nothing was ever held back.",
    )


class PayoutAnswer(Answer):
    """One attempt to pay a statement to a bank account."""

    id = text("Id of the payout, po_…; our reference at the bank.")
    settlement = Related(
        whole=SettlementAnswer, attribute="settlement", help_text="The statement it pays."
    )
    payee = text("MERCHANT, PARTY or PLATFORM: whom it is for.")
    merchant = code("Id of the seller, when it is one.", source="merchant_id")
    party = code("Id of the further party, when it is one.", source="party_id")
    state = text("PENDING, APPROVED, SENDING, PAID, FAILED, UNKNOWN or RETURNED.")
    currency = text("ISO 4217 code.")
    amount_minor = amount("What the payee receives, in minor units.")
    bank_account = text("Id of the bank account, bac_….", source="bank_account_id")
    holder_name = text("Holder of the account when the payout was cut.")
    last_four = text("Last four characters of the account number.")
    needs_approval = truth("Whether a person must approve it.")
    frozen = truth("Whether it is kept from the bank for now. Holdfast never says why.")
    created_at = instant("When it was cut.")
    paid_at = later("When the bank had paid it.")
    returned_at = later("When the bank sent it back.")
    failure_code = code("Why it failed or came back.")
