"""The complaint of a buyer as the oracle sees it: whose move it is, until when, and what silence
means (docs/adr/0033). What an end brings to whom is in oracle.py.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

ANSWER, OFFER, SEND, RECEIVE, DECIDE = (
    timedelta(hours=48),
    timedelta(days=7),
    timedelta(days=7),
    timedelta(days=10),
    timedelta(days=60),
)
WINDOW = timedelta(days=7)
AGAIN = timedelta(days=1)  # for money that was not there
MOST = 3  # complaints about one order


@dataclass
class Complaint:
    """`state` and `waits` as in docs/states.md. `parked`: what is decided and not there yet."""

    id: str
    opened_at: datetime
    asked: int
    stake: int
    due: datetime | None  # None: until a freeze is lifted
    state: str = "OPEN"
    waits: str = "MERCHANT"
    offer: int | None = None
    goods_first: bool = False
    parked: int | None = None

    @property
    def decide_by(self) -> datetime:
        return self.opened_at + DECIDE

    @property
    def phase(self) -> str:
        return f"{self.state}/{self.waits}"

    def to(self, phase: str, due: datetime | None) -> None:
        self.state, self.waits = phase.split("/")
        self.due = due

    def may(self, *phases: str) -> bool:
        return self.parked is None and self.phase in phases
