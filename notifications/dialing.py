"""One HTTP request to an address somebody else chose, so that it cannot be turned against us.

A name is resolved once, every address of the answer is judged, and exactly a judged address is
dialled, while Host and the name in TLS stay the name: a second, different answer of the name server
is never asked for. It must never follow a redirect, obey a proxy variable, decompress or keep an
answer, or take longer than `TOTAL_SECONDS` once the name is resolved.

It stands on httpcore, which httpx stands on too: there the network backend is a public parameter.
"""

import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import httpcore
import httpx

from notifications import addresses
from notifications.models import MAX_EXCERPT, Failure

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0  # also ends an answer that drips in byte by byte
EXCERPT_SECONDS = 2.0  # the status is known: what it says besides is worth no more waiting
MAX_ANSWER_BYTES = 64 * 1024  # with headers and TLS handshake taken off
READ_BYTES = 4096
MAX_DIALLED = 4  # addresses of one name that are tried

Resolve = Callable[[str, int], Sequence[str]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a request. `failure` is empty exactly when the receiver said 2xx."""

    status_code: int | None = None
    failure: str = ""
    excerpt: str = ""
    duration_ms: int = 0

    @property
    def is_silence(self) -> bool:
        """Nobody answered: worse than a no, the next try may cost as much time again."""
        return self.status_code is None


class AddressRefused(Exception):
    """The name leads nowhere, or to an address that may not be dialled. Never says which."""


class TlsRefused(Exception):
    """The certificate is not one for this name that somebody vouches for, or there is no TLS."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, best first, each once. Raises: OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def post(
    *,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    allowed: Sequence[addresses.Network] = (),
    resolver: Resolve = resolve,
) -> Answer:
    """Send one POST, once. Never raises: every trouble is an Answer with a failure.

    Args: allowed: networks of our own that may be reached, by http and any port too.
    """
    began = time.monotonic()
    try:
        status, excerpt = _exchange(httpx.URL(url), headers, body, allowed, resolver, began)
    except Exception as error:
        answer = Answer(failure=_failure(error))
    else:
        answer = Answer(status_code=status, failure=_judge(status), excerpt=_text(excerpt))
    took = round((time.monotonic() - began) * 1000)
    return Answer(
        status_code=answer.status_code,
        failure=answer.failure,
        excerpt=answer.excerpt,
        duration_ms=took,
    )


class GuardedBackend(httpcore.NetworkBackend):
    """Dials only what `addresses.may_dial` allows, and ends what lasts longer than its deadline."""

    def __init__(
        self,
        *,
        allowed: Sequence[addresses.Network],
        public: bool,
        deadline: float,
        resolver: Resolve = resolve,
    ) -> None:
        self._allowed, self._public, self._resolve = allowed, public, resolver
        self.deadline = deadline  # of time.monotonic()
        self._dialler = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        checked = self._checked(host, port)[:MAX_DIALLED]
        # Resolving has a time limit of its own, the C library's; the others begin after it.
        self.deadline = max(self.deadline, time.monotonic() + TOTAL_SECONDS)
        give_up = time.monotonic() + CONNECT_SECONDS
        for number, address in enumerate(checked, start=1):
            share = (give_up - time.monotonic()) / (len(checked) - number + 1)
            try:
                stream = self._dialler.connect_tcp(address, port, max(share, 0.1))
                return _TimedStream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(checked):
                    raise
        raise AddressRefused

    def _checked(self, host: str, port: int) -> list[str]:
        """Resolve once. One bad address spoils the whole answer. Raises: AddressRefused."""
        try:
            found = list(self._resolve(host, port))
            judged = [ipaddress.ip_address(address) for address in found]
        except (OSError, ValueError):
            raise AddressRefused from None
        may = [
            addresses.may_dial(each, allowed=self._allowed, public=self._public) for each in judged
        ]
        if not may or not all(may):
            raise AddressRefused
        return found


class _TimedStream(httpcore.NetworkStream):
    """A stream that knows the backend's deadline and how much may still be read from it."""

    def __init__(self, stream: httpcore.NetworkStream, backend: GuardedBackend) -> None:
        self._stream, self._backend = stream, backend
        self._left = MAX_ANSWER_BYTES

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left <= 0:
            raise httpcore.ReadError("the answer is too long")
        found = self._stream.read(min(max_bytes, READ_BYTES), self._time(httpcore.ReadTimeout))
        self._left -= len(found)
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._time(httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = min(CONNECT_SECONDS, self._time(httpcore.ConnectTimeout))
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, left)
        except httpcore.ConnectError as error:
            raise TlsRefused from error
        return _TimedStream(stream, self._backend)

    def close(self) -> None:
        self._stream.close()

    def _time(self, too_late: type[Exception]) -> float:
        left = self._backend.deadline - time.monotonic()
        if left <= 0:
            raise too_late("the total time is over")
        return left


def _exchange(
    url: httpx.URL,
    headers: Mapping[str, str],
    body: bytes,
    allowed: Sequence[addresses.Network],
    resolver: Resolve,
    began: float,
) -> tuple[int, bytes]:
    """Returns: the status, and the beginning of the body as it came."""
    backend = GuardedBackend(
        allowed=allowed,
        public=addresses.is_usual(url),
        deadline=began + TOTAL_SECONDS,
        resolver=resolver,
    )
    host = url.netloc.decode("ascii")
    sent = [("Host", host), *headers.items(), ("Connection", "close")]
    target = httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    pool = httpcore.ConnectionPool(
        ssl_context=_tls(), network_backend=backend, http1=True, http2=False, retries=0
    )
    with pool, pool.stream("POST", target, headers=sent, content=body) as answer:
        backend.deadline = min(backend.deadline, time.monotonic() + EXCERPT_SECONDS)
        return answer.status, _beginning(answer)


def _beginning(answer: httpcore.Response) -> bytes:
    read = b""
    try:
        for chunk in answer.iter_stream():
            read += chunk
            if len(read) >= MAX_EXCERPT:
                break
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        pass  # the status was the answer
    return read[:MAX_EXCERPT]


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _judge(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return Failure.REDIRECTED if 300 <= status < 400 else Failure.STATUS


def _failure(error: Exception) -> str:
    if isinstance(error, (AddressRefused, httpx.InvalidURL)):
        return Failure.NO_PUBLIC_ADDRESS
    if isinstance(error, TlsRefused):
        return Failure.TLS_FAILED
    if isinstance(error, httpcore.TimeoutException):
        return Failure.TIMED_OUT
    if isinstance(error, httpcore.ConnectError):
        return Failure.CONNECTION_FAILED
    if isinstance(error, (httpcore.NetworkError, httpcore.ProtocolError)):
        return Failure.ANSWER_UNREADABLE
    log.exception("a request to a receiver could not be made")
    return Failure.INTERNAL


def _text(excerpt: bytes) -> str:
    return excerpt.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
