"""Sending a message over HTTP to an address that was checked, and to no other.

The name is resolved once, all its addresses are checked, and the connection is made to one of them: no second look-up
can lead elsewhere. The name still stands in the certificate and in the Host header. No redirect is followed.
"""

from __future__ import annotations

import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from firm.db import leaving_the_house
from firm.webhooks.addresses import AddressRefused, Reach, Target, refuse_private, target_of

SECONDS = 5
MOST_READ = 64 * 1024
MOST_KEPT = 1000
"""How much of an answer is kept for the log, in characters."""

NO_ANSWER = "No answer came."

Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: no status when nothing did, whatever the reason."""

    status: int | None
    text: str
    duration_ms: int

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, by the system's resolver, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Sender:
    """The way out for messages; `resolve` and `context` are the system's unless a test brings its own."""

    def __init__(
        self,
        reach: Reach,
        *,
        resolve: Resolve = resolve,
        context: ssl.SSLContext | None = None,
        seconds: int = SECONDS,
    ) -> None:
        self._reach = reach
        self._resolve = resolve
        self._context = context
        self._seconds = seconds

    def refuse(self, url: str) -> None:
        """Raises `AddressRefused` unless messages may leave for this URL today."""
        leaving_the_house()
        target = target_of(url, self._reach)
        self._addresses(target, time.monotonic() + self._seconds)

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Send a message and wait for the answer, five seconds in all. Never raises for what the other side does."""
        leaving_the_house()
        begun = time.monotonic()
        try:
            target = target_of(url, self._reach)
            status, text = self._exchange(target, body, headers, begun + self._seconds)
        except (AddressRefused, OSError, HTTPException, ValueError):
            # One text for all: what is refused, unknown, closed or silent is not told apart.
            status, text = None, NO_ANSWER
        return Answer(status, text, int((time.monotonic() - begun) * 1000))

    def _exchange(self, target: Target, body: str, headers: Mapping[str, str], until: float) -> tuple[int, str]:
        connection = HTTPConnection(target.host, target.port)
        sock = self._connect(self._addresses(target, until), target.port, until)
        with sock, _cut_off(sock, until):
            connection.sock = self._secured(sock, target)
            try:
                connection.request("POST", target.path, body.encode(), _complete(headers, target))
                response = connection.getresponse()
                text = _shown(response.read(MOST_READ))
                if time.monotonic() >= until:
                    # What was cut off reads like an end.
                    raise TimeoutError
                return response.status, text
            finally:
                connection.close()

    def _addresses(self, target: Target, until: float) -> list[str]:
        """Resolve, in a thread of its own because a resolver knows no time limit, and check every address."""
        found: queue.Queue[list[str]] = queue.Queue(1)

        def look_up() -> None:
            try:
                found.put(self._resolve(target.host, target.port))
            except (OSError, UnicodeError):
                found.put([])

        threading.Thread(target=look_up, daemon=True).start()
        try:
            return refuse_private(found.get(timeout=_left(until)), self._reach)
        except queue.Empty:
            raise AddressRefused from None

    def _connect(self, addresses: list[str], port: int, until: float) -> socket.socket:
        """To the first address that answers; one that is silent costs its share of the time, and not that of all."""
        for position, address in enumerate(addresses[:-1]):
            share = _left(until) / (len(addresses) - position)
            try:
                return _opened(address, port, time.monotonic() + share)
            except OSError:
                continue
        return _opened(addresses[-1], port, until)

    def _secured(self, sock: socket.socket, target: Target) -> socket.socket:
        if target.scheme != "https":
            return sock
        context = self._context or ssl.create_default_context()
        return context.wrap_socket(sock, server_hostname=target.host)


def _opened(address: str, port: int, until: float) -> socket.socket:
    """A connection to this very address: nothing is looked up again on the way."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(_left(until))
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _complete(headers: Mapping[str, str], target: Target) -> dict[str, str]:
    ours = {"Host": target.authority, "Content-Type": "application/json", "User-Agent": "Chambers-Webhooks/1"}
    return {**headers, **ours, "Connection": "close", "Accept-Encoding": "identity"}


def _shown(raw: bytes) -> str:
    text = raw[: 4 * MOST_KEPT].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:MOST_KEPT]


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.001)


@contextmanager
def _cut_off(sock: socket.socket, until: float) -> Iterator[None]:
    """End the connection when the time is over: a socket's own limit starts again with every byte that drips in."""
    # A second handle of the same connection, which TLS does not take over.
    handle = socket.socket(fileno=os.dup(sock.fileno()))
    timer = threading.Timer(_left(until), _shut, (handle,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        handle.close()


def _shut(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It has ended already.
        return
