"""A platform's webhook receiver on loopback, which answers as the test wants.

It must never be slow by itself: a test that needs a slow one waits for an event, not for a time.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 20  # seconds before a test that hangs gives up


@dataclass
class Received:
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


Reply = Callable[[Received], tuple[int, dict[str, str], bytes]]


def taken(received: Received) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"thank you"


def says(status: int, body: bytes = b"", **headers: str) -> Reply:
    return lambda received: (status, headers, body)


@dataclass
class Receiver:
    """Keeps what comes in, in order."""

    reply: Reply = taken
    received: list[Received] = field(default_factory=list)
    most_at_once: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._lock, self._at_once = threading.Lock(), 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?key=1"

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.received]

    @property
    def sequences(self) -> list[tuple[str, int]]:
        return [(each.event["subject"], each.event["sequence"]) for each in self.received]

    def take(self, received: Received) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.received.append(received)
        try:
            return self.reply(received)
        finally:
            with self._lock:
                self._at_once -= 1


@contextmanager
def open_receiver(reply: Reply = taken) -> Iterator[Receiver]:
    """Listen on a port of the system's choice."""
    receiver = Receiver(reply)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, answer = receiver.take(Received(self.path, headers, body))
            with suppress(OSError):  # the sender has hung up
                self.send_response(status)
                for name, value in {"Content-Length": str(len(answer)), **more}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def read_request(connection: socket.socket) -> None:
    """Read to the end of a request with the body `{}`, or the first words of TLS.

    A socket that is closed with something unread resets the connection, and the answer with it.
    """
    read = b""
    while not read.endswith(b"{}") and not read.startswith(b"\x16"):
        read += (more := connection.recv(65_536))
        if not more:
            return


@contextmanager
def raw_server(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """Take one connection after the other and let `speak` say what it likes. Yields: the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    read_request(connection)
                    speak(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)
