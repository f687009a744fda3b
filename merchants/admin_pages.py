"""Pages of the operators' door that call one service each, and admins that only show.

It must never save a model: a page takes the clock, says who acts and why, and calls the service.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pghistory
from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES

from common.errors import DomainError
from merchants import admin_sign_in, clocks
from merchants.models import Platform


class ServiceForm(forms.Form):
    """The arguments of a service, by their names, and why the operator calls it."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])
        for field in self.fields.values():
            classes = SELECT_CLASSES if isinstance(field.widget, forms.Select) else INPUT_CLASSES
            field.widget.attrs["class"] = " ".join(classes)


class ServiceAdmin(ModelAdmin):
    """Lets actions ask for "create" or "operate": Django's rights to add and to change.

    Naming Django's rights on the action itself would make unfold ask the database for them in a
    system check, and so break the very first `migrate`.
    """

    def has_create_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "add")

    def has_operate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "change")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Take the id as it is stored: Django's lists write `_5F` for the `_` in their links, and
        unfold would ask for the buttons of a row of that name, which is not there."""
        plain = unquote(object_id) if object_id else None
        return super().changeform_view(request, plain, form_url, extra_context)

    def _may(self, request: HttpRequest, verb: str) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.{verb}_{self.opts.model_name}")


class ReadOnlyAdmin(ServiceAdmin):
    """Shows rows and lets nobody add, change or delete one."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def operator(request: HttpRequest) -> str:
    """Name the signed-in operator in audit rows."""
    return f"operator:{request.user.pk}"


def service_page(
    admin: DjangoModelAdmin,
    request: HttpRequest,
    *,
    title: str | Promise,
    call: Callable[..., Any],
    form_class: type[ServiceForm] = ServiceForm,
    explanation: str = "",
    arguments: Mapping[str, Any] | None = None,
    show_secret: Callable[[Any], str] | None = None,
    secret_label: str = "",
    object_id: str | None = None,
    facts: Sequence[tuple[str | Promise, Any]] = (),
    initial: Mapping[str, Any] | None = None,
    passes_reason: bool = False,
    refused: str = "",
    platform: Platform | None = None,
    fresh: bool = False,
) -> HttpResponse:
    """Show a form and, once it is posted and valid, call a service with its fields and the clock.

    A refusal of the service is shown in the form. `arguments` are passed on besides the fields.
    `show_secret` takes the service's answer to something that is shown this once and kept nowhere.
    `facts` are shown above the form: what the operator is about to decide on. With `object_id` the
    page leads back to that row instead of to the list. `passes_reason`: the service wants the
    reason too. `refused` says why this operator may not: the button is off, the service decides.
    `platform`: by whose clock it happens; None: the real one. `fresh`: whoever has not proved
    within minutes who they are is sent to do so first, and back.
    """
    if fresh and not admin_sign_in.signed_in_lately(request):
        return admin_sign_in.ask_again(request)
    back_url = _page_of(admin, object_id)
    form = form_class(request.POST if request.method == "POST" else None, initial=initial)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "explanation": explanation,
        "back_url": back_url,
        "form": form,
        "facts": facts,
        "refused": refused,
    }
    if form.is_valid():
        fields = {**form.cleaned_data, **(arguments or {})}
        reason = fields["reason"] if passes_reason else fields.pop("reason")
        try:
            with pghistory.context(actor=operator(request), reason=reason):
                now = timezone.now()
                answer = call(**fields, at=clocks.now_of(platform, now=now) if platform else now)
        except DomainError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            if show_secret is None:
                messages.success(request, _("Done: %(title)s.") % {"title": title})
                return HttpResponseRedirect(back_url)
            context |= {"secret": show_secret(answer), "secret_label": secret_label}
    page = TemplateResponse(request, "admin/service_page.html", context)
    page["Cache-Control"] = "no-store"
    return page


def _page_of(admin: DjangoModelAdmin, object_id: str | None) -> str:
    name = f"{admin.admin_site.name}:{admin.opts.app_label}_{admin.opts.model_name}"
    if object_id is None:
        return reverse(f"{name}_changelist")
    return reverse(f"{name}_change", args=(object_id,))
