"""A Stripe on this machine.

    with serving() as stripe:
        client = StripeClient(stripe.api_key, base_addresses={"api": stripe.url})

Threads serve; the world is in memory. A test may fork its product and go on as the server's process.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.stripe import contract
from tests.stripe.clock import Clock
from tests.stripe.faults import Faults
from tests.stripe.state import State
from tests.stripe.webhooks import Secrets, Webhooks
from tests.stripe.wire import Handler, Http
from tests.stripe.world import Call, World

API_KEY = "sk_test_chambers"


class Server:
    """A running Stripe and its present world."""

    world: World
    secrets: Secrets
    webhooks: Webhooks

    def __init__(self, port: int = 0) -> None:
        self.api_key = API_KEY
        self.also_accepted: set[str] = set()
        contract.description()  # a second and a half, which no caller should have to wait for
        self._http = Http(("127.0.0.1", port), Handler)
        self.reset()
        self._http.stripe = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def faults(self) -> Faults:
        return self.world.faults

    @property
    def state(self) -> State:
        return self.world.state

    @property
    def log(self) -> list[Call]:
        return self.world.log

    @property
    def complaints(self) -> list[str]:
        return self.world.complaints

    def reset(self) -> World:
        """Begin a new world. What is still on its way goes to the old one, whose connections end here."""
        self.world = World()
        self.secrets = Secrets()
        self.webhooks = Webhooks(self.world, self.secrets)
        self._hang_up()
        return self.world

    def drain(self, timeout: float = 5) -> None:
        """Wait until everything that callers have sent is read and dealt with. Call it after a caller was killed.

        What the dead have sent lies in our sockets: those that were accepted, and those that were not yet. The
        connection made here is accepted after them.
        """
        with socket.create_connection(self._http.server_address, timeout=timeout):
            pass
        until = time.monotonic() + timeout
        while any(self._http.is_at_work(connection) for connection in list(self._http.connections)):
            if time.monotonic() > until:
                raise TimeoutError("The tests' Stripe is still at work.")
            time.sleep(0.0005)

    def close(self) -> None:
        self._http.shutdown()
        self._http.closing.set()
        self._hang_up()
        self._http.server_close()
        self._thread.join()

    def _hang_up(self) -> None:
        for connection in list(self._http.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(port: int = 0) -> Iterator[Server]:
    server = Server(port)
    try:
        yield server
    finally:
        server.close()
