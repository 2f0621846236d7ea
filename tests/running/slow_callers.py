"""Callers who hold a connection as long as they can: slow to say their headers, slow to send, slow to read."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from tests.running.proxy import Proxy

KINDS = ("headers", "body", "reading")
_BEGINNINGS = {
    "headers": b"GET /v1/tiers HTTP/1.1\r\nHost: chambers.example\r\nX-Slow: ",
    "body": b"POST /v1/receipts HTTP/1.1\r\nHost: chambers.example\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100000\r\n\r\n{",
    "reading": b"GET /openapi.json HTTP/1.1\r\nHost: chambers.example\r\n\r\n",
}


@dataclass
class SlowCallers:
    """So many of them, from addresses of their own by twenties; who is thrown out comes back at once."""

    proxy: Proxy
    number: int
    thrown_out: int = 0
    held: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _ready: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> SlowCallers:
        self._threads = [threading.Thread(target=self._torment, args=(part,), daemon=True) for part in range(2)]
        for thread in self._threads:
            thread.start()
        assert self._ready.wait(60), "the slow callers did not get in"
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _torment(self, part: int) -> None:
        mine = list(range(part, self.number, 2))
        connections = {each: self._begin(each) for each in mine}
        self.held += len(connections)
        if self.held == self.number:
            self._ready.set()
        while not self._over.is_set():
            begun = time.monotonic()
            for each in mine:
                try:
                    if KINDS[each % 3] == "reading":
                        alive = connections[each].recv(1) != b""
                    else:
                        alive = connections[each].send(b"a") == 1
                except OSError:
                    alive = False
                if not alive:
                    self.thrown_out += 1
                    connections[each].close()
                    connections[each] = self._begin(each)
            self._over.wait(max(0, 1 - (time.monotonic() - begun)))
        for connection in connections.values():
            connection.close()

    def _begin(self, each: int):  # type: ignore[no-untyped-def]
        kind = KINDS[each % 3]
        source = f"127.0.0.{2 + each // 20}"
        connection = self.proxy.connect(source=source, receive_buffer=1024 if kind == "reading" else None)
        connection.sendall(_BEGINNINGS[kind])
        return connection
