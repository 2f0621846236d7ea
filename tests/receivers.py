"""Receivers of webhooks: real HTTP servers on this machine that do what they are told, and keep what they got."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behavior = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Message:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """What arrived; `behave` may be changed at any time."""

    port: int
    behave: Behavior
    messages: list[Message] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"


def answering(status: int, body: bytes = b"thank you", **headers: str) -> Behavior:
    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return behave


def hanging_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def saying_nothing(request: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def dripping(request: BaseHTTPRequestHandler) -> None:
    """A byte of a header now and then, which never ends."""
    with suppress(OSError):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(60):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)


def pouring(request: BaseHTTPRequestHandler) -> None:
    """An answer without end."""
    with suppress(OSError):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2000):
            request.wfile.write(b"more and " * 1000)


def talking_nonsense(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


@contextmanager
def receiver(behave: Behavior | None = None, *, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port, which answers 204 unless told otherwise."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            found.messages.append(Message(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            found.behave(self)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Callers that hang up are part of the tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        found = Receiver(server.server_address[1], behave or answering(204, b""))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
