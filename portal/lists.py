"""Pages of a list, newest first, by a key that sorts by time: fast however many rows there are.

It must never count a table.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest

PAGE = 25
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """One page. `older`: the cursor of the next page, empty on the last; `newer`: whether this is
    not the first."""

    rows: Sequence[Row]
    older: str
    newer: bool | None


def page_of(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    prepare: Callable[[list[Any]], Any] = list,
    by: str = "pk",
) -> Listing[Any]:
    """Read the page that `?after=` asks for.

    Args: prepare: what is to be shown of the rows, in one go. by: a unique column; ids of ours
        sort by their time.
    """
    after = request.GET.get("after", "")[:64].replace("\x00", "")
    found = rows
    if after:
        with suppress(ValueError):  # no key of such rows: then the first page
            found = rows.filter(**{f"{by}__lt": after})
    page = list(found.order_by(f"-{by}")[: PAGE + 1])
    older = str(getattr(page[PAGE - 1], by)) if len(page) > PAGE else ""
    return Listing(prepare(page[:PAGE]), older, True if after else None)
