"""The operators' view of people, accounts, keys and rules.

Names, languages and deadlines are edited here; everything else is added, ended or revoked by a
service. An account number, a key or its hash must never be shown.
"""

from dataclasses import asdict
from typing import Any

import pghistory
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from ledger import admin_panels as panels
from merchants import admin_plans, forms, services
from merchants.admin_pages import ReadOnlyAdmin, ServiceAdmin, operator, service_page
from merchants.models import (
    ApiKey,
    BankAccountState,
    Branding,
    CommissionPlan,
    CommissionRule,
    Invitation,
    Merchant,
    Party,
    Platform,
    ProposalVerb,
    User,
)
from merchants.services import proposals


class EditedAdmin(ServiceAdmin):
    """Lets operators change the few harmless columns left open, and records who did it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with pghistory.context(actor=operator(request), reason="edited in the admin"):
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what was edited and nothing else: a platform's clock may have moved meanwhile."""
        obj.save(update_fields=form.changed_data)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "platform", "merchant", "is_staff", "is_active"]
    list_filter = ["is_staff", "is_superuser", "is_active", "platform"]
    list_select_related = ["platform", "merchant"]
    raw_id_fields = ["platform", "merchant"]
    # Rights come by the groups alone, which the migrations write (operators/roles.py).
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ["username", "password"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Permissions"), {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        (_("Belongs to"), {"fields": ["language", "time_zone", "platform", "merchant", "role"]}),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    )

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Platform)
class PlatformAdmin(EditedAdmin):
    list_display = ["name", "name_zh", "slug", "mode", "currency", "service_fee_bps", "created_at"]
    list_filter = ["mode"]
    search_fields = ["name", "name_zh", "slug", "id"]
    readonly_fields = [
        "id",
        "slug",
        "mode",
        "live_platform",
        "clock_offset",
        "currency",
        "service_fee_bps",
        "account_cooloff_hours",
        "created_at",
    ]
    actions_list = ["create"]
    actions_detail = ["set_cooloff"]

    @action(description=_("Add platform"), permissions=["create"])
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Add platform"),
            form_class=forms.PlatformForm,
            call=services.create_platform,
        )

    @action(description=_("Set the cool-off of bank accounts"), permissions=["operate"])
    def set_cooloff(self, request: HttpRequest, object_id: str) -> HttpResponse:
        platform = get_object_or_404(Platform, pk=object_id)
        return service_page(
            self,
            request,
            title=_("Set the cool-off of bank accounts"),
            form_class=forms.CooloffForm,
            call=proposals.propose_change,
            arguments={
                "verb": ProposalVerb.COOLOFF,
                "subject": platform.pk,
                "platform": platform,
                "proposed_by": request.user,
            },
            passes_reason=True,
            initial={"hours": platform.account_cooloff_hours},
            explanation=_now("Nothing changes until another person approves it."),
            object_id=platform.pk,
            platform=platform,
        )


