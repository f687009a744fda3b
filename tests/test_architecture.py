"""Why: a rule without a gate is broken within a month.

Here is what ruff, mypy and import-linter cannot see.

The layers are read from pyproject.toml, where import-linter reads them, so that there is one list.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import CASCADE, Field, ForeignKey, Model
from django_fsm import FSMFieldMixin

from settlement_site.environment import BASE_DIR

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
CONTRACTS = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
LINE = next(contract["layers"] for contract in CONTRACTS if contract["id"] == "line")
RANK = {name.strip(): rank for rank, layer in enumerate(LINE) for name in layer.split("|")}
MONEY = ("common", "ledger", "merchants", "channels", "orders", "escrow", "payouts", "api")
BOOKS = ("common", "ledger", "merchants", "orders", "escrow", "payouts")

BANNED = {"transaction", "wallet", "transfer", "process", "handle", "manage", "do"}
BANNED |= {"helper", "helpers", "util", "utils", "data", "info"}
# Names that Django, Django REST framework and Celery look for under exactly these words.
FOREIGN = {"handle", "validated_data", "process_view", "data", "DATA_UPLOAD_MAX_MEMORY_SIZE"}

SKIPPED = {"var", "node_modules", "build"}


@cache
def python_files() -> tuple[Path, ...]:
    return tuple(sorted(files("*.py")))


def files(pattern: str) -> Iterator[Path]:
    for path in BASE_DIR.rglob(pattern):
        parts = path.relative_to(BASE_DIR).parts
        if not any(
            part in SKIPPED or (part.startswith(".") and part != ".ci") for part in parts[:-1]
        ):
            yield path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def name(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if isinstance(node, ast.stmt | ast.expr | ast.arg) else ""
    return f"{path.relative_to(BASE_DIR)}{line}"


def app_of(path: Path) -> str:
    return path.relative_to(BASE_DIR).parts[0]


def ours(*labels: str) -> list[Path]:
    """Python files of these top-level folders, without migrations."""
    return [
        path for path in python_files() if app_of(path) in labels and "migrations" not in path.parts
    ]


def code() -> list[Path]:
    """What runs in production: everything but tests, benchmarks and migrations."""
    return [
        path
        for path in python_files()
        if app_of(path) not in ("tests", "benchmarks") and "migrations" not in path.parts
    ]


def models() -> list[type[Model]]:
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.split(".")[0] in RANK and not model._meta.auto_created
    ]


def columns(model: type[Model]) -> list[Field]:
    return [field for field in model._meta.get_fields() if isinstance(field, Field)]


# Files


def test_files_are_short_enough_to_read() -> None:
    long = [
        name(path)
        for path in python_files()
        if "migrations" not in path.parts and len(path.read_text().splitlines()) > MAX_FILE_LINES
    ]

    assert long == []


def test_functions_are_short_enough_to_see() -> None:
    long = [
        f"{name(path, node)} {node.name}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]

    assert long == []


def test_every_file_says_what_it_is_for() -> None:
    silent = [
        name(path)
        for path in python_files()
        if "migrations" not in path.parts and tree(path).body and not ast.get_docstring(tree(path))
    ]

    assert silent == []


def test_nothing_refers_to_a_path_above_the_project() -> None:
    # Tests may compare with a sibling directory and skip when it is missing; nothing else may know
    # of one.
    patterns = (
        "*.py",
        "*.md",
        "*.toml",
        "*.txt",
        "*.html",
        "*.sql",
        "*.css",
        "*.js",
        "Makefile",
        "run",
    )
    above = [
        f"{name(path)}: {found}"
        for pattern in patterns
        for path in files(pattern)
        if app_of(path) != "tests"
        for found in re.findall(r"(?<![\w.])(?:\.\./)+[\w./-]*", path.read_text())
        if not (path.parent / found).resolve().is_relative_to(BASE_DIR)
    ]

    assert above == []


# Names


def defined_names(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Names others can see: functions, classes, parameters, what a module or class assigns."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                targets = [statement.target] if isinstance(statement, ast.AnnAssign) else []
                targets += statement.targets if isinstance(statement, ast.Assign) else []
                yield from ((each, each.id) for each in targets if isinstance(each, ast.Name))


def words(identifier: str) -> set[str]:
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier)
    return {word for word in separated.lower().split("_") if word}


def test_names_use_no_banned_word() -> None:
    banned = [
        f"{name(path, node)} {identifier}"
        for path in code()
        for node, identifier in defined_names(path)
        if words(identifier) & BANNED and identifier not in FOREIGN
    ]

    assert banned == []


def test_states_are_upper_case() -> None:
    wrong = [
        f"{model.__name__}.{field.name}: {value}"
        for model in models()
        for field in columns(model)
        if isinstance(field, FSMFieldMixin) and field.choices
        for value, _ in field.flatchoices
        if value != value.upper()
    ]

    assert wrong == []


# The line


def test_no_foreign_key_points_down_the_line() -> None:
    down = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in models()
        for field in columns(model)
        if field.is_relation and isinstance(field.related_model, type)
        if points_down(model._meta.app_label, field.related_model._meta.app_label)
    ]

    assert down == []


def points_down(from_app: str, to_app: str) -> bool:
    if from_app == to_app or to_app not in RANK:
        return False
    return RANK[to_app] <= RANK[from_app]


@pytest.mark.parametrize(
    ("from_app", "to_app", "down"),
    [
        ("escrow", "orders", False),
        ("orders", "escrow", True),
        ("notifications", "channels", True),
        ("orders", "orders", False),
        ("merchants", "auth", False),
    ],
)
def test_points_down_knows_the_line(from_app: str, to_app: str, down: bool) -> None:
    assert points_down(from_app, to_app) is down


# Money


def test_nothing_near_money_deletes_by_cascade() -> None:
    cascading = [
        f"{model._meta.label}.{field.name}"
        for model in models()
        for field in columns(model)
        if isinstance(field, ForeignKey) and field.remote_field.on_delete is CASCADE
    ]

    assert cascading == []


def test_models_override_no_save_and_order_nothing() -> None:
    wrong = [
        model._meta.label for model in models() if "save" in vars(model) or model._meta.ordering
    ]

    assert wrong == []


def test_state_is_never_set_by_update() -> None:
    # QuerySet.update goes around the state machine, the lock and the books. Rows without a machine
    # may use it.
    with_machine = {model for model in models() if has_machine(model)}
    apps_with_machine = {model._meta.app_label for model in with_machine} | {"api", "demo"}
    without_machine = {model.__name__ for model in models() if model not in with_machine}
    wrong = [
        name(path, node)
        for path in code()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and called_name(node) == "update"
        if any(keyword.arg == "state" for keyword in node.keywords)
        if app_of(path) in apps_with_machine and first_name(node) not in without_machine
    ]

    assert wrong == []


def has_machine(model: type[Model]) -> bool:
    return any(isinstance(field, FSMFieldMixin) for field in columns(model))


def first_name(call: ast.Call) -> str:
    """The word a chain such as `Order.objects.filter(…).update(…)` begins with."""
    node: ast.expr = call
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def called_name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_no_file_uses_signals() -> None:
    """But one: what every `migrate` must leave behind belongs to no single migration."""
    banned = ("django.dispatch", "django.db.models.signals", "django.core.signals")
    wrong = [
        name(path, node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        if {getattr(node, "module", None), *(alias.name for alias in node.names)} & set(banned)
        if ast.unparse(node) != "from django.db.models.signals import post_migrate"
    ]

    assert wrong == []


def test_services_ring_no_celery_bell() -> None:
    # A service writes a row with a due time; a message would be sent for work that rolled back.
    wrong = [
        name(path, node)
        for path in ours(*MONEY)
        if "services" in path.stem or "services" in path.parent.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and called_name(node) in ("delay", "apply_async", "send_task", "delay_on_commit")
    ]

    assert wrong == []


def test_no_float_comes_near_money() -> None:
    calls = [
        name(path, node)
        for path in ours(*MONEY)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and called_name(node) == "float"
    ]
    numbers = [
        name(path, node)
        for path in ours(*BOOKS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]

    assert calls + numbers == []
