"""Writes the pages of docs/ that the code already says: money.md, states.md, settings.md.

`python docs/build.py` writes them, `--check` fails when one is stale. Those pages must never
be edited by hand: change the code, then run it.
"""

import ast
import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from docs.constants import CONSTANTS  # noqa: E402

HEAD = "<!-- Written by docs/build.py. Change the code, then run `make docs`. -->\n"


def main() -> None:
    import django

    django.setup()
    written = pages()
    stale = [name for name, page in written.items() if not _is_written(ROOT / "docs" / name, page)]
    if "--check" in sys.argv:
        sys.exit(f"Stale: docs/{', docs/'.join(stale)}; run `make docs`." if stale else 0)
    for name in stale:
        (ROOT / "docs" / name).write_text(written[name], encoding="utf-8")


def pages() -> dict[str, str]:
    """Every generated page by file name. Django must be set up."""
    return {"money.md": money(), "states.md": states(), "settings.md": settings()}


# Money


def money() -> str:
    """The chart of accounts and the posting rules, from ledger/chart.py and ledger/entries.py."""
    from ledger import chart, entries

    accounts = [
        (
            f"`{_address(each.pattern)}`",
            each.kind.title(),
            each.side.title(),
            "yes" if each.guarded else "",
            "yes" if each.customers else "",
            each.meaning,
        )
        for each in chart.CLASSES
    ]
    head = ("Address", "Kind", "Grows by", "Guarded", "Customers'", "What it is")
    return _page(
        "Money",
        "Every account that can exist, and every way money may move between them. All amounts are "
        "whole minor units of one ISO 4217 currency; an entry touches one currency only. Who gets "
        "how much of an order is decided by its [commission terms](commission.md).",
        "## Chart of accounts",
        "*Guarded* accounts keep a running balance that the database holds at zero or above. "
        "*Customers'* accounts are money we owe to buyers, sellers, platforms and further parties.",
        _table(head, accounts),
        "## Entries",
        "One function of `ledger/entries.py`, `ledger/reserve_entries.py` or "
        "`ledger/manual_entries.py` per business event. The reference is the business "
        "fact and unique for ever, so the same fact cannot be booked twice. The subject is whose "
        "journal shows the entry. A correction is never an edit: it is a reversal, the exact "
        "mirror of an entry, with the reference `reversal:<reference of the original>`.",
        *(part for kind in entries.EntryKind for part in _entry(kind)),
        "## The pool-proof rule",
        *_pool_proof(),
    )


def _address(pattern: str) -> str:
    """A pattern of the chart as a person writes it."""
    return pattern.strip("^$").replace("[a-z]+_[0-9a-z]+", "<id>").replace("[a-z0-9_-]+", "<name>")


def _entry(kind: str) -> Iterator[str]:
    """One kind of entry: its docstring, reference, subject and legs, from an example of it."""
    from ledger import entries, manual_entries, reserve_entries

    name = kind.replace("-", "_")
    modules = (entries, reserve_entries, manual_entries)
    make = next(getattr(module, name) for module in modules if hasattr(module, name))
    draft = make(**{name: _stand_in(name) for name in inspect.signature(make).parameters})
    yield f"### `{kind}`"
    yield _first(make)
    yield f"Reference `{draft.reference}`, subject `{draft.subject}`."
    legs = [f"{'Dr' if leg.amount_minor > 0 else '    Cr'} {leg.address}" for leg in draft.legs]
    yield "\n".join(["```", *legs, "```"])