@admin.register(Merchant)
class MerchantAdmin(EditedAdmin):
    list_display = ["name", "reference", "platform", "email", "language", "active"]
    list_filter = ["active", "platform"]
    list_select_related = ["platform"]
    search_fields = ["name", "reference", "email", "id"]
    readonly_fields = ["id", "platform", "reference", "created_at"]
    actions_list = ["create"]

    @action(description=_("Add merchant"), permissions=["create"])
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Add merchant"),
            form_class=forms.MerchantForm,
            call=services.create_merchant,
        )


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "masked",
        "platform",
        "mode",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter = ["mode", "platform"]
    list_select_related = ["platform"]
    fields = [
        "name",
        "masked",
        "platform",
        "mode",
        "scopes",
        "api_version",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    readonly_fields = ["masked"]
    actions_list = ["create"]
    actions_detail = ["roll", "revoke"]

    @display(description=_("key"))
    def masked(self, key: ApiKey) -> str:
        return str(key)

    @action(description=_("Create API key"), permissions=["create"])
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Create API key"),
            form_class=forms.ApiKeyForm,
            call=services.create_api_key,
            fresh=True,
            show_secret=lambda answer: answer[1],
            secret_label=_now("Copy the key now: it is shown this once and stored nowhere."),
        )

    @action(description=_("Roll"), permissions=["operate"])
    def roll(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = get_object_or_404(ApiKey, pk=object_id)
        return service_page(
            self,
            request,
            title=_("Roll API key"),
            form_class=forms.ApiKeyRollForm,
            call=services.roll_api_key,
            fresh=True,
            arguments={"public_id": key.public_id},
            explanation=_now("Its successor may do the same; until %(key)s ends, both are valid.")
            % {"key": key},
            show_secret=lambda answer: answer[1],
            secret_label=_now("Copy the key now: it is shown this once and stored nowhere."),
        )

    @action(description=_("Revoke"), permissions=["operate"])
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = get_object_or_404(ApiKey, pk=object_id)
        return service_page(
            self,
            request,
            title=_("Revoke"),
            call=services.revoke_api_key,
            arguments={"public_id": key.public_id},
            explanation=_now("%(key)s stops working at once.") % {"key": key},
        )


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin):
    list_display = ["name", "reference", "platform", "created_at"]
    list_filter = ["platform"]
    list_select_related = ["platform"]
    search_fields = ["name", "reference", "id"]
    readonly_fields = ["accounts", "payouts"]
    actions_list = ["create"]

    @display(description=_("bank accounts"))
    def accounts(self, party: Party) -> Any:
        """Where it is paid, for each currency."""
        active = party.bank_accounts.filter(state=BankAccountState.IN_FORCE).order_by("currency")
        shown = [
            (panels.link("merchants_bankaccount", row.pk, row), row.currency) for row in active
        ]
        return format_html_join(", ", "{} {}", shown) or panels.NOTHING

    @display(description=_("Payouts"))
    def payouts(self, party: Party) -> Any:
        url = panels.list_url("payouts_payout", f"q={party.pk}")
        return format_html('<a class="hf-link" href="{}">{}</a>', url, _now("Payouts"))

    @action(description=_("Add further party"), permissions=["create"])
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Add further party"),
            form_class=forms.PartyForm,
            call=services.create_party,
        )


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = [
        "email",
        "role",
        "platform",
        "merchant",
        "invited_by",
        "sent_at",
        "expires_at",
        "accepted_at",
        "withdrawn_at",
    ]
    list_filter = ["platform"]
    list_select_related = ["platform", "merchant", "invited_by"]
    search_fields = ["email", "merchant__name", "id"]


@admin.register(Branding)
class BrandingAdmin(ReadOnlyAdmin):
    list_display = ["platform", "name", "name_zh", "accent", "support_email", "changed_at"]
    list_select_related = ["platform"]
    search_fields = ["platform__name", "name", "name_zh"]
    exclude = ["logo"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


@admin.register(CommissionPlan)
class CommissionPlanAdmin(ReadOnlyAdmin):
    list_display = ["name", "platform", "active", "created_at"]
    list_filter = ["active", "platform"]
    list_select_related = ["platform"]
    search_fields = ["name"]
    actions_list = ["create"]
    actions_detail = [
        "import_rules",
        "history_page",
        "set_refund_policy",
        "set_reserve",
        "set_guarantee",
    ]

    @action(description=_("Add commission plan"), permissions=["create"])
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Add commission plan"),
            form_class=forms.PlanForm,
            call=services.create_plan,
        )

    @action(description=_("Import rules"), permissions=["operate"])
    def import_rules(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return admin_plans.import_page(self, request, object_id)

    @action(description=_("What changed"), permissions=["view"])
    def history_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return admin_plans.history_page(self, request, object_id)

    @action(description=_("Set refund policy"), permissions=["operate"])
    def set_refund_policy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        plan = get_object_or_404(CommissionPlan, pk=object_id)
        return service_page(
            self,
            request,
            title=_("Set refund policy"),
            form_class=forms.RefundPolicyForm,
            call=services.set_refund_policy,
            arguments={"plan_id": plan.pk},
            initial=asdict(plan.refund_policy),
            explanation=_now("Orders created before keep their frozen terms."),
            object_id=plan.pk,
        )

    @action(description=_("Set reserve"), permissions=["operate"])
    def set_reserve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return admin_plans.reserve_page(self, request, object_id)

    @action(description=_("Set guarantee"), permissions=["operate"])
    def set_guarantee(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return admin_plans.guarantee_page(self, request, object_id)


@admin.register(CommissionRule)
class CommissionRuleAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "plan",
        "priority",
        "merchant",
        "category",
        "channel",
        "currency",
        "rate_bps",
        "fixed_minor",
        "floor_minor",
        "cap_minor",
        "effective_from",
        "effective_to",
    ]
    list_filter = ["plan", "currency"]
    list_select_related = ["plan", "merchant"]
    search_fields = ["id", "category", "merchant__name"]
    actions_list = ["create"]
    actions_detail = ["end"]

    @action(description=_("Add commission rule"), permissions=["create"])
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Add commission rule"),
            form_class=forms.RuleForm,
            call=services.add_rule,
        )

    @action(description=_("End rule"), permissions=["operate"])
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("End rule"),
            form_class=forms.RuleEndForm,
            call=services.end_rule,
            arguments={"rule_id": object_id},
            explanation=_now("Orders created before keep their frozen terms."),
        )
