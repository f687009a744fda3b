"""Why: a page that is half Chinese looks broken. Every text is translated, none is fuzzy.

The texts are found in the code and in the templates, not in a list somebody must keep.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

LOCALE = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES"
OURS = ("api", "escrow", "ledger", "merchants", "notifications", "operators", "orders", "payouts")
PLACES = (*OURS, "channels", "portal", "settlement_site")
KEYWORDS: dict[str, object] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
Text = tuple[str, str | None]  # what is said, and its context


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    with (LOCALE / "django.po").open("rb") as file:
        return read_po(file, locale="zh_Hans")


def texts() -> dict[Text, str]:
    """Every text that is marked for translation, and a file it stands in."""
    found: dict[Text, str] = {}
    for path, source in _sources():
        for _line, message, _comments, context in extract(
            "python", BytesIO(source.encode()), KEYWORDS
        ):
            said = message[0] if isinstance(message, tuple) else message
            if said:
                found.setdefault((said, context), str(path.relative_to(settings.BASE_DIR)))
    return found


def _sources() -> Iterator[tuple[Path, str]]:
    for place in PLACES:
        for path in sorted((settings.BASE_DIR / place).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        yield path, templatize(path.read_text(encoding="utf-8"))


def test_every_text_is_in_chinese(catalog: Catalog) -> None:
    missing = []
    for (said, context), path in texts().items():
        entry = catalog.get(said, context)
        said_in_chinese = entry is not None and (
            entry.string if isinstance(entry.string, str) else all(entry.string)
        )
        if not said_in_chinese:
            missing.append(f"{path}: {said!r}")

    assert missing == []


def test_no_translation_is_only_a_guess(catalog: Catalog) -> None:
    assert [entry.id for entry in catalog if entry.id and entry.fuzzy] == []


def test_translations_fit_into_their_places(catalog: Catalog) -> None:
    wrong = [(entry.id, [str(each) for each in errors]) for entry, errors in catalog.check()]

    assert wrong == []


def test_compiled_translations_are_those_of_the_source(catalog: Catalog) -> None:
    with (LOCALE / "django.mo").open("rb") as file:
        compiled = read_mo(file)

    said, known = _said(catalog), _said(compiled)
    stale = [key for key in said.keys() | known.keys() if said.get(key) != known.get(key)]
    assert stale == [], "compile it: msgfmt --check-format -o …/django.mo …/django.po"


def _said(catalog: Catalog) -> dict[Text, list[str]]:
    """What is said, by its English; plurals by their first."""
    return {(_all(each.id)[0], _context(each)): _all(each.string) for each in catalog if each.id}


def _context(entry: Message) -> str | None:
    """Babel leaves the context of what is compiled in bytes."""
    context: Any = entry.context
    return context.decode() if isinstance(context, bytes) else context


def _all(found: str | Sequence[str]) -> list[str]:
    return [found] if isinstance(found, str) else list(found)
