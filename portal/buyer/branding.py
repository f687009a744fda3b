"""Under whose name a buyer's page stands: the shopping platform's, never ours first."""

from dataclasses import dataclass

from django.utils.translation import get_language

from merchants.models import Language, Platform


@dataclass(frozen=True, slots=True)
class Brand:
    """What a buyer knows the shop by."""

    name: str


def brand_of(platform: Platform) -> Brand:
    """The platform's name in the reader's language."""
    chinese = get_language() == Language.CHINESE
    return Brand(name=(platform.name_zh if chinese else "") or platform.name)
