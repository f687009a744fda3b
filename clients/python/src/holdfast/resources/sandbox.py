"""What a test key may do besides. Signatures only: see holdfast._operations."""

# mypy: disable-error-code="empty-body"

from holdfast import models
from holdfast._operations import Mode, Resource, get, post


class Sandbox(Resource[Mode]):
    """The test clock, the buyer at the sandbox's cashier, and a seller in debt at its bank."""

    @get("/v1/sandbox/clock")
    def clock(self) -> models.Clock:
        """Read what time it is on your platform's clock."""
        ...

    @post("/v1/sandbox/clock/advance")
    def advance_clock(self, *, seconds: int, idempotency_key: str | None = None) -> models.Advance:
        """Move your platform's clock ahead; what is due on the way happens, in order."""
        ...

    @post("/v1/sandbox/payments/{payment_id}/pay")
    def pay(self, payment_id: str, *, idempotency_key: str | None = None) -> models.Payment:
        """Pay as the buyer would."""
        ...

    @post("/v1/sandbox/debts/{debt_id}/pay")
    def pay_debt(
        self, debt_id: str, *, amount_minor: int, idempotency_key: str | None = None
    ) -> models.Debt:
        """Pay a debt as the seller would who was asked to."""
        ...
