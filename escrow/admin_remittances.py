"""The operators' view of what channels paid into the reserve. It only shows."""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from escrow.models import Remittance
from ledger import admin_panels as panels
from ledger import selectors as books
from merchants.admin_show import (
    ShownAdmin,
    amount_column,
    column,
    dates_filter,
    instant_column,
    named_filter,
)


def list_channels() -> list[str]:
    """The channels that are set up."""
    return list(settings.CHANNELS)


class RemittanceAdmin(ShownAdmin):
    list_display = [
        column(_("Their reference"), lambda row: panels.mono(row.provider_reference), name="ref"),
        column(_("Channel"), lambda row: row.channel, name="channel"),
        column(_("Custodian"), lambda row: row.custodian, name="custodian"),
        amount_column(_("Collected"), name="gross_minor"),
        amount_column(_("Channel fee"), name="fee_minor"),
        instant_column(_("Arrived"), name="remitted_at"),
    ]
    list_filter = [
        named_filter("channel", _("Channel"), list_channels),
        dates_filter("remitted_at", _("Arrived")),
    ]

    def found_by(self, term: str) -> Q:
        # The unique index begins with the channel.
        return Q(pk=term) | Q(channel__in=list_channels(), provider_reference=term)

    def heading(self, row: Remittance) -> dict[str, Any]:
        return {
            "kind": _("Remittance"),
            "name": row.provider_reference,
            "amount": panels.money(row.gross_minor - row.fee_minor, row.currency),
        }

    def panels(self, request: HttpRequest, row: Remittance) -> list[Any]:
        facts = panels.Facts(
            title=_("Remittance"),
            facts=[
                (_("Id"), panels.mono(row.pk)),
                (_("Channel"), row.channel),
                (_("Custodian"), row.custodian),
                (_("Collected"), panels.money(row.gross_minor, row.currency)),
                (_("Channel fee"), panels.money(row.fee_minor, row.currency)),
                (_("Arrived"), panels.instant(row.remitted_at)),
            ],
            side=True,
        )
        return [panels.journal(books.entries_of([row.entry_id])), facts]