def _stand_in(name: str) -> Any:
    """A value for a parameter of a posting rule that shows what would stand there."""
    from ledger import chart, entries

    seller, platform, party = "merchant:<id>:payable", "platform:<id>:commission", "party:<id>"
    values: dict[str, Any] = {
        "currency": "CNY",
        "amount_minor": 10_001,
        "gross_minor": 10_001,
        "fee_minor": 60,
        "payable": "<merchant payable, platform commission or party payable>",
        "shares": [
            entries.Leg(seller, 8_100),
            entries.Leg("merchant:<id>:reserve", 900),
            entries.Leg(platform, 900),
            entries.Leg(f"{party}:payable", 41),
            entries.Leg(chart.SERVICE_FEE, 60),
        ],
        "taken": [
            entries.Leg(seller, 9_000),
            entries.Leg(platform, 900),
            entries.Leg(f"{party}:payable", 41),
            entries.Leg(chart.SERVICE_FEE, 60),
        ],
        "receivable": "<the payee's receivable>",
        "subject": "<order or surplus>",
    }
    return values.get(name, f"<{name.removesuffix('_id')}>")


def _pool_proof() -> Iterator[str]:
    """What the routes say together, computed from them."""
    from ledger import chart, entries

    routes = {(kind, code, side) for kind, pairs in entries.ROUTES.items() for code, side in pairs}

    def kinds(code: str, side: str) -> str:
        return ", ".join(sorted(f"`{kind}`" for kind, *pair in routes if pair == [code, side]))

    yield (
        "The table `ledger_route` holds, for each kind of entry, the classes of account it may "
        "debit and credit: the legs above and nothing else. A trigger refuses every other leg, "
        "whoever writes it, also by raw SQL. Read together:"
    )
    questions = (
        ("credits a platform's commission", "platform_commission", "C"),
        ("credits our service fee", "service_fee", "C"),
        ("takes held money", "held", "D"),
        ("takes money out of the reserve", "reserve", "C"),
        ("takes money from a seller's payable", "merchant_payable", "D"),
    )
    yield "\n".join(f"- What {what}: {kinds(code, side)}." for what, code, side in questions)
    yield (
        "So no entry moves customers' money to an account of ours or of a platform, except the "
        "commission and service-fee legs of a release, which only `held` can pay."
    )
    idle = [each for each in chart.CLASSES if not any(code == each.code for _, code, _ in routes)]
    yield (
        "Accounts of the chart that no entry may touch yet: "
        + ", ".join(f"`{_address(each.pattern)}`" for each in idle)
        + ". They wait for claw-backs and reconciliation."
    )


# States


def states() -> str:
    """Every state machine, deadline and sweep, from the models, the services and the clockwork."""
    parts: list[str] = []
    for model, field in _machines():
        parts += _machine(model, field)
    return _page(
        "States",
        "Who may become what. Each machine is small and no app writes another's state; the API "
        "composes one status of an order from them (`api/status.py`). A transition sets fields "
        "only; the service around it locks the row and writes the books. The database holds the "
        "same graphs by triggers.",
        *parts,
        "## Columns called state without a machine",
        "\n".join(_plain_states()),
        "## Deadlines",
        "A platform sets its own; they are copied onto each order when it is created. Paying and "
        "shipping are still in time at the very instant; automatic confirmation comes at it.",
        _table(("Deadline", "Column", "Default"), _deadlines()),
        "Fixed in the code:",
        _table(("Where", "How long", "What for"), _constants()),
        "## The clockwork",
        "Every sweep, how often beat rings for it, and what it does. A sweep finds its work by "
        "due times in PostgreSQL: it may be late or run twice.",
        _table(("Sweep", "Every", "Queue", "What it does"), _sweeps()),
    )


def _machines() -> Iterator[tuple[Any, Any]]:
    from django.apps import apps
    from django_fsm import FSMFieldMixin

    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, FSMFieldMixin) and not model.__name__.endswith("Audit"):
                yield model, field


def _machine(model: Any, field: Any) -> list[str]:
    moves = sorted(
        {
            (str(each.source), str(each.target), each.method.__name__)
            for each in field.get_all_transitions(model)
        }
    )
    left = {source for source, _, _ in moves}
    rows = [
        (f"`{code}`", str(label), "" if code in left else "final")
        for code, label in field.flatchoices
    ]
    diagram = [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {field.get_default()}",
        *(f"    {source} --> {target}: {verb}" for source, target, verb in moves),
        "```",
    ]
    return [
        f"## {model.__name__}",
        f"{_first(model)} In `{model.__module__.replace('.', '/')}.py`.",
        "\n".join(diagram),
        _table(("State", "Label", ""), rows),
    ]


