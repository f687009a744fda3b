"""Every kind of long work people can ask for, on one screen: what it is called and who does it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import bulk_shipping, order_export, plan_replay, statement_runs
from portal.jobs import Outcome, Work


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name of a job stands for.

    `run` may be called again for the same job, by another worker, and must then do nothing twice.
    `counts`: what the numbers of its outcome are called. `back`: the page it belongs to. `review`:
    where a draft of it is looked at and confirmed. `shows`: the page of what came out, where that
    is more than a file.
    """

    label: str | Promise
    run: Callable[[Work], Outcome]
    counts: dict[str, str | Promise]
    back: str
    review: str = ""
    shows: str = ""


KINDS: dict[str, Kind] = {
    order_export.KIND: Kind(
        _("Export of orders"),
        order_export.write_orders,
        {"rows": _("Orders in the file"), "left_out": _("Left out, too many for one file")},
        "portal:orders",
    ),
    bulk_shipping.KIND: Kind(
        _("Parcels from a file"),
        bulk_shipping.ship_rows,
        {
            "shipped": _("Parcels shipped"),
            "known": _("Parcels that were shipped before"),
            "failed": _("Rows that failed"),
        },
        "portal:orders",
        "portal:ship-review",
    ),
    statement_runs.KIND: Kind(
        _("Statements of some time"),
        statement_runs.write_statements,
        {
            "statements": _("Statements in the file"),
            "left_out": _("Left out, too many for one file"),
        },
        "portal:payouts",
    ),
    plan_replay.KIND: Kind(
        _("Past orders under a draft"),
        plan_replay.price_orders,
        {"orders": _("Orders priced"), "left_out": _("Left out, too many at once")},
        "portal:plans",
        shows="portal:plan-trial",
    ),
}
