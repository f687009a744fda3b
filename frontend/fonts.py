"""Makes the fonts of PDF statements: Noto Sans SC (SIL Open Font License) as plain TrueType.

Development only, after `npm ci`: `python fonts.py`, with fontTools and brotli. The results are
committed under portal/fonts/.
"""

from pathlib import Path

from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
FILES = HERE / "node_modules" / "@fontsource" / "noto-sans-sc" / "files"
FAMILY = "Noto Sans SC"
WEIGHTS = {400: "Regular", 700: "Bold"}
FAMILY_NAMES, STYLE_NAMES = (1, 16), (2, 17)  # name ids of OpenType


def main() -> None:
    for weight, style in WEIGHTS.items():
        font = TTFont(FILES / f"noto-sans-sc-chinese-simplified-{weight}-normal.woff2")
        font.flavor = None
        font["OS/2"].usWeightClass = weight
        for record in font["name"].names:
            if record.nameID in FAMILY_NAMES:
                record.string = FAMILY
            elif record.nameID in STYLE_NAMES:
                record.string = style
            elif record.nameID == 4:
                record.string = f"{FAMILY} {style}"
        font.save(HERE.parent / "portal" / "fonts" / f"NotoSansSC-{style}.ttf")


if __name__ == "__main__":
    main()
