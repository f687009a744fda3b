"""Under whose name, and in which color, a buyer's page stands: the shopping platform's, never ours
first.

A color comes by a stylesheet with an address of its own: no page has a style written into it.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

from merchants import branding, logos
from merchants.models import Platform
from notifications import colors

_DIGEST = 10  # characters of the stylesheet's hash in its name


@dataclass(frozen=True, slots=True)
class Brand:
    """What a buyer knows the shop by. `company` is the platform's own name where the shop has
    another one."""

    name: str
    company: str = ""
    style_url: str = ""
    logo_url: str = ""
    help_url: str = ""
    email: str = ""
    phone: str = ""

    @property
    def has_contact(self) -> bool:
        return bool(self.help_url or self.email or self.phone)


def brand_of(platform: Platform) -> Brand:
    """How a platform looks to its buyers, in the reader's language."""
    return brand_as(branding.shown_to_buyers(platform))


def brand_as(shown: branding.Shown) -> Brand:
    """The same of what is not saved yet."""
    return Brand(
        name=shown.name,
        company=shown.company,
        style_url=style_url(shown.accent) if shown.accent else "",
        logo_url=logo_url(shown.logo_hash, shown.logo_type) if shown.logo_hash else "",
        help_url=shown.support_url,
        email=shown.support_email,
        phone=shown.support_phone,
    )


def style_url(accent: str) -> str:
    """Where the stylesheet of a color is. Its hash is in the name, so it is kept for ever."""
    return reverse("portal:brand-style", args=[accent.removeprefix("#"), digest_of(accent)])


def logo_url(logo_hash: str, media_type: str) -> str:
    """Where a logo is."""
    return reverse("portal:brand-logo", args=[logo_hash, logos.ENDINGS[media_type]])


def digest_of(accent: str) -> str:
    return hashlib.sha256(style_of(accent).encode()).hexdigest()[:_DIGEST]


@lru_cache(maxsize=256)
def style_of(accent: str) -> str:
    """Write the stylesheet of a color, for both themes. Args: accent: `#rrggbb`."""
    light, dark = _variables(colors.light_shades(accent)), _variables(colors.dark_shades(accent))
    return (
        f"[data-brand]{{{light}}}\n"
        f':root[data-theme="dark"] [data-brand]{{{dark}}}\n'
        f'@media (prefers-color-scheme:dark){{:root[data-theme="auto"] [data-brand]{{{dark}}}}}\n'
    )


def _variables(shades: colors.Shades) -> str:
    return (
        f"--brand:{shades.brand};--brand-strong:{shades.strong};"
        f"--brand-soft:{shades.soft};--on-brand:{shades.on_brand}"
    )
