"""Admins that show money: lists without a count of the whole table, pages made of panels.

They must never offer to change, add or delete a row; an action calls one service.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from ledger import admin_panels as panels
from merchants.admin_pages import ReadOnlyAdmin

Text = str | Promise
AMOUNT, STATE = _("Amount"), _("State")
COUNTED = 10_000  # rows a list counts at most: beyond them, people search or filter


class CappedPaginator(Paginator):
    """Counts no further than `COUNTED`, so that a list opens fast however many rows there are."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:COUNTED].count()


class ShownAdmin(ReadOnlyAdmin):
    """Lists rows by primary key, newest first, and shows one as panels."""

    change_form_template = "admin/shown.html"
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ["-pk"]
    sortable_by = ()
    search_fields = ["pk"]
    search_help_text = _("Search by id or reference, written in full")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.full_result_count = changelist.result_count  # there is no full count to show
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(self.found_by(term)) if term else queryset), False

    def found_by(self, term: str) -> Q:
        """Which rows a search means: exact, by an index."""
        return Q(pk=term)

    def panels(self, request: HttpRequest, row: Any) -> list[Any]:
        """What the page of a row shows, in this order."""
        raise NotImplementedError

    def notices(self, request: HttpRequest, row: Any) -> list[str]:
        """Sentences above the page, such as why an action is refused."""
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            shown = self.panels(request, row)
            context |= {
                "main_panels": [panel for panel in shown if not panel.side],
                "side_panels": [panel for panel in shown if panel.side],
                "notices": self.notices(request, row),
                "heading": self.heading(row),
                "show_history": False,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def heading(self, row: Any) -> dict[str, Any]:
        """The name, state and amount at the top of a row's page."""
        return {"kind": self.opts.verbose_name, "name": str(row)}


def column(label: Text, read: Callable[[Any], Any], *, name: str) -> Callable[[Any], Any]:
    """Make a column of a list; it is not sortable, because few of them have an index."""

    @display(description=label)
    def shown(row: Any) -> Any:
        return read(row)

    shown.__name__ = name
    return shown


def amount_column(
    label: Text = AMOUNT, *, name: str = "amount_minor", of: str = ""
) -> Callable[[Any], Any]:
    """Make a column of money in the row's currency."""
    return column(
        label, lambda row: panels.money(getattr(row, of or name), row.currency), name=name
    )


def instant_column(label: Text, *, name: str) -> Callable[[Any], Any]:
    return column(label, lambda row: panels.instant(getattr(row, name)), name=name)


def state_column(
    tones: Mapping[str, str], *, label: Text = STATE, name: str = "state"
) -> Callable[[Any], Any]:
    """Make a column of colored badges. `tones`: success, warning, danger, info or default."""

    @display(description=label, label=dict(tones))
    def shown(row: Model) -> tuple[str, str]:
        return getattr(row, name), getattr(row, f"get_{name}_display")()

    shown.__name__ = name
    return shown


def state_badge(row: Any, tones: Mapping[str, str]) -> Any:
    return panels.badge(row.get_state_display(), tones.get(row.state, "default"))


def choices_filter(name: str, title: Text) -> tuple[str, type[admin.FieldListFilter]]:
    """Filter by a column with choices, under a translated title."""
    return name, _titled(admin.ChoicesFieldListFilter, title)


def dates_filter(name: str, title: Text) -> tuple[str, type[admin.FieldListFilter]]:
    return name, _titled(admin.DateFieldListFilter, title)


def empty_filter(name: str, title: Text) -> tuple[str, type[admin.FieldListFilter]]:
    """Filter by whether a column is empty."""
    return name, _titled(admin.EmptyFieldListFilter, title)


def related_filter(name: str, title: Text) -> tuple[str, type[admin.FieldListFilter]]:
    return name, _titled(admin.RelatedOnlyFieldListFilter, title)


def _titled(base: type[admin.FieldListFilter], title: Text) -> type[admin.FieldListFilter]:
    class Titled(base):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled


def named_filter(
    name: str, title: Text, names: Callable[[], Sequence[str]]
) -> type[admin.SimpleListFilter]:
    """Filter by a column that holds one of a few names from the settings."""

    class Named(admin.SimpleListFilter):
        parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(each, each) for each in names()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{name: self.value()}) if self.value() else queryset

    Named.title = title  # type: ignore[assignment]
    return Named


def audit_steps(row: Any, *, labels: Mapping[str, Text]) -> panels.Steps:
    """Who changed a row and why, from its audit rows, oldest first. `labels`: by state."""
    steps = []
    for number, kept in enumerate(row.audit.order_by("pgh_id")[:100]):
        facts = kept.pgh_context or {}
        said = [part for part in (facts.get("actor"), facts.get("reason")) if part]
        title = labels.get(kept.state, kept.state)
        if number and steps[-1].title == title:
            title = gettext("Updated")
        steps.append(panels.Step(title, kept.pgh_created_at, " · ".join(said)))
    return panels.Steps(_("Who and why"), steps)
