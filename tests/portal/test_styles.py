"""Why: a class that is not in the committed stylesheet does nothing, and nobody here runs npm."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TAGS = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
CLASSES = re.compile(r'class(?:es)?="([^"]*)"')
FOLDERS = ("account", "allauth", "cotton", "portal")
# Hooks that carry no style of their own.
HOOKS = {"group", "lead", "right"}


def test_stylesheet_has_every_class_of_the_templates() -> None:
    sheet = (ROOT / "static" / "holdfast" / "portal.css").read_text(encoding="utf-8")
    known = {re.sub(r"\\(.)", r"\1", name) for name in re.findall(r"\.((?:\\.|[\w-])+)", sheet)}
    missing = set()
    for folder in FOLDERS:
        for path in (ROOT / "templates" / folder).rglob("*.html"):
            for classes in CLASSES.findall(TAGS.sub(" ", path.read_text(encoding="utf-8"))):
                words = {word for word in classes.split() if not word.endswith("-")}
                missing |= {f"{path.name}: {word}" for word in words - known - HOOKS}

    assert missing == set(), "cd frontend && npm ci && npm run build"


def test_icons_of_the_templates_are_there() -> None:
    drawn = {path.stem for path in (ROOT / "templates" / "icons").glob("*.svg")}
    asked = set()
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r'{% icon "([\w-]+)"', text))
        asked |= set(re.findall(r'<c-[^>]*icon="([\w-]+)"', text))

    assert asked <= drawn, "add it to frontend/icons.txt, then npm run build"