def _plain_states() -> Iterator[str]:
    from django.apps import apps

    machines = {model for model, _ in _machines()}
    for model in apps.get_models():
        names = {field.name for field in model._meta.get_fields()}
        if "state" in names and model not in machines and not model.__name__.endswith("Audit"):
            field: Any = model._meta.get_field("state")
            listed = ", ".join(f"`{code}` {str(label).lower()}" for code, label in field.choices)
            yield f"- {model.__name__}: {listed}."


def _deadlines() -> list[tuple[str, ...]]:
    from merchants.models import Platform

    return [
        (
            str(field.verbose_name).removesuffix(", seconds").capitalize(),
            f"`{field.name}`",
            _span(timedelta(seconds=field.default)),
        )
        for field in Platform._meta.concrete_fields
        if field.name.endswith("_seconds")
    ]


def _constants() -> list[tuple[str, ...]]:
    from django.conf import settings

    found = [
        (f"`{module}.{name}`", _span(getattr(importlib.import_module(module), name)), what)
        for module, name, what in CONSTANTS
    ]
    rails = [
        (
            f"`settings.RAILS[{name!r}]`",
            _span(timedelta(seconds=rail["finality_seconds"])),
            "after this, “never heard of it” from this bank is believed",
        )
        for name, rail in settings.RAILS.items()
    ]
    return found + rails


def _sweeps() -> list[tuple[str, ...]]:
    from django.conf import settings

    from demo import clockwork
    from ledger import tasks

    verbs = {**clockwork.SWEEPS, "ledger.checkpoint_hot_accounts": tasks.checkpoint_hot_accounts}
    fast = timedelta(seconds=settings.SWEEP_SECONDS)
    return [
        (
            f"`{name}`",
            "`SWEEP_SECONDS`" if every == fast else _span(every),
            queue,
            _first(verbs[name]),
        )
        for name, every, queue in settings.CLOCKWORK
    ]


def _span(span: timedelta) -> str:
    """A length of time in the largest unit that says it exactly."""
    seconds = int(span.total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds and seconds % length == 0 and (unit != "day" or seconds > length * 3):
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 seconds"


# Settings


def settings() -> str:
    """Every environment variable, from settlement_site/settings.py and the comments there."""
    rows = [(f"`{name}`", comment) for name, comment in variables()]
    return _page(
        "Settings",
        "Read from the environment, or from a file `.env` in the checkout. See `.env.example`.",
        _table(("Variable", "What it is"), rows),
    )


def variables() -> list[tuple[str, str]]:
    """Each environment variable that is read, with the comment above it."""
    source = (ROOT / "settlement_site" / "settings.py").read_text(encoding="utf-8")
    return [
        *_variables(source),
        ("HOLDFAST_VAR", "Where this checkout writes while running; by default `var`."),
        ("WEB_CONCURRENCY", "Processes of the web server, by default 2; not read from `.env`."),
    ]


def _variables(source: str) -> Iterator[tuple[str, str]]:
    lines = source.splitlines()
    comment, seen = "", set()
    for statement in ast.parse(source).body:
        above, number = [], statement.lineno - 2
        while lines[number].startswith("# ") and not lines[number].startswith("# ---"):
            above.insert(0, lines[number].removeprefix("# "))
            number -= 1
        comment = " ".join(above) or comment
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("environment."):
                first = call.args[0] if call.args else None
                if isinstance(first, ast.Constant) and first.value not in {",", *seen}:
                    seen.add(first.value)
                    yield str(first.value), comment


# Pages


def _first(thing: object) -> str:
    """The docstring's first paragraph, on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(re.sub(r"\|", r"\\|", cell) for cell in line) + " |" for line in lines
    )


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([HEAD + f"\n# {title}", *parts]) + "\n"


def _is_written(path: Path, page: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == page


if __name__ == "__main__":
    main()
