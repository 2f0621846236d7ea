"""The wire: reads requests as Stripe does, asks the world, and writes answers, or breaks off."""

from __future__ import annotations

import ctypes
import hmac
import itertools
import json
import re
import select
import socket
import struct
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.stripe import contract, control, forms
from tests.stripe.answers import Answer, Refusal, Request
from tests.stripe.faults import Ending
from tests.stripe.state import OPERATIONS
from tests.stripe.world import Exchange

if TYPE_CHECKING:
    from tests.stripe.server import Server

_request_numbers = itertools.count(1)


class Http(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 256
    stripe: Server
    """Whose world the requests go to."""

    def __init__(self, *args: Any) -> None:
        self.connections: set[socket.socket] = set()
        self.busy: set[socket.socket] = set()
        self.closing = threading.Event()
        super().__init__(*args)

    def is_at_work(self, connection: socket.socket) -> bool:
        """Is something unread, or read and not yet dealt with? Asked in this order, nothing slips between."""
        return _readable(connection, 0) or connection in self.busy

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.connections.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is a part of the tests; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            self.stripe.complaints.append(traceback.format_exc())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Http

    def setup(self) -> None:
        super().setup()
        self.world = self.server.stripe.world

    def handle_one_request(self) -> None:
        """Say that we are busy before anything is read."""
        _readable(self.connection, None)
        self.server.busy.add(self.connection)
        try:
            super().handle_one_request()
        finally:
            self.server.busy.discard(self.connection)

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        if len(body.encode()) < length:
            raise ConnectionError("The caller died in the middle of its request; nobody acts on half of one.")
        steer = control.asked_for(self.path)
        self._end(self._exchange(body) if steer is None else self._steered(steer, body))

    do_POST = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """A test's output is its own."""

    def _steered(self, steer: control.Control, body: str) -> Exchange:
        self.server.connections.discard(self.connection)  # a new world hangs up on all but the one who asks for it
        try:
            with self.world.state.lock:
                return Exchange(Answer(200, steer(self.server.stripe, forms.read_json(body))))
        except (ValueError, KeyError, TypeError, AttributeError, Refusal) as mistake:
            return Exchange(Answer(400, {"error": {"message": f"{type(mistake).__name__}: {mistake}"}}))
        finally:
            self.server.connections.add(self.connection)
            self.world = self.server.stripe.world

    def _exchange(self, body: str) -> Exchange:
        request_id = f"req_{next(_request_numbers):014d}"
        second_api = self.path.startswith("/v2/")
        try:
            self._authorize()
            request = self._understood(request_id, body)
        except Refusal as refusal:
            answer = refusal.answer(second_api=second_api)
            answer.headers["Request-Id"] = request_id
            return Exchange(answer)
        return self.world.treat(request, version=self.headers.get("Stripe-Version"))

    def _understood(self, request_id: str, body: str) -> Request:
        path, query = urlsplit(self.path)[2:4]
        try:
            operation, captures = _found(self.command, path)
            if path.startswith("/v2/") and self.command == "POST":
                parameters = forms.read_json(body)
            else:
                parameters = contract.read(operation, forms.read_form(query if self.command == "GET" else body))
        except ValueError as unreadable:
            self.world.complaints.append(f"{self.command} {path}: {unreadable}")
            raise Refusal(400, f"Unreadable request: {unreadable}") from unreadable
        except LookupError as unknown:
            self.world.complaints.append(f"{self.command} {path} is no operation that was built here")
            raise Refusal(404, f"Unrecognized request URL ({self.command}: {path}).") from unknown
        account = self.headers.get("Stripe-Account")
        if account is not None and not self.world.state.speaks_for(account):
            message = f"The provided key does not have access to account '{account}' (or it does not exist)."
            raise Refusal(403, message, code="account_invalid")
        key = self.headers.get("Idempotency-Key") if self.command != "GET" else None
        return Request(request_id, operation, path, captures, parameters, account, key)

    def _authorize(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        stripe = self.server.stripe
        if not any(hmac.compare_digest(given, key) for key in (stripe.api_key, *stripe.also_accepted)):
            raise Refusal(401, f"Invalid API Key provided: {given[:8]}****")

    def _end(self, exchange: Exchange) -> None:
        content = b"" if exchange.answer is None else self._rendered(exchange.answer)
        match exchange.ending:
            case None:
                self.wfile.write(content)
                return
            case Ending.TRUNCATED:
                head, _, body = content.partition(b"\r\n\r\n")
                short = body[: len(body) // 2]
                self.wfile.write(re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(short), head))
                self.wfile.write(b"\r\n\r\n" + short)
                return
            case Ending.CUT:
                self.wfile.write(content[: len(content) - 20])
            case Ending.DRIPPING:
                self._drip(content, exchange.seconds)
            case Ending.SILENT:
                self._wait(exchange.seconds)
            case Ending.RESET:
                _reset(self.connection)
        self.close_connection = True

    def _rendered(self, answer: Answer) -> bytes:
        """Headers and body in one piece, so that nothing waits for an acknowledgment."""
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        kind = "text/html" if body.startswith(b"<") else "application/json"
        head = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}"]
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), **answer.headers}
        head += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*head, "", ""]).encode() + body

    def _drip(self, content: bytes, seconds: float) -> None:
        with suppress(OSError):
            for byte in content:
                self.wfile.write(bytes((byte,)))
                if self._wait(seconds):
                    return

    def _wait(self, seconds: float) -> bool:
        """Wait this long, or until the caller hangs up or the server closes: then True."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.server.closing.is_set():
            if _readable(self.connection, min(left, 0.1)):
                return True
        return self.server.closing.is_set()


@cache
def _routes() -> dict[str, list[tuple[re.Pattern[str], str]]]:
    """By method, templates with fewer variables first."""
    routes: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    for name in sorted(OPERATIONS, key=lambda name: name.count("{")):
        method, template = name.split(" ", 1)
        pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", template))
        routes.setdefault(method, []).append((pattern, name))
    return routes


def _found(method: str, path: str) -> tuple[str, tuple[str, ...]]:
    for pattern, name in _routes().get(method, ()):
        found = pattern.fullmatch(path)
        if found is not None:
            return name, found.groups()
    raise LookupError(path)


def _readable(connection: socket.socket, seconds: float | None) -> bool:
    """Is there something to read, an end perhaps, within this time? False where the connection is closed."""
    watch = select.poll()
    try:
        watch.register(connection, select.POLLIN)
    except ValueError:
        return False
    return bool(watch.poll(None if seconds is None else seconds * 1_000))


def _reset(connection: socket.socket) -> None:
    """Break off with RST, also where a forked child holds a copy of the socket: closing would then do nothing."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    unspecified = bytes(16)
    ctypes.CDLL(None).connect(connection.fileno(), unspecified, len(unspecified))
