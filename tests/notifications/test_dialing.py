"""Why: whoever may choose an address may try to make us dial our own network, or to tie us up."""

import gzip
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifications import dialing
from notifications.models import MAX_EXCERPT, Failure
from tests.notifications.conftest import LOOPBACK
from tests.notifications.receiver import (
    PATIENCE,
    Receiver,
    open_receiver,
    raw_server,
    read_request,
    says,
)

PUBLIC = "93.184.216.34"
NAME = "shop.example"


class Names:
    """A name server that gives one answer after the other and counts its questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What would have been dialled; nobody answers."""
    found: list[tuple[str, int]] = []

    def connect(self: Any, host: str, port: int, *_args: Any, **_options: Any) -> None:
        found.append((host, port))
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return found


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECT_SECONDS", "TOTAL_SECONDS", "EXCERPT_SECONDS"):
        monkeypatch.setattr(dialing, name, 0.3)


def post(url: str, **options: Any) -> dialing.Answer:
    return dialing.post(url=url, headers={"X-Ours": "1"}, body=b"{}", **options)


def post_here(port: int) -> dialing.Answer:
    return post(f"http://127.0.0.1:{port}/", allowed=LOOPBACK)


# Names


def test_checked_address_is_the_one_that_is_dialled(dialled: list[tuple[str, int]]) -> None:
    names = Names([PUBLIC], ["127.0.0.1"])  # rebinding: public when it is checked, then private

    answer = post(f"https://{NAME}/", resolver=names)

    assert dialled == [(PUBLIC, 443)]
    assert names.asked == 1
    assert (answer.failure, answer.status_code) == (Failure.CONNECTION_FAILED, None)


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["fe80::1%lo"],
        [PUBLIC, "10.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [],
        ["nonsense"],
    ],
)
def test_answer_with_one_private_address_is_not_dialled(
    dialled: list[tuple[str, int]], answers: list[str]
) -> None:
    answer = post(f"https://{NAME}/", resolver=Names(answers))

    assert dialled == []
    assert (answer.failure, answer.excerpt) == (Failure.NO_PUBLIC_ADDRESS, "")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0177.0.0.1", "0x7f000001", "0", "[::1]"])
def test_forms_only_the_system_reads_are_not_dialled(
    dialled: list[tuple[str, int]], host: str
) -> None:
    # The URL would be refused long before; here it is the dialler that is asked.
    assert post(f"https://{host}/").failure == Failure.NO_PUBLIC_ADDRESS

    assert dialled == []


def test_name_that_does_not_exist_looks_like_a_private_one(
    dialled: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_args: Any, **_options: Any) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert post(f"https://{NAME}/").failure == Failure.NO_PUBLIC_ADDRESS


@pytest.mark.parametrize("url", [f"http://{NAME}/", f"https://{NAME}:8444/", f"http://{NAME}:443/"])
def test_public_address_is_dialled_by_https_on_its_ports_only(
    dialled: list[tuple[str, int]], url: str
) -> None:
    assert post(url, resolver=Names([PUBLIC])).failure == Failure.NO_PUBLIC_ADDRESS
    assert dialled == []

    post(f"https://{NAME}:8443/", resolver=Names([PUBLIC]))
    assert dialled == [(PUBLIC, 8443)]


def test_next_address_is_tried_when_one_is_dead(dialled: list[tuple[str, int]]) -> None:
    names = Names([f"93.184.216.{number}" for number in range(9)])

    post(f"https://{NAME}/", resolver=names)

    assert dialled == [(f"93.184.216.{number}", 443) for number in range(dialing.MAX_DIALLED)]


def test_allowed_network_is_dialled_under_its_name(receiver: Receiver) -> None:
    url = f"http://{NAME}:{receiver.port}/hooks?a=1"

    answer = post(url, allowed=LOOPBACK, resolver=Names(["127.0.0.1"]))

    assert (answer.status_code, answer.failure, answer.excerpt) == (200, "", "thank you")
    [received] = receiver.received
    assert received.headers["host"] == f"{NAME}:{receiver.port}"
    assert (received.path, received.body) == ("/hooks?a=1", b"{}")
    assert received.headers["x-ours"] == "1"


def test_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert post(receiver.url, allowed=LOOPBACK).failure == ""


# Answers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    with open_receiver() as inner:
        receiver.reply = says(status, b"over there", Location=inner.url)

        answer = post(receiver.url, allowed=LOOPBACK)

        assert (answer.status_code, answer.failure) == (status, Failure.REDIRECTED)
        assert inner.received == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_a_yes(receiver: Receiver, status: int) -> None:
    receiver.reply = says(status)

    assert post(receiver.url, allowed=LOOPBACK).failure == ""


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_every_other_status_is_a_no(receiver: Receiver, status: int) -> None:
    receiver.reply = says(status, b"no")

    answer = post(receiver.url, allowed=LOOPBACK)

    assert (answer.status_code, answer.failure, answer.excerpt) == (status, Failure.STATUS, "no")
    assert not answer.is_silence


