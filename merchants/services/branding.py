"""How a platform looks to its buyers. It must never touch money, nor keep a picture as it came."""

import hashlib
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlsplit

from common.errors import DomainError
from ledger.usecases import use_case
from merchants import logos
from merchants.models import Branding, Platform
from merchants.services.checks import check_row


class BrandingInvalid(DomainError):
    """A name, color or contact cannot be shown as it was given."""

    code = "branding_invalid"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What buyers are shown; an empty text is the platform's own, or nothing."""

    name: str = ""
    name_zh: str = ""
    accent: str = ""  # `#rrggbb`
    support_url: str = ""  # https
    support_email: str = ""
    support_phone: str = ""


@use_case()
def set_branding(
    *,
    platform_id: str,
    look: Look,
    at: datetime,
    logo: bytes | None = None,
    without_logo: bool = False,
) -> Branding:
    """Change how a platform looks to its buyers, from their next page on.

    Money: none.
    Args: logo: a picture as it came; None: the one there is stays. without_logo: take it away.
    Raises: BrandingInvalid, LogoRefused.
    Idempotent: the same again changes nothing but `changed_at`.
    Locks: the platform, so that of two first brandings one waits for the other.
    """
    platform = Platform.objects.select_for_update(of=("self",), no_key=True).get(pk=platform_id)
    row = Branding.objects.filter(pk=platform.pk).first() or Branding(platform=platform)
    for name, value in asdict(look).items():
        setattr(row, name, value)
    if logo is not None:
        _put_logo(row, logos.read_logo(logo))
    elif without_logo:
        _put_logo(row, None)
    row.changed_at = at
    check_row(row, BrandingInvalid)
    _check(look)
    row.save()
    return row


def _check(look: Look) -> None:
    for name in ("name", "name_zh"):
        text = getattr(look, name)
        # What is not seen, or turns the direction of writing, could make it another's name.
        if any(unicodedata.category(each) in ("Cc", "Cf", "Co", "Cs") for each in text):
            raise BrandingInvalid("A name has letters and signs that can be seen.", field=name)
    address = urlsplit(look.support_url)
    if look.support_url and (address.username is not None or not address.hostname):
        raise BrandingInvalid("Give the address of a page, without a user.", field="support_url")


def _put_logo(row: Branding, logo: logos.Logo | None) -> None:
    row.logo = logo.content if logo else None
    row.logo_type = logo.media_type if logo else ""
    row.logo_hash = hashlib.sha256(logo.content).hexdigest() if logo else ""
    row.logo_width = logo.width if logo else None
    row.logo_height = logo.height if logo else None
