"""How a platform looks to its buyers: columns and constraints only."""

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from merchants.models.people import Platform


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="BrandingAudit",
    exclude=["logo"],  # its hash tells which it was
)
class Branding(models.Model):
    """Under which name and in which color a platform's buyers meet us, and whom they may ask."""

    platform = models.OneToOneField(
        Platform, models.PROTECT, primary_key=True, related_name="branding"
    )
    # As buyers know the shop; empty: the platform's own.
    name = models.CharField(_("name buyers see"), max_length=60, blank=True)
    name_zh = models.CharField(_("Chinese name buyers see"), max_length=60, blank=True)
    accent = models.CharField(_("color"), max_length=7, blank=True)  # `#rrggbb`; empty: ours
    support_url = models.URLField(_("help page"), max_length=300, blank=True)
    support_email = models.EmailField(_("e-mail for questions"), blank=True)
    support_phone = models.CharField(_("phone for questions"), max_length=32, blank=True)
    # Written anew by merchants.logos; never what was uploaded.
    logo = models.BinaryField(null=True, blank=True)
    logo_type = models.CharField(max_length=10, blank=True)  # media type
    logo_hash = models.CharField(max_length=64, blank=True, db_index=True)  # sha256, hex
    logo_width = models.PositiveSmallIntegerField(null=True, blank=True)  # pixels
    logo_height = models.PositiveSmallIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("branding")
        verbose_name_plural = _("brandings")
        constraints = [
            models.CheckConstraint(
                condition=Q(accent="") | Q(accent__regex=r"^#[0-9a-f]{6}$"),
                name="branding_accent_is_a_color",
                violation_error_message=_("A color is written as # and six digits: #0f766e."),
            ),
            models.CheckConstraint(
                condition=Q(support_url="") | Q(support_url__startswith="https://"),
                name="branding_help_page_is_https",
                violation_error_message=_("The address of a help page begins with https://."),
            ),
            models.CheckConstraint(
                condition=Q(support_phone="")
                | Q(support_phone__regex=r"^\+?[0-9][0-9 ()-]{2,30}$"),
                name="branding_phone_is_a_number",
                violation_error_message=_("A phone number has digits, spaces, dashes and +."),
            ),
            models.CheckConstraint(
                condition=Q(logo__isnull=True, logo_hash="", logo_type="")
                | (Q(logo__isnull=False) & ~Q(logo_hash="") & ~Q(logo_type="")),
                name="branding_logo_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.platform_id
