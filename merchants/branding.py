"""What buyers are shown of a platform, wherever they meet it: pages and mails alike."""

from dataclasses import dataclass

from django.utils.translation import get_language

from merchants.models import Branding, Language, Platform

_NONE = Branding()


@dataclass(frozen=True, slots=True)
class Shown:
    """`company`: the platform's own name, where buyers know the shop by another."""

    name: str
    company: str
    accent: str
    logo_hash: str
    logo_type: str
    support_url: str
    support_email: str
    support_phone: str

    @property
    def contacts(self) -> list[str]:
        return [each for each in (self.support_url, self.support_email, self.support_phone) if each]


def shown_to_buyers(platform: Platform) -> Shown:
    """How a platform looks to its buyers, in the language of whoever reads now."""
    return shown_as(platform, Branding.objects.defer("logo").filter(pk=platform.pk).first())


def shown_as(platform: Platform, row: Branding | None) -> Shown:
    """The same by a row that may not be saved. None: the platform has never said anything."""
    row = row or _NONE
    chinese = get_language() == Language.CHINESE
    company = (platform.name_zh if chinese else "") or platform.name
    name = (row.name_zh if chinese else "") or row.name or company
    return Shown(
        name=name,
        company=company if name != company else "",
        accent=row.accent,
        logo_hash=row.logo_hash,
        logo_type=row.logo_type,
        support_url=row.support_url,
        support_email=row.support_email,
        support_phone=row.support_phone,
    )