def test_of_a_huge_answer_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.reply = says(200, b"a" * 50_000_000)

    answer = post(receiver.url, allowed=LOOPBACK)

    assert (answer.failure, answer.excerpt) == ("", "a" * MAX_EXCERPT)


def test_compressed_answer_is_never_unpacked(receiver: Receiver) -> None:
    bomb = gzip.compress(b"\x00" * 30_000_000)
    receiver.reply = says(200, bomb, Content_Encoding="gzip")

    answer = post(receiver.url, allowed=LOOPBACK)

    assert answer.failure == ""
    assert len(answer.excerpt) <= MAX_EXCERPT
    assert "\x00" not in answer.excerpt
    assert receiver.received[0].headers["connection"] == "close"


def test_answer_of_headers_without_end_is_cut() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")

    with raw_server(flood) as port:
        assert post_here(port).failure == Failure.ANSWER_UNREADABLE


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200", b"HTTP/1.1 abc OK\r\n\r\n"]
)
def test_answer_that_is_not_http_is_a_failure(said: bytes) -> None:
    with raw_server(lambda connection: connection.sendall(said)) as port:
        answer = post_here(port)

    assert (answer.failure, answer.status_code) == (Failure.ANSWER_UNREADABLE, None)


def test_broken_body_does_not_undo_the_status() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with raw_server(lambda connection: connection.sendall(head)) as port:
        answer = post_here(port)

    assert (answer.failure, answer.excerpt) == ("", "half")


def test_answer_that_drips_ends_with_the_total_time(hurry: None) -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not over.wait(0.02):
            connection.sendall(b"a")

    with raw_server(drip) as port:
        answer = post_here(port)
        over.set()

    assert (answer.failure, answer.status_code) == (Failure.TIMED_OUT, None)
    assert answer.is_silence
    assert 250 <= answer.duration_ms < 5000


def test_informational_answers_without_end_are_cut() -> None:
    def go_on(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")

    with raw_server(go_on) as port:
        assert post_here(port).failure == Failure.ANSWER_UNREADABLE


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert post_here(port).failure == Failure.CONNECTION_FAILED


def test_mistake_of_ours_is_an_answer_too(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def broken(*_args: Any) -> None:
        raise KeyError("secret token")

    monkeypatch.setattr(dialing, "_exchange", broken)

    assert post("https://shop.example/?token=1").failure == Failure.INTERNAL
    assert "token=1" not in caplog.text


# TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for NAME that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[tuple[int, list[str | None]]]:
    """A TLS server on loopback, and the names it was asked for."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as stream:
                    read_request(stream)
                    stream.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], asked
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(PATIENCE)


def test_tls_asks_for_the_name_and_dials_the_address(
    tls_port: tuple[int, list[str | None]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, asked = tls_port
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(dialing, "_tls", lambda: trusting)
    url = f"https://{NAME}:{port}/"

    answer = post(url, allowed=LOOPBACK, resolver=Names(["127.0.0.1"]))

    assert (answer.status_code, answer.failure) == (204, "")
    assert asked == [NAME]
    other = post(f"https://other.example:{port}/", allowed=LOOPBACK, resolver=Names(["127.0.0.1"]))
    assert other.failure == Failure.TLS_FAILED


def test_certificate_nobody_vouches_for_is_refused(
    tls_port: tuple[int, list[str | None]],
) -> None:
    url = f"https://{NAME}:{tls_port[0]}/"

    answer = post(url, allowed=LOOPBACK, resolver=Names(["127.0.0.1"]))

    assert (answer.failure, answer.status_code) == (Failure.TLS_FAILED, None)


def test_handshake_that_never_comes_ends_in_time(hurry: None) -> None:
    over = threading.Event()
    with raw_server(lambda connection: over.wait(PATIENCE) or None) as port:
        answer = post(f"https://127.0.0.1:{port}/", allowed=LOOPBACK)
        over.set()

    assert answer.failure == Failure.TIMED_OUT


def test_addresses_are_judged_as_they_are_resolved() -> None:
    # The system's own answer for a literal is that literal: nothing else is ever dialled.
    assert dialing.resolve("127.0.0.1", 443) == ["127.0.0.1"]
    assert ipaddress.ip_address(dialing.resolve("127.1", 443)[0]).is_loopback
    assert httpx.URL("https://127.1/").raw_host == b"127.1"
