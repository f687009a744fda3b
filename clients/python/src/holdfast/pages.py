"""Lists that fetch their pages as they are read, newest first."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page. `next_cursor` is None on the last."""

    data: tuple[T, ...]
    has_more: bool
    next_cursor: str | None


class Pages(Generic[T]):
    """Everything a list has: `for order in client.orders.list(): …`. Nothing is fetched before.

    Each loop begins anew. `by_page()` gives page by page.
    """

    def __init__(self, fetch: Callable[[str | None], Page[T]]) -> None:
        self._fetch = fetch

    def __iter__(self) -> Iterator[T]:
        for page in self.by_page():
            yield from page.data

    def by_page(self) -> Iterator[Page[T]]:
        """Fetch page by page."""
        cursor: str | None = None
        while True:
            page = self._fetch(cursor)
            yield page
            cursor = page.next_cursor
            if not page.has_more or cursor is None:
                return

    def first(self) -> T | None:
        """The newest, or None when there is none."""
        return next(iter(self), None)


class AsyncPages(Generic[T]):
    """The same for `async for order in client.orders.list(): …`."""

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.by_page():
            for each in page.data:
                yield each

    async def by_page(self) -> AsyncIterator[Page[T]]:
        """Fetch page by page."""
        cursor: str | None = None
        while True:
            page = await self._fetch(cursor)
            yield page
            cursor = page.next_cursor
            if not page.has_more or cursor is None:
                return

    async def first(self) -> T | None:
        """The newest, or None when there is none."""
        async for each in self:
            return each
        return None
