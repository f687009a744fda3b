"""The two clients: one that blocks, one for asyncio. They differ in how bytes travel only."""

import asyncio
import random
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from holdfast import _exchange, resources
from holdfast._exchange import Answered, Call, Outcome, Pause, Policy, Send
from holdfast._operations import Asynchronous, Blocking, Mode
from holdfast.version import API_VERSION, __version__

T = TypeVar("T")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Client(Generic[Mode]):
    """What both have: settings, and one attribute per resource."""

    asynchronous = False

    def __init__(self, api_key: str, base_url: str, policy: Policy) -> None:
        self._api_key = _checked_key(api_key)
        self.base_url = _checked_url(base_url, api_key)
        self.policy = policy
        self.merchants = resources.Merchants[Mode](self)
        self.bank_accounts = resources.BankAccounts[Mode](self)
        self.parties = resources.Parties[Mode](self)
        self.commission_plans = resources.CommissionPlans[Mode](self)
        self.commission_rules = resources.CommissionRules[Mode](self)
        self.orders = resources.Orders[Mode](self)
        self.payments = resources.Payments[Mode](self)
        self.holds = resources.Holds[Mode](self)
        self.releases = resources.Releases[Mode](self)
        self.refunds = resources.Refunds[Mode](self)
        self.disputes = resources.Disputes[Mode](self)
        self.buyer_disputes = resources.BuyerDisputes[Mode](self)
        self.balances = resources.Balances[Mode](self)
        self.debts = resources.Debts[Mode](self)
        self.settlements = resources.Settlements[Mode](self)
        self.payouts = resources.Payouts[Mode](self)
        self.events = resources.Events[Mode](self)
        self.webhook_endpoints = resources.WebhookEndpoints[Mode](self)
        self.deliveries = resources.Deliveries[Mode](self)
        self.sandbox = resources.Sandbox[Mode](self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"  # never the key

    def call(self, call: Call[T]) -> Any:
        """Make one call."""
        raise NotImplementedError

    def _exchange(self, call: Call[T]) -> Any:
        return _exchange.exchange(
            call, policy=self.policy, clock=time.monotonic, chance=random.random
        )

    def _request(self, call: Call[Any], step: Send) -> dict[str, Any]:
        """The arguments for httpx."""
        headers = {
            "Accept": "application/json",
            "Holdfast-Version": API_VERSION,
            "User-Agent": f"holdfast-python/{__version__}",
        }
        if not call.keyless:
            headers["Authorization"] = f"Bearer {self._api_key}"
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        return {
            "method": call.method,
            "url": self.base_url + call.path,
            "params": dict(call.query) or None,
            "content": call.content,
            "headers": headers,
            "timeout": step.timeout_seconds,
        }


class Holdfast(_Client[Blocking]):
    """A client that blocks. Safe to share between threads; close it, or use it with `with`.

    Args:
        api_key: `sk_test_…` or `sk_live_…`; a live key is only ever sent over https.
        base_url: such as `https://pay.example.com`, without `/v1`.
        policy: how often and how long it tries.
        http: an `httpx.Client` of your own, for proxies or certificates; you close it.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str,
        *,
        policy: Policy | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(api_key, base_url, policy or Policy())
        self._http = http or httpx.Client(follow_redirects=False)
        self._owns_http = http is None

    def with_policy(self, policy: Policy) -> "Holdfast":
        """The same client, more or less patient, on the same connections."""
        return Holdfast(self._api_key, self.base_url, policy=policy, http=self._http)

    def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, call: Call[T]) -> T:
        """Make one call. Raises: ApiError, ConnectionFailed, AnswerUnreadable."""
        steps = self._exchange(call)
        outcome: Outcome = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = self._send(call, step)
        except StopIteration as end:
            answer: T = end.value
            return answer

    def _send(self, call: Call[Any], step: Send) -> Outcome:
        try:
            answer = self._http.request(**self._request(call, step))
        except httpx.RequestError as trouble:
            return trouble
        return _answered(answer)


class AsyncHoldfast(_Client[Asynchronous]):
    """The same for asyncio: `await client.orders.create(…)`, `async for … in client.orders.list()`.

    Args: as `Holdfast`; http: an `httpx.AsyncClient`.
    """

    asynchronous = True

    def __init__(
        self,
        api_key: str,
        base_url: str,
        *,
        policy: Policy | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(api_key, base_url, policy or Policy())
        self._http = http or httpx.AsyncClient(follow_redirects=False)
        self._owns_http = http is None

    def with_policy(self, policy: Policy) -> "AsyncHoldfast":
        """The same client, more or less patient, on the same connections."""
        return AsyncHoldfast(self._api_key, self.base_url, policy=policy, http=self._http)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def call(self, call: Call[T]) -> T:
        """Make one call. Raises: ApiError, ConnectionFailed, AnswerUnreadable."""
        steps = self._exchange(call)
        outcome: Outcome = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = await self._send(call, step)
        except StopIteration as end:
            answer: T = end.value
            return answer

    async def _send(self, call: Call[Any], step: Send) -> Outcome:
        try:
            answer = await self._http.request(**self._request(call, step))
        except httpx.RequestError as trouble:
            return trouble
        return _answered(answer)


def _answered(answer: httpx.Response) -> Answered:
    headers: Mapping[str, str] = {name.lower(): value for name, value in answer.headers.items()}
    return Answered(answer.status_code, headers, answer.content)


def _checked_key(api_key: str) -> str:
    if not api_key or not api_key.isascii() or api_key != api_key.strip():
        raise ValueError("An API key looks like sk_test_….")
    return api_key


def _checked_url(base_url: str, api_key: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The base URL looks like https://pay.example.com.")
    local = parts.hostname in LOOPBACK
    if api_key.startswith("sk_live_") and parts.scheme != "https" and not local:
        raise ValueError("A live key is never sent over http: the base URL must begin with https.")
    return base_url.rstrip("/").removesuffix("/v1")
