"""Why: a shop has the color it has, and its buyers must be able to read what happens to money."""

import pytest

from notifications import colors


@pytest.mark.parametrize("accent", ["#000000", "#ffffff", "#ffff00", "#0f766e", "#7f7f7f"])
def test_every_color_gives_shades_that_can_be_read(accent: str) -> None:
    themes = [
        (colors.light_shades(accent), colors.LIGHT_GROUND, colors.LIGHT_CARD),
        (colors.dark_shades(accent), colors.DARK_GROUND, colors.DARK_CARD),
    ]
    for shades, ground_color, card in themes:
        soft, words = colors.parse(shades.soft), colors.parse(shades.on_brand)
        for shade in (shades.brand, shades.strong):
            for other in (ground_color, card, soft, words):
                assert colors.contrast(colors.parse(shade), other) >= 4.5


def test_color_that_can_be_read_stays_as_it_is() -> None:
    assert colors.light_shades("#0f766e").brand == "#0f766e"
    assert colors.contrast(colors.WHITE, colors.BLACK) == 21.0
