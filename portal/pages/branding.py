"""How a platform looks to its buyers: name, logo, color and whom they may ask, with a preview."""

from dataclasses import asdict, fields

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from common.errors import DomainError
from merchants import branding, logos
from merchants import services as merchants
from merchants.models import Branding
from notifications import colors
from portal.access import Member, PortalRequest, Power, member_page
from portal.buyer.branding import brand_as
from portal.refusals import sentence

LOOK = [field.name for field in fields(merchants.Look)]


class BrandingForm(forms.Form):
    """What a platform says of itself. What may be shown is the service's to say."""

    name = forms.CharField(
        label=_("Name buyers see"),
        max_length=60,
        required=False,
        help_text=_("Empty: the name of your platform."),
    )
    name_zh = forms.CharField(
        label=_("Chinese name buyers see"),
        max_length=60,
        required=False,
        help_text=_("For buyers who read Chinese."),
    )
    accent = forms.CharField(
        label=_("Color"),
        max_length=7,
        required=False,
        help_text=_("As # and six digits, such as #0f766e. Empty: the color of Holdfast."),
        widget=forms.TextInput(attrs={"placeholder": "#0f766e", "autocomplete": "off"}),
    )
    logo_file = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".png,.webp,image/png,image/webp"}),
        help_text=_("PNG or WEBP, 16 to 1024 pixels each way, 256 KB at most."),
    )
    without_logo = forms.BooleanField(label=_("Show no logo"), required=False)
    support_url = forms.CharField(
        label=_("Help page"),
        max_length=300,
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    support_email = forms.EmailField(label=_("E-mail for questions"), required=False)
    support_phone = forms.CharField(
        label=_("Phone for questions"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )

    def clean_accent(self) -> str:
        """People write colors in capitals, too, or forget the sign."""
        said: str = self.cleaned_data["accent"].lower()
        accent = f"#{said}" if said and not said.startswith("#") else said
        if accent and not colors.HEX.fullmatch(accent):
            raise forms.ValidationError(_("A color is written as # and six digits: #0f766e."))
        return accent

    def look(self) -> merchants.Look:
        """What the service is asked for. The form is valid."""
        return merchants.Look(**{name: self.cleaned_data[name] for name in LOOK})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
def show_branding(request: PortalRequest) -> HttpResponse:
    """Show how buyers see the platform, try something out, or save it."""
    member = request.member
    row = Branding.objects.defer("logo").filter(pk=member.platform.pk).first()
    started = {name: getattr(row, name) for name in LOOK} if row else {}
    form = BrandingForm(request.POST or None, request.FILES or None, initial=started)
    if form.is_valid() and "save" in request.POST and _save(request, form):
        return redirect("portal:branding")
    shown = _tried(member, form, row) if form.is_valid() else row
    brand = brand_as(branding.shown_as(member.platform, shown))
    accent = shown.accent if shown else ""
    light = colors.light_shades(accent).brand if accent else ""
    return render(
        request,
        "portal/pages/branding.html",
        {
            "form": form,
            "brand": brand,
            "accent": accent,
            "light": light,
            "corrected": light != accent,
            "trying": "preview" in request.POST,
            "has_logo": row is not None and bool(row.logo_hash),
        },
    )


def _save(request: PortalRequest, form: BrandingForm) -> bool:
    """Ask the service. Returns: whether it was saved; else the form says why not."""
    file = form.cleaned_data["logo_file"]
    try:
        merchants.set_branding(
            platform_id=request.member.platform.pk,
            look=form.look(),
            logo=file.read(logos.MOST_BYTES + 1) if file else None,
            without_logo=form.cleaned_data["without_logo"],
            at=timezone.now(),
        )
    except DomainError as refusal:
        named = refusal.facts.get("field") or next(iter(refusal.facts.get("fields", [])), None)
        field = {"logo": "logo_file"}.get(str(named), named)
        form.add_error(field if field in form.fields else None, sentence(refusal))
        return False
    messages.success(request, str(_("Saved. Buyers see it from their next page on.")))
    return True


def _tried(member: Member, form: BrandingForm, row: Branding | None) -> Branding:
    """What it would be. A row that is not saved."""
    kept = {"logo_hash": row.logo_hash, "logo_type": row.logo_type} if row else {}
    return Branding(platform=member.platform, **asdict(form.look()), **kept)
