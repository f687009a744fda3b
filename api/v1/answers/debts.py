"""What is answered about debts: what payees still have to give back of money that went back."""

from api.v1.answers.fields import Answer, amount, code, instant, later, text


class DebtStepAnswer(Answer):
    """One payment of a debt, or its end."""

    kind = text("NETTED, REPAID, GUARANTEED or WRITTEN_OFF.")
    amount_minor = amount("By how much the debt got smaller, in minor units of its currency.")
    provider_reference = code("The bank's reference of a payment.")
    settlement = code(
        "Id of the statement this was deducted on, set_….", source="deduction.settlement_id"
    )
    happened_at = instant("When.")


class ReserveAccountAnswer(Answer):
    """The account a seller pays into."""

    class Meta:
        ref_name = "ReserveAccount"

    account_name = text("Whose account it is.")
    account_number = text("Its number, or IBAN.")
    bank_name = text("The bank.")
    bank_code = code("BIC, or the number of the branch.")


class DebitRequestAnswer(Answer):
    """What the seller was asked to pay of it, into the reserve, by its bank."""

    class Meta:
        ref_name = "RequestedDebit"  # in the description "…Request" is what callers send

    id = text("Id of the request, dbr_….")
    payment_reference = text("What the seller writes on the bank payment.")
    amount_minor = amount("What was asked for at first, in minor units of the debt's currency.")
    due_at = instant("Until when it is to be paid.")
    state = text("OPEN, PAID or WITHDRAWN.")
    pay_to = ReserveAccountAnswer(
        allow_null=True,
        read_only=True,
        help_text="Where to pay; null: the account is not configured any more. Do not pay then.",
    )


class DebtAnswer(Answer):
    """What one payee owes of one refund or chargeback: it had been paid and had nothing left."""

    id = text("Id of the debt, dbt_….")
    payee = text("MERCHANT, PLATFORM, TAX or PARTY.")
    merchant = code("Id of the seller who owes it.", source="merchant_id")
    party = code("Id of the further party who owes it.", source="party_id")
    refund = code("Id of the refund that caused it, ref_….", source="refund_id")
    dispute = code("Id of the chargeback that caused it, dsp_….", source="dispute_id")
    order = code("Id of the refunded order.", source="order_id")
    state = text("OPEN, SETTLED or WRITTEN_OFF.")
    currency = text("ISO 4217 code of all amounts.")
    amount_minor = amount("What was owed at first, in minor units.")
    open_minor = amount("What is still owed, in minor units.")
    steps = DebtStepAnswer(
        many=True, source="steps.all", help_text="How it got smaller, oldest first."
    )
    debit_request = DebitRequestAnswer(
        allow_null=True,
        read_only=True,
        help_text="What the seller was asked to pay last; null: it was not asked.",
    )
    created_at = instant("Since when it is owed.")
    guaranteed_at = later("From when on the platform's commission pays it.")
    closed_at = later("When nothing was owed any more.")
