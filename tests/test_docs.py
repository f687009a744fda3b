"""Why: a page that is wrong costs more than a page that is missing.

Everything a page says that can be looked up is looked up: files, links, commands, settings,
requests.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pgtrigger
import pytest
from django.core.management import get_commands
from django.db import connection
from django.urls import resolve
from django.utils import timezone

from api.v1.missing import MissingView
from api.v1.requests import orders as requests
from docs import build
from settlement_site.environment import BASE_DIR
from tests.test_architecture import BANNED, LINE

README = (BASE_DIR / "README.md").read_text(encoding="utf-8")
MAKEFILE = (BASE_DIR / "Makefile").read_text(encoding="utf-8")
GLOSSARY = (BASE_DIR / "docs" / "glossary.md").read_text(encoding="utf-8")
OPERATIONS = (BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
PAGES = sorted(
    [
        *BASE_DIR.glob("*.md"),
        *(BASE_DIR / "docs").glob("*.md"),
        *(BASE_DIR / "docs" / "adr").glob("*.md"),
    ]
)
TOP = {path.name for path in BASE_DIR.iterdir() if path.is_dir()} - {"var"}

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda path: str(path.relative_to(BASE_DIR))
)


def code_spans(text: str) -> list[str]:
    """What stands between backticks in running text, fenced blocks left out."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", each).strip().lower().replace(" ", "-") for each in headings}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


# Generated pages


def test_generated_pages_are_up_to_date() -> None:
    stale = [
        name
        for name, page in build.pages().items()
        if (BASE_DIR / "docs" / name).read_text(encoding="utf-8") != page
    ]

    assert stale == [], "run `make docs`"


def test_database_holds_the_graph_of_every_state_machine() -> None:
    different = {}
    for model, field in build._machines():
        graphs = [
            set(trigger.transitions)
            for trigger in model._meta.triggers
            if isinstance(trigger, pgtrigger.FSM) and trigger.field == field.name
        ]
        moves = {(str(each.source), str(each.target)) for each in field.get_all_transitions(model)}
        if graphs != [moves]:
            different[model.__name__] = graphs

    assert different == {}


# Links, files, commands


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    named = [span for span in code_spans(page.read_text(encoding="utf-8")) if "/" in span]
    missing = [
        span
        for span in named
        if re.fullmatch(r"[a-z_]+(/[A-Za-z0-9_.-]+)+/?", span) and span.split("/")[0] in TOP
        if not (BASE_DIR / span).exists()
    ]

    assert missing == []


@every_page
def test_make_targets_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(named) - make_targets() == set()


@every_page
def test_commands_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"manage\.py ([a-z_]+)", page.read_text(encoding="utf-8"))

    assert set(named) - set(get_commands()) == set()


def test_readme_names_every_make_target() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))

    assert make_targets() - named == set()


def test_pages_of_decisions_are_all_listed_and_dated() -> None:
    folder = BASE_DIR / "docs" / "adr"
    written = {path.name for path in folder.glob("[0-9]*.md")}
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"))
    undated = [
        name
        for name in sorted(written)
        if not re.search(
            r"^Date: \d{4}-\d\d-\d\d\. Status: .+ Tags: ", (folder / name).read_text(), re.MULTILINE
        )
    ]

    assert listed == sorted(written)
    assert undated == []


# Layers


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_layers_are_told_as_they_are_held(name: str) -> None:
    line = " > ".join(layer.strip() for layer in LINE)
    text = " ".join((BASE_DIR / name).read_text(encoding="utf-8").split())

    assert line in text


def test_readme_shows_every_app() -> None:
    tree = README.partition("## Where things are")[2]
    apps = {each.strip() for layer in LINE for each in layer.split("|")} | {"sandbox"}

    assert [app for app in sorted(apps) if f"\n{app}/ " not in tree] == []


# Settings


def table_names(text: str) -> set[str]:
    """The names in capitals in the first cells of a page's tables."""
    rows = re.findall(r"^\| (`[A-Z].*?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_readme_lists_every_setting_and_no_other() -> None:
    assert table_names(README) == {name for name, _ in build.variables()}


def test_env_example_has_every_setting() -> None:
    # gunicorn reads its own one before anybody reads a file.
    example = (BASE_DIR / ".env.example").read_text(encoding="utf-8")
    missing = [
        name
        for name, _ in build.variables()
        if name != "WEB_CONCURRENCY"
        if not re.search(rf"^#?{name}=", example, re.MULTILINE)
    ]

    assert missing == []


def test_web_server_reads_no_setting_that_is_not_listed() -> None:
    source = (BASE_DIR / "gunicorn.conf.py").read_text(encoding="utf-8")
    read = re.findall(r"environ\.get\(\"([A-Z_]+)\"", source)

    assert set(read) - {name for name, _ in build.variables()} == set()


# The example of the API


def curls() -> Iterator[tuple[str, str]]:
    """Path and body of every curl of the README, its shell words replaced by plain ones."""
    plain = re.sub(r"'\$(\([^)]*\)|\w+)'", "abc_1", README)
    for path, rest in re.findall(r'curl -s "\$API(/[^"]+)"((?:[^\n]|\n  )*)', plain):
        body = re.search(r"-d '(.*?)'", rest, re.DOTALL)
        yield re.sub(r"\$\w+|\?.*", "", path), body[1] if body else ""


def test_readme_calls_addresses_that_exist() -> None:
    views = [resolve(f"/v1{path}").func.view_class for path, _ in curls()]  # type: ignore[attr-defined]

    assert len(views) == 2
    assert MissingView not in views


def test_readme_sends_a_body_that_is_valid() -> None:
    (body,) = (json.loads(body) for _, body in curls() if body)
    read = requests.OrderRequest(data=body, context={"at": timezone.now()})

    assert read.is_valid(), read.errors


# Pictures, words, queries


def test_pictures_are_drawn_for_light_and_dark() -> None:
    for path in (BASE_DIR / "docs" / "images").glob("*.svg"):
        root = ElementTree.parse(path).getroot()
        names = {each.tag.rpartition("}")[2] for each in root.iter()}

        assert {"title", "desc", "style"} <= names
        assert "script" not in names
        assert "prefers-color-scheme: dark" in path.read_text(encoding="utf-8")


def test_glossary_words_are_where_it_says() -> None:
    rows = re.findall(r"^\| .+ \| `([^`]+)`: `([^`]+)` \|$", GLOSSARY, re.MULTILINE)
    lost = [
        (file, word)
        for file, word in rows
        if not re.search(rf"\b{re.escape(word)}\b", (BASE_DIR / file).read_text(encoding="utf-8"))
    ]

    assert len(rows) == len(re.findall(r"^\| (?!English|---)", GLOSSARY, re.MULTILINE))
    assert lost == []


def test_glossary_bans_the_words_that_are_refused_in_names() -> None:
    section = GLOSSARY.partition("## Words that are not used")[2]
    listed = {span for span in code_spans(section) if re.fullmatch(r"[a-z]+", span)}
    singular = {
        word.removesuffix("s") if word.removesuffix("s") in BANNED else word for word in BANNED
    }

    assert listed == singular


@pytest.mark.django_db
def test_queries_of_the_operations_page_run() -> None:
    blocks = re.findall(r"^```sql\n(.*?)^```", OPERATIONS, re.DOTALL | re.MULTILINE)
    statements = [each for block in blocks for each in block.split(";") if each.strip()]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

    assert len(statements) == 5
