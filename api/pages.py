"""Lists and their items: pages by cursor, newest first; unknown or malformed filters are refused.

A page is read by key, never by counting rows, so the ten thousandth costs what the first does, and
nothing is shown twice or left out while rows are added.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from operator import or_
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept
from api.fields import InstantField
from api.views import ApiView
from common.errors import DomainError
from common.ids import MAX_LENGTH

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
PAGE_PARAMETERS = frozenset({"limit", "cursor"})


class QueryParameterInvalid(DomainError):
    """A query parameter has a value it cannot have."""

    code = "query_parameter_invalid"
    status = 400


class ResourceNotFound(DomainError):
    """There is no such object on your platform."""

    code = "resource_not_found"
    status = 404


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter of a list: which column it compares, and how its text is read.

    Of several lookups one must match.
    """

    lookup: str | tuple[str, ...]
    read: Callable[[str], Any]
    help_text: str
    schema: Mapping[str, Any]  # what `read` takes, as JSON Schema


def one_of(choices: Any, lookup: str, help_text: str) -> Filter:
    """A filter by one of a model's choices; a comma lists several."""
    known = set(choices.values)

    def read(text: str) -> list[str]:
        wanted = text.split(",")
        if not set(wanted) <= known:
            raise ValueError(f"one of {', '.join(sorted(known))}, or several with commas")
        return wanted

    schema = {"type": "array", "items": {"type": "string", "enum": choices.values}, "minItems": 1}
    return Filter(f"{lookup}__in", read, f"{help_text} A comma lists several.", schema)


def text(lookup: str | tuple[str, ...], help_text: str) -> Filter:
    """A filter by the whole text of a column, such as an id or your own reference."""

    def read(found: str) -> str:
        if not 1 <= len(found) <= 255 or "\x00" in found:
            raise ValueError("1 to 255 characters")
        return found

    schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^\\u0000]*$"}
    return Filter(lookup, read, help_text, schema)


def instant(lookup: str, help_text: str) -> Filter:
    """A filter by an instant, RFC 3339."""

    def read(found: str) -> datetime:
        try:
            return InstantField().to_internal_value(found)
        except serializers.ValidationError:
            raise ValueError("an instant such as 2026-11-23T08:00:00Z") from None

    return Filter(lookup, read, f"{help_text} RFC 3339.", {"type": "string", "format": "date-time"})


def created(column: str = "created_at") -> dict[str, Filter]:
    """The two filters every list has: from an instant, and before one."""
    return {
        "created_from": instant(f"{column}__gte", "Created at this instant or later."),
        "created_before": instant(f"{column}__lt", "Created before this instant."),
    }


class ListView(ApiView):
    """GET: a page of what `rows` gives. Views add POST and the rest."""

    answer: ClassVar[type[serializers.BaseSerializer[Any]]]
    filters: ClassVar[Mapping[str, Filter]] = {}
    order_by = "pk"  # a unique column that sorts as rows were made

    def rows(self) -> QuerySet[Any]:
        """All rows the caller may see, with what the answer needs already joined."""
        raise NotImplementedError

    def prepare(self, page: list[Any]) -> list[Any]:
        """Turn the rows of a page into what the answer is written from."""
        return page

    @property
    def query_parameters(self) -> frozenset[str]:  # type: ignore[override]
        if self.request.method not in SAFE_METHODS:
            return frozenset()
        return PAGE_PARAMETERS | self.filters.keys() | _expand_of(self)

    def get(self, request: Request, **named: str) -> Response:
        """List them, newest first."""
        limit = _limit(request)
        written = partial(kept.write, self.answer, expand=self.expand)
        rows = _filtered(self.rows(), request, self.filters)
        cursor = _sent(request, "cursor")
        if cursor is not None:
            rows = rows.filter(**{f"{self.order_by}__lt": _after(cursor)})
        page: list[Model] = list(rows.order_by(f"-{self.order_by}")[: limit + 1])
        more = len(page) > limit
        page = page[:limit]
        last = str(getattr(page[-1], self.order_by)) if more else None
        return Response(
            {
                "data": [written(each) for each in self.prepare(page)],
                "has_more": more,
                "next_cursor": _cursor(last) if last else None,
            }
        )

    def write(self, found: Any) -> Any:
        return kept.write(self.answer, found, expand=self.expand)


class ItemView(ApiView):
    """GET: one row of a list, by its id."""

    listing: ClassVar[type[ListView]]

    @property
    def answer(self) -> type[serializers.BaseSerializer[Any]]:
        """What one is written as; views that tell more than their list name their own."""
        return self.listing.answer

    @property
    def query_parameters(self) -> frozenset[str]:  # type: ignore[override]
        return _expand_of(self) if self.request.method in SAFE_METHODS else frozenset()

    def rows(self) -> QuerySet[Any]:
        """The rows it is looked for in: those of its list."""
        return self.listing.rows(self)  # type: ignore[arg-type]

    def find(self, id: str) -> Any:
        """Return the caller's row. Raises: ResourceNotFound, for a foreign one too."""
        found = self.rows().filter(**{self.listing.order_by: id}).first()
        if found is None:
            raise ResourceNotFound(f"There is nothing with the id {id} here.", id=id)
        return found

    def get(self, request: Request, id: str) -> Response:
        """Return one by its id."""
        return Response(self.write(self.find(id)))

    def write(self, found: Any) -> Any:
        return kept.write(self.answer, found, expand=self.expand)


class ActionView(ItemView):
    """POST alone: what is done to one row of a list. It is read at its own address."""

    http_method_names: ClassVar[list[str]] = ["post"]


def _expand_of(view: ApiView) -> frozenset[str]:
    return frozenset({"expand"}) if view.expandable else frozenset()


def _limit(request: Request) -> int:
    found = _sent(request, "limit")
    if found is None:
        return DEFAULT_LIMIT
    if not (found.isascii() and found.isdigit()) or not 1 <= int(found[:9]) <= MAX_LIMIT:
        raise _invalid("limit", f"a whole number from 1 to {MAX_LIMIT}")
    return int(found)


def _filtered(
    rows: QuerySet[Any], request: Request, filters: Mapping[str, Filter]
) -> QuerySet[Any]:
    for name, each in filters.items():
        found = _sent(request, name)
        if found is None:
            continue
        try:
            wanted = each.read(found)
        except ValueError as expected:
            raise _invalid(name, str(expected)) from None
        lookups = (each.lookup,) if isinstance(each.lookup, str) else each.lookup
        rows = rows.filter(reduce(or_, (Q(**{lookup: wanted}) for lookup in lookups)))
    return rows


def _sent(request: Request, name: str) -> str | None:
    """Read a parameter. Sent twice, only one of the two would count: neither does."""
    found = request.query_params.getlist(name)
    if len(found) > 1:
        raise _invalid(name, "sent once")
    return found[0] if found else None


def _cursor(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def _after(cursor: str) -> str:
    try:
        found = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        found = ""
    if not 1 <= len(found) <= MAX_LENGTH or not found.replace("_", "").isalnum():
        raise _invalid("cursor", "the next_cursor of the page before")
    return found


def _invalid(name: str, wanted: str) -> QueryParameterInvalid:
    return QueryParameterInvalid(f"`{name}` must be {wanted}.", parameter=name)
