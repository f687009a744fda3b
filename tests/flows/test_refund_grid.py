"""Every refund there is as a worked example: when x how much x cuts kept, returned or shared x
payees that have, or have not, what they are to give.

The journals are checked in under golden/refunds, one file per moment and fate of the cuts; what
each party must end up with is worked out on paper besides (refund_arithmetic). UPDATE_GOLDEN=1
writes the files anew; then read them as an accountant would.
"""

import os
from pathlib import Path

import pytest

from escrow.models import Debt
from tests.flows.refund_arithmetic import PAYEES, by_pot
from tests.flows.refund_grid import (
    CHANNEL_FEES,
    FEES,
    MOMENTS,
    PARTS,
    Cell,
    list_cells,
    returned_bps,
)
from tests.flows.refund_story import got, left_by_the_books, money, paid_out
from tests.world import audit

GOLDEN = Path(__file__).with_name("golden") / "refunds"
HEAD = """\
Refund {moment}, cuts {fees}

One order of 100.01: goods 90.01, shipping 10.00. Commission 5 % of the goods, tax 6 % of the
commission, a courier 1.5 % of the goods, service fee 0.6 % of everything; the seller has the rest.
A refund of everything gives back {percent} % of each cut{channel}{because}.
Amounts in CNY. Dr = debit, Cr = credit. In the closing table: share = of the order when nothing
is refunded; given = back, in all; left = share less given; at once = given out of what the payee
had; owed = given as a debt; paid later = of that, by later sales. Buyer: paid, and got back.
"""
CHANNEL = """; but of
the service fee the channel's part, 0.38 % of everything, comes back by {percent} %"""
KEPT_BEFORE = """; but while
the money is held nothing is earned, so nothing is kept of an order refunded whole"""
NO_PAYABLE = """\
{title}: payees have too little

There is no such case: the money is still held, so no payee has been given anything yet that it
could lack; the buyer is paid out of what is held.
"""
pytestmark = pytest.mark.usefixtures("transactional_db")


def check(cell: Cell) -> None:
    """Hold the rows and the books against the paper."""
    rows, paper = cell.story.close(cell.order), cell.paper
    assert {name: row.share for name, row in rows.items()} == paper.shares
    assert {name: row.given for name, row in rows.items()} == {p: paper.given[p] for p in PAYEES}
    assert {name: row.owed for name, row in rows.items()} == {p: paper.owed[p] for p in PAYEES}
    assert {name: row.paid_later for name, row in rows.items()} == {
        p: paper.owed[p] for p in PAYEES
    }
    books = left_by_the_books(cell.order)
    for account, amount in by_pot(paper.left).items():
        assert books.get(account, 0) == amount, (account, books)
    assert books.get("held", 0) == 0
    assert paid_out() == {name: cell.earned[name] for name in ("seller", "platform")}
    assert got(cell.order) == paper.refunded_minor == sum(paper.given.values())
    assert any(paper.owed.values()) is not cell.sufficient
    assert not Debt.objects.exclude(state="SETTLED").exists()
    assert audit() == []


def title(cell: Cell) -> str:
    parts = " + ".join(money(part) for part in PARTS[cell.parts] if part)
    return f"{cell.parts.capitalize()}{f' ({parts})' if parts else ''}"


@pytest.mark.parametrize("fees", [*FEES, *CHANNEL_FEES])
@pytest.mark.parametrize("moment", MOMENTS)
def test_refund_leaves_the_golden_books_and_every_party_at_its_amount(
    moment: str, fees: str
) -> None:
    returned, channel = returned_bps(fees), CHANNEL_FEES.get(fees)
    because = KEPT_BEFORE if moment == "before_release" and returned < 10_000 else ""
    said = moment.replace("_", " ")
    sections = [
        HEAD.format(
            moment=said,
            fees=fees.replace("_", " "),
            percent=returned // 100,
            channel="" if channel is None else CHANNEL.format(percent=money(channel)),
            because=because,
        )
    ]
    for cell in list_cells(moment, fees):
        cell.play()
        check(cell)
        whole = cell.parts != "partial"
        if whole and (moment == "before_release" or fees == "returned"):
            assert set(cell.paper.left.values()) == {0}
        enough = "what they give is there" if cell.sufficient else "payees have too little"
        sections.append("\n\n".join([f"{title(cell)}: {enough}", *cell.story.blocks]) + "\n")
        if moment == "before_release":
            sections.append(NO_PAYABLE.format(title=title(cell)))

    text = f"\n{'=' * 99}\n".join(sections)
    golden = GOLDEN / f"{moment}_{fees}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_of_the_grid() -> None:
    names = {f"{moment}_{fees}" for moment in MOMENTS for fees in (*FEES, *CHANNEL_FEES)}
    assert {path.stem for path in GOLDEN.glob("*")} == names
