"""Every kind of long work people can ask for, on one screen: what it is called and who does it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import order_export
from portal.jobs import Outcome, Work


@dataclass(frozen=True, slots=True)
class Kind:
    """`run` may be called again for the same job, by another worker, and must then do nothing
    twice. `counts`: what the numbers of its outcome are called. `back`: the page it belongs to."""

    label: str | Promise
    run: Callable[[Work], Outcome]
    counts: dict[str, str | Promise]
    back: str


KINDS: dict[str, Kind] = {
    order_export.KIND: Kind(
        _("Export of orders"),
        order_export.write_orders,
        {"rows": _("Orders in the file"), "left_out": _("Left out, too many for one file")},
        "portal:orders",
    ),
}
