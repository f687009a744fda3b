"""The operators' view of the books. It only shows: nobody adds, changes or deletes here."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from ledger import admin_panels as panels
from ledger import selectors
from ledger.entries import EntryKind
from ledger.models import Account, AccountClass, JournalEntry, Route


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships without types
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.display(description=_("Kind"))
def kind(row: JournalEntry | Route) -> Any:
    return panels.KINDS.get(row.kind, row.kind)


@admin.display(description=_("Account class"))
def account_class(row: Route | Account) -> Any:
    return panels.CLASSES.get(row.account_class_id, row.account_class_id)


@admin.register(AccountClass)
class AccountClassAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "kind_of_account", "is_guarded", "is_customers", "meaning")
    ordering = ("kind", "code")
    sortable_by = ()
    fields = ("code", "name", "kind_of_account", "side", "is_guarded", "is_customers", "pattern")
    readonly_fields = fields

    @admin.display(description=_("Name"))
    def name(self, row: AccountClass) -> Any:
        return panels.CLASSES.get(row.code, row.code)

    @admin.display(description=_("Kind"))
    def kind_of_account(self, row: AccountClass) -> Any:
        return row.kind

    @admin.display(description=_("Guarded"), boolean=True)
    def is_guarded(self, row: AccountClass) -> bool:
        return row.guarded

    @admin.display(description=_("Customers' money"), boolean=True)
    def is_customers(self, row: AccountClass) -> bool:
        return row.customers


@admin.register(Route)
class RouteAdmin(ReadOnlyAdmin):
    list_display = (kind, "debit_or_credit", account_class)
    ordering = ("kind", "-side", "account_class_id")
    sortable_by = ()
    fields = (kind, "debit_or_credit", account_class)
    readonly_fields = fields

    @admin.display(description=_("Side"))
    def debit_or_credit(self, row: Route) -> Any:
        return _("Dr") if row.side == "D" else _("Cr")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("shown_address", account_class, "shown_currency", "is_guarded")
    list_filter = ("account_class", "currency")
    search_fields = ("address__exact",)
    search_help_text = _("Search by id or reference, written in full")
    ordering = ("address", "currency")
    sortable_by = ()
    show_full_result_count = False
    fields = ("id", "shown_address", "shown_currency", account_class, "balance", "is_guarded")
    readonly_fields = fields

    @admin.display(description=_("Address"))
    def shown_address(self, account: Account) -> SafeString | str:
        return panels.mono(account.address)

    @admin.display(description=_("Currency"))
    def shown_currency(self, account: Account) -> str:
        return account.currency

    @admin.display(boolean=True, description=_("Guarded"))
    def is_guarded(self, account: Account) -> bool:
        return account.is_guarded

    @admin.display(description=_("Balance"))
    def balance(self, account: Account) -> SafeString | str:
        amount = selectors.balance(address=account.address, currency=account.currency)
        return panels.money(amount, account.currency)


class KindFilter(admin.SimpleListFilter):
    title = _("Kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(each.value, panels.KINDS[each.value]) for each in EntryKind]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[JournalEntry]
    ) -> QuerySet[JournalEntry]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("number", kind, "shown_reference", "subject_journal", "amount", "happened")
    list_filter = (KindFilter, "currency")
    # Exact, by the indexes: a search for a part of a word would read the whole journal.
    search_fields = ("reference__exact", "subject__exact")
    search_help_text = _("Search by id or reference, written in full")
    ordering = ("-id",)
    sortable_by = ()
    show_full_result_count = False
    list_per_page = 50
    change_form_template = "admin/shown.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        found: QuerySet[JournalEntry] = super().get_queryset(request)
        return found.prefetch_related("postings__account")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        entry = kwargs["obj"]
        context |= {
            "main_panels": [panels.journal([entry], title=_("Postings"))],
            "side_panels": [self.facts(entry)],
            "heading": {
                "kind": _("Journal entry"),
                "name": f"#{entry.pk}",
                "amount": self.amount(entry),
                "state": panels.badge(kind(entry), "info"),
            },
            "show_history": False,
        }
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer

    def facts(self, entry: JournalEntry) -> panels.Facts:
        reverses = panels.link("ledger_journalentry", entry.reverses_id, f"#{entry.reverses_id}")
        return panels.Facts(
            title=_("Entry"),
            facts=[
                (_("Reference"), panels.mono(entry.reference)),
                (_("Subject"), self.subject_journal(entry)),
                (_("Happened"), panels.instant(entry.event_at)),
                (_("Written down"), panels.instant(entry.created_at)),
                (_("Reverses"), reverses),
            ],
            side=True,
        )

    @admin.display(description=_("Entry"))
    def number(self, entry: JournalEntry) -> str:
        return f"#{entry.pk}"

    @admin.display(description=_("Reference"))
    def shown_reference(self, entry: JournalEntry) -> SafeString | str:
        return panels.mono(entry.reference)

    @admin.display(description=_("Subject"))
    def subject_journal(self, entry: JournalEntry) -> SafeString:
        return format_html(
            '<a class="hf-link hf-mono" href="{}?q={}">{}</a>',
            panels.list_url("ledger_journalentry"),
            entry.subject,
            entry.subject,
        )

    @admin.display(description=_("Amount"))
    def amount(self, entry: JournalEntry) -> SafeString | str:
        debits = sum(each.amount_minor for each in entry.postings.all() if each.amount_minor > 0)
        return panels.money(debits, entry.currency)

    @admin.display(description=_("Happened"))
    def happened(self, entry: JournalEntry) -> str:
        return panels.instant(entry.event_at)
