"""Only public https addresses are called, at the address that was judged, and no answer is believed endless."""

import ipaddress
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import LazySettings

from core import http
from core.http import Client, HttpFailed, HttpRefused, is_public

Talk = Callable[[socket.socket], None]


def saying(answer: bytes, *, then: float = 0) -> Talk:
    def talk(visitor: socket.socket) -> None:
        visitor.recv(65536)
        visitor.sendall(answer)
        time.sleep(then)

    return talk


@contextmanager
def server(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a free port of this machine that gives every visitor to `talk`."""
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()
    listening.settimeout(0.1)

    def serve() -> None:
        while not ended.is_set():
            try:
                visitor, _ = listening.accept()
                visitor.settimeout(5)
                with visitor if tls is None else tls.wrap_socket(visitor, server_side=True) as talking:
                    talk(talking)
            except OSError:
                continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        ended.set()
        thread.join()
        listening.close()


@pytest.fixture
def local(settings: LazySettings) -> Client:
    """A client that may call this machine, as in development."""
    settings.DEBUG = True
    return Client()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nhi"


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254",
    "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a00:1::1", "2001::1", "2001:db8::1",
])  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", [
    "https://127.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://2130706433/", "https://127.1/",
    "https://017700000001/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://localhost/", "https://10.1.2.3/", "https://169.254.169.254/latest/meta-data/", "https://[fe80::1%25lo]/",
])  # fmt: skip
def test_every_spelling_of_a_private_address_is_refused(url: str) -> None:
    with pytest.raises((HttpRefused, HttpFailed)) as caught:
        Client().request("GET", url, timeout=1)
    assert "cannot be reached" not in str(caught.value)  # nobody tried


@pytest.mark.parametrize("url", [
    "http://public.example/", "https://public.example:8443/", "https://user:pass@public.example/", "ftp://public.example/",
    "file:///etc/passwd", "https:///x", "//public.example/", "", "https://public.example:0/", "https://public.example:99999/",
    "https://[broken/", "gopher://public.example/", "https://public.example:x/",
])  # fmt: skip
def test_only_plain_https_addresses_are_called(url: str) -> None:
    asked: list[str] = []
    with pytest.raises(HttpRefused):
        Client(lookup=lambda host, _port: asked.append(host) or ["1.1.1.1"]).request("GET", url)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(HttpRefused):
        Client(lookup=lambda _host, _port: ["1.1.1.1", "10.0.0.1"]).request("GET", "https://two.example/")


def test_a_name_is_looked_up_once_so_a_second_answer_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [["1.1.1.1"], ["127.0.0.1"]]
    called: list[object] = []

    def connect(address: object, timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(HttpFailed):
        Client(lookup=lambda _host, _port: answers.pop(0)).request("GET", "https://rebinding.example/")
    assert called == [("1.1.1.1", 443)]
    assert len(answers) == 1


def test_without_debug_this_machine_is_refused(settings: LazySettings) -> None:
    settings.DEBUG = False
    with pytest.raises(HttpRefused):
        Client().request("GET", "http://127.0.0.1:9/")


def test_an_answer_comes_back_with_its_parts(local: Client) -> None:
    with server(saying(OK)) as port:
        answer = local.request("POST", f"http://127.0.0.1:{port}/x?y=1", headers={"X-A": "b"}, body=b"{}")
    assert (answer.status, answer.headers["x-one"], answer.body) == (200, "1", b"hi")


def test_a_redirect_is_an_answer(local: Client) -> None:
    heard: list[bytes] = []

    def talk(visitor: socket.socket) -> None:
        heard.append(visitor.recv(65536))
        visitor.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    with server(talk) as port:
        assert local.request("GET", f"http://127.0.0.1:{port}/").status == 302
    assert len(heard) == 1


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
    b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000,
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    b"SSH-2.0-OpenSSH\r\n",
    b"",
])  # fmt: skip
def test_an_answer_too_large_or_not_whole_is_none(local: Client, answer: bytes) -> None:
    with server(saying(answer)) as port, pytest.raises(HttpFailed):
        local.request("GET", f"http://127.0.0.1:{port}/", timeout=5)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_dripping_server_is_left_after_the_time_limit(local: Client, start: bytes) -> None:
    def drip(visitor: socket.socket) -> None:
        visitor.recv(65536)
        visitor.sendall(start)
        for _ in range(50):
            visitor.sendall(b"x")
            time.sleep(0.1)

    started = time.monotonic()
    with server(drip) as port, pytest.raises(HttpFailed):
        local.request("GET", f"http://127.0.0.1:{port}/", timeout=0.5)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(("path", "headers"), [
    ("/a b", {}), ("/", {"X": "a\r\nY: b"}), ("/", {"X\r\nY": "b"}), ("/\u00e9", {}), ("/", {"X": "\u4e2d"}),
])  # fmt: skip
def test_what_would_break_the_request_is_refused(local: Client, path: str, headers: dict[str, str]) -> None:
    with server(saying(OK)) as port, pytest.raises(HttpRefused):
        local.request("GET", f"http://127.0.0.1:{port}{path}", headers=headers)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(the server's side, a client that trusts it) for the name hooks.example."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
             "-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("openssl makes the certificate of this test")
    side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    side.load_cert_chain(cert, key)
    return side, ssl.create_default_context(cafile=str(cert))


def test_tls_is_spoken_for_the_name_not_the_address(
    certificate: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    side, trusting = certificate
    heard: list[bytes] = []
    names: list[str] = []
    side.sni_callback = lambda _socket, name, _context: names.append(name)

    def talk(visitor: socket.socket) -> None:
        heard.append(visitor.recv(65536))
        visitor.sendall(OK)

    with server(talk, side) as port:
        client = Client(
            lookup=lambda _host, _port: ["127.0.0.1"], permitted=lambda _address: True, tls=trusting,
            ports=frozenset({port}),
        )  # fmt: skip
        assert client.request("GET", f"https://hooks.example:{port}/in").body == b"hi"
        with pytest.raises(HttpFailed, match="No whole answer"):
            client.request("GET", f"https://other.example:{port}/in")
    assert names == ["hooks.example", "other.example"]
    assert len(heard) == 1
    assert f"Host: hooks.example:{port}\r\n".encode() in heard[0]


def test_tls_is_cut_at_the_time_limit_too(certificate: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    side, trusting = certificate
    with server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", then=2), side) as port:
        client = Client(
            lookup=lambda _host, _port: ["127.0.0.1"], permitted=lambda _address: True, tls=trusting,
            ports=frozenset({port}),
        )  # fmt: skip
        started = time.monotonic()
        with pytest.raises(HttpFailed):
            client.request("GET", f"https://hooks.example:{port}/", timeout=0.5)
        assert time.monotonic() - started < 1.5


def test_a_self_made_certificate_is_not_trusted(
    certificate: tuple[ssl.SSLContext, ssl.SSLContext], settings: LazySettings
) -> None:
    settings.DEBUG = True
    with server(saying(OK), certificate[0]) as port, pytest.raises(HttpFailed, match="No whole answer"):
        Client(lookup=lambda _host, _port: ["127.0.0.1"]).request("GET", f"https://hooks.example:{port}/")


def test_a_name_without_an_address_fails() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    for lookup in (nowhere, lambda _host, _port: []):
        with pytest.raises(HttpFailed, match="no address"):
            Client(lookup=lookup).request("GET", "https://nowhere.example/")


def test_the_module_has_one_request() -> None:
    assert http.request.__self__.__class__ is Client  # type: ignore[attr-defined]
