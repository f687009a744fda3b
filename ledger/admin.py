"""The operators' view of the books. It only shows: nobody adds, changes or deletes here."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from common.money import Money
from ledger import selectors
from ledger.models import Account, AccountClass, JournalEntry, Route


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships without types
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(AccountClass)
class AccountClassAdmin(ReadOnlyAdmin):
    list_display = ("code", "kind", "side", "guarded", "customers", "meaning")
    list_filter = ("kind", "guarded", "customers")
    ordering = ("kind", "code")


@admin.register(Route)
class RouteAdmin(ReadOnlyAdmin):
    list_display = ("kind", "side", "account_class")
    list_filter = ("kind", "side")
    list_select_related = ("account_class",)
    ordering = ("kind", "-side", "account_class_id")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("address", "currency", "account_class", "is_guarded")
    list_filter = ("account_class", "currency")
    list_select_related = ("account_class",)
    search_fields = ("address",)
    ordering = ("address", "currency")
    fields = ("id", "address", "currency", "account_class", "balance")
    readonly_fields = fields

    @admin.display(boolean=True, description="guarded")
    def is_guarded(self, account: Account) -> bool:
        return account.is_guarded

    @admin.display(description="balance")
    def balance(self, account: Account) -> str:
        amount = selectors.balance(address=account.address, currency=account.currency)
        return str(Money(amount, account.currency))


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "reference", "subject", "currency", "event_at")
    list_filter = ("kind", "currency")
    # Exact, by the indexes: a search for a part of a word would read the whole journal.
    search_fields = ("=reference", "=subject")
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        "id",
        "kind",
        "reference",
        "subject_journal",
        "currency",
        "event_at",
        "created_at",
        "reversed_entry",
        "postings_table",
    )
    readonly_fields = fields


    @admin.display(description="subject")
    def subject_journal(self, entry: JournalEntry) -> SafeString:
        journal = reverse("admin:ledger_journalentry_changelist")
        return format_html('<a href="{}?q={}">{}</a>', journal, entry.subject, entry.subject)

    @admin.display(description="reverses")
    def reversed_entry(self, entry: JournalEntry) -> Any:
        if entry.reverses_id is None:
            return "-"
        page = reverse("admin:ledger_journalentry_change", args=(entry.reverses_id,))
        return format_html('<a href="{}">entry {}</a>', page, entry.reverses_id)

    @admin.display(description="postings")
    def postings_table(self, entry: JournalEntry) -> SafeString:
        """The entry as an accountant reads it: one line per leg, debits and credits in two columns."""
        postings = entry.postings.select_related("account").order_by("leg")
        lines = format_html_join(
            "",
            '<tr><td class="px-3 py-1">{}</td><td class="px-3 py-1"><a href="{}">{}</a></td>'
            '<td class="px-3 py-1 text-right">{}</td><td class="px-3 py-1 text-right">{}</td></tr>',
            (
                (
                    posting.leg,
                    reverse("admin:ledger_account_change", args=(posting.account_id,)),
                    posting.account.address,
                    Money(posting.amount_minor, entry.currency) if posting.amount_minor > 0 else "",
                    Money(-posting.amount_minor, entry.currency) if posting.amount_minor < 0 else "",
                )
                for posting in postings
            ),
        )
        return format_html(
            '<table><thead><tr><th class="px-3">Leg</th><th class="px-3">Account</th>'
            '<th class="px-3">Dr</th><th class="px-3">Cr</th></tr></thead><tbody>{}</tbody></table>',
            lines,
        )
