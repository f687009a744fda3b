"""A platform's own color on pages for buyers and in mails: the shades of it that can be read.

Pure. It must never give a shade that is hard to read, whatever color somebody likes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

Rgb = tuple[int, int, int]
HEX = re.compile(r"#[0-9a-f]{6}")
READABLE = 4.5  # contrast of words. Source: WCAG 2.2, success criterion 1.4.3
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
STEPS = 100

# What the words stand on, in both themes: the darkest and the lightest of frontend/portal.css.
LIGHT_GROUND, DARK_GROUND = (0xF1, 0xF5, 0xF9), (0x1C, 0x27, 0x40)
LIGHT_CARD, DARK_CARD = WHITE, (0x13, 0x1B, 0x2E)
ON_LIGHT, ON_DARK = WHITE, (0x0B, 0x11, 0x20)  # words on the color itself


@dataclass(frozen=True, slots=True)
class Shades:
    """What a theme needs of a color, as `#rrggbb`: for links and buttons, under the pointer, as a
    soft ground, and the words upon it."""

    brand: str
    strong: str
    soft: str
    on_brand: str


def light_shades(accent: str) -> Shades:
    """The color on white: darkened until words in it, and white words on it, can be read."""
    return _shades(
        accent, toward=BLACK, ground=LIGHT_GROUND, card=LIGHT_CARD, soft=0.08, words=ON_LIGHT
    )


def dark_shades(accent: str) -> Shades:
    """The color on the dark theme: lightened until words in it, and dark words on it, can be
    read."""
    return _shades(
        accent, toward=WHITE, ground=DARK_GROUND, card=DARK_CARD, soft=0.2, words=ON_DARK
    )


def contrast(one: Rgb, other: Rgb) -> float:
    """How far apart two colors are in brightness: 1 to 21. Source: WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def parse(color: str) -> Rgb:
    """Read `#rrggbb`."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _shades(accent: str, *, toward: Rgb, ground: Rgb, card: Rgb, soft: float, words: Rgb) -> Shades:
    color = parse(accent)
    soft_ground = _mix(card, color, soft)

    def reads(shade: Rgb) -> bool:
        return all(contrast(shade, other) >= READABLE for other in (ground, soft_ground, words))

    brand = _first(lambda step: _mix(color, toward, step / STEPS), reads)
    strong = _mix(brand, toward, 0.2)
    return Shades(*map(_written, (brand, strong, soft_ground, words)))


def _first(shade_at: Callable[[int], Rgb], reads: Callable[[Rgb], bool]) -> Rgb:
    """The shade nearest to the color itself that can be read; black and white always can."""
    return next(shade for step in range(STEPS + 1) if reads(shade := shade_at(step)))


def _mix(one: Rgb, other: Rgb, part: float) -> Rgb:
    """Mix two colors. Args: part: 0 to 1, of the other one."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(color: Rgb) -> float:
    """Source: WCAG 2.2, relative luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (each / 255 for each in color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _written(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
