"""Who changed what and when, of every kind of row, out of the append-only audit rows.

It must never write, and never look further back than the newest rows of each kind, unless one row
is asked for: its changes have an index.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.db.models.fields.json import KT
from pghistory.models import Event

from ledger import admin_panels as panels
from merchants.models import User

SHOWN = 50
SCANNED = 5_000  # of each kind, when a person is looked for
SAID = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row. `facts`: what it was changed to."""

    at: datetime
    actor: str
    reason: str
    kind: str
    row: Any
    key: str
    facts: str


def audited() -> list[type[Event]]:
    """Every model of audit rows."""
    found = [model for model in apps.get_models() if issubclass(model, Event)]
    return [model for model in found if hasattr(model, "pgh_obj")]


def changes(*, may: Callable[[str], bool], subject: str = "", person: str = "") -> list[Change]:
    """List changes, newest first, as far as somebody may see the rows they are of.

    Args: subject: id of one row, written in full. person: user name, or a name such as
        `sweep:send_due_payouts`, written in full.
    """
    actor = _actor(person)
    found: list[tuple[Any, type[Model]]] = []
    for kind in audited():
        of: type[Model] = kind._meta.get_field("pgh_obj").related_model  # type: ignore[assignment]
        if may(f"{of._meta.app_label}.view_{of._meta.model_name}"):
            rows = _rows(kind, of, subject, actor)
            found += [(row, of) for row in rows.order_by("-pgh_id")[:SHOWN]]
    found.sort(key=lambda each: (each[0].pgh_created_at, each[0].pk), reverse=True)
    newest = found[:SHOWN]
    names = _names(row for row, _of in newest)
    return [_change(row, of, names) for row, of in newest]


def _rows(kind: type[Event], of: type[Model], subject: str, actor: str) -> QuerySet[Any]:
    rows = kind._default_manager.all()
    if subject:
        try:
            key = of._meta.pk.to_python(subject)
        except Exception:  # an id of another kind of row, which this one cannot have
            return rows.none()
        rows = rows.filter(pgh_obj_id=key)
    if not actor:
        return rows
    if not subject:
        newest = kind._default_manager.order_by("-pgh_id").values("pgh_id")[:SCANNED]
        rows = rows.filter(pgh_id__in=newest)
    return rows.annotate(said_by=KT("pgh_context__actor")).filter(said_by=actor)


def _actor(person: str) -> str:
    """What audit rows call somebody: operators by their number, everybody else by name."""
    if not person or ":" in person:
        return person
    found = User.objects.filter(username=person).values_list("pk", flat=True).first()
    return f"operator:{found}" if found else f"unknown:{person}"


def _names(rows: Iterable[Any]) -> dict[str, str]:
    """The user names of the operators among those who changed something, in one query."""
    said = {str((row.pgh_context or {}).get("actor", "")) for row in rows}
    keys = [each.partition(":")[2] for each in said if each.startswith("operator:")]
    known = User.objects.filter(pk__in=[key for key in keys if key.isdigit()])
    return {f"operator:{pk}": name for pk, name in known.values_list("pk", "username")}


def _change(row: Any, of: type[Model], names: dict[str, str]) -> Change:
    context = row.pgh_context or {}
    actor, key = str(context.get("actor", "")), str(row.pgh_obj_id)
    short = f"…{key[-8:]}" if len(key) > 10 else key
    page = f"{of._meta.app_label}_{of._meta.model_name}"
    return Change(
        at=row.pgh_created_at,
        actor=names.get(actor, actor) or panels.NOTHING,
        reason=str(context.get("reason", "")),
        kind=str(of._meta.verbose_name),
        row=panels.link(page, key, short) if admin.site.is_registered(of) else short,
        key=key,
        facts=_facts(row),
    )


def _facts(row: Any) -> str:
    """What the row says after the change, without its own id."""
    said = []
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if field.name.startswith("pgh_") or field.name == "id" or value in (None, "", [], {}):
            continue
        shown = panels.instant(value) if isinstance(value, datetime) else str(value)[:SAID]
        said.append(f"{field.attname}={shown}")
    return ", ".join(said)
