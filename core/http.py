"""The one way to call another system: https to a public address, bounded in time and size, never inside work().

Tenants choose some of these addresses (webhooks), so the name is resolved once, every address it has must be
public, and the connection goes to the very address that was judged. Redirects are answers, not followed.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from core.errors import AppError
from core.scope import refuse_inside_work

SECONDS = 10.0
MAX_BODY = 64 * 1024
ALWAYS = {"User-Agent": "arapp/1", "Accept-Encoding": "identity", "Connection": "close"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class HttpRefused(AppError):
    """This address is not one that may be called; asking again changes nothing."""

    status = 422
    code = "address_refused"


class HttpFailed(AppError):
    """No whole answer came: not reachable, too slow, too large or not HTTP. It may have been received."""

    status = 502
    code = "no_answer"


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def resolve(host: str, port: int) -> list[str]:
    """Every address of the host, in the system's order."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: Address) -> bool:
    """Whether an address, and any older one wrapped in it, belongs to the open internet."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped: Address | None = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
        if address.teredo or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Limit:
    """Ends a conversation after so many seconds in all; a socket's own timeout starts anew with each byte.

    TLS takes the socket over, so a second handle of the same connection is kept for this.
    """

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self.passed = False
        self._connected, self._handle = connected, connected.dup()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._timer.cancel()
        with suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)
        self._handle.close()
        self._connected.close()

    def _cut(self) -> None:
        self.passed = True
        with suppress(OSError):  # it ended by itself meanwhile
            self._handle.shutdown(socket.SHUT_RDWR)


class Client:
    """Where names are looked up and whom to trust; the defaults are the product's, tests give others."""

    def __init__(
        self,
        *,
        lookup: Callable[[str, int], list[str]] = resolve,
        permitted: Callable[[Address], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        ports: frozenset[int] = frozenset({443}),
    ) -> None:
        self._lookup, self._permitted, self._tls, self._ports = lookup, permitted, tls, ports

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float = SECONDS,
    ) -> Response:
        """One request, one answer of at most 64 KB within `timeout`; raises HttpRefused or HttpFailed."""
        refuse_inside_work("An HTTP call")
        parts = _parsed(url)
        host = str(parts.hostname)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self._judged(parts.scheme, host, port)
        try:
            raw = socket.create_connection((address, port), timeout)
        except OSError as error:
            raise HttpFailed("The other side cannot be reached.", why=str(error)) from error
        with _Limit(raw, timeout) as limit:
            try:
                connection = self._connection(parts.scheme, host, port, raw)
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request(method, target, body=body or None, headers={**ALWAYS, **(headers or {})})
                return _answer(connection.getresponse(), limit)
            except OSError as error:  # before ValueError, which a certificate's error is as well
                raise HttpFailed("No whole answer came.", why=f"{type(error).__name__}: {error}") from error
            except (http.client.InvalidURL, ValueError) as error:  # a line break or a space where none may be
                raise HttpRefused("This request cannot be sent.", why=str(error)) from error
            except http.client.HTTPException as error:
                raise HttpFailed("No whole answer came.", why=f"{type(error).__name__}: {error}") from error

    def _judged(self, scheme: str, host: str, port: int) -> str:
        """The address to connect to. One that is not public spoils all: the next lookup could choose it."""
        try:
            found = [ipaddress.ip_address(one.partition("%")[0]) for one in self._lookup(host, port)]
        except (OSError, UnicodeError, ValueError) as error:
            raise HttpFailed("The name has no address.", host=host, why=str(error)) from error
        if not found:
            raise HttpFailed("The name has no address.", host=host)
        if settings.DEBUG and all(address.is_loopback for address in found):
            return str(found[0])
        if scheme != "https":
            raise HttpRefused("The address must start with https://.", host=host)
        if port not in self._ports:
            raise HttpRefused("Only port 443 may be called.", host=host)
        if not all(self._permitted(address) for address in found):
            raise HttpRefused("The address is not on the public internet.", host=host)
        return str(found[0])

    def _connection(
        self, scheme: str, host: str, port: int, raw: socket.socket
    ) -> http.client.HTTPConnection:
        """A connection on the open socket, which speaks for `host` in TLS and in the Host header."""
        if scheme == "http":
            connection = http.client.HTTPConnection(host, port)
            connection.sock = raw
            return connection
        tls = self._tls or ssl.create_default_context()
        secure = http.client.HTTPSConnection(host, port, context=tls)
        secure.sock = tls.wrap_socket(raw, server_hostname=host)
        return secure


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise HttpRefused("This is not an address.", why=str(error)) from error
    if parts.scheme not in {"https", "http"} or not host or port == 0:
        raise HttpRefused("The address must start with https://.")
    if "@" in parts.netloc:
        raise HttpRefused("The address must not contain a password.")
    return (
        parts if host == ascii_host else parts._replace(netloc=f"{ascii_host}:{port}" if port else ascii_host)
    )


def _answer(response: http.client.HTTPResponse, limit: _Limit) -> Response:
    body = response.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise HttpFailed("The answer is too large.", received=response.status)
    if response.length or limit.passed:  # an end that is not the promised one
        raise HttpFailed("No whole answer came.", received=response.status)
    return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


request = Client().request
