"""What Stripe sends to us: real HTTP requests with real signatures, as orderly or as disorderly as a test wants.

A delivery is one attempt to tell one endpoint of one event. `Webhooks.fresh()` makes those that are due;
`messy()` repeats, loses and shuffles them by a seed; `push()` sends. A test that runs the product in the same process
can take a delivery's `body` and `headers` and hand them in itself.
"""

from __future__ import annotations

import copy
import hmac
import http.client
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from tests.stripe import contract
from tests.stripe.state import Happening
from tests.stripe.world import World

PLATFORM, CONNECT = "platform", "connect"
PATHS = {PLATFORM: "/webhooks/stripe", CONNECT: "/webhooks/stripe-connect"}
TIMEOUT = 10


@dataclass(slots=True)
class Secrets:
    """The endpoints' signing secrets. Two lie beside each other while one is being rotated."""

    platform: list[str] = field(default_factory=lambda: ["whsec_chambers_platform"])
    connect: list[str] = field(default_factory=lambda: ["whsec_chambers_connect"])

    def of(self, endpoint: str) -> list[str]:
        return self.platform if endpoint == PLATFORM else self.connect

    def rotate(self, endpoint: str, new: str) -> None:
        """Sign with the new secret beside the old one, as Stripe does for a day."""
        self.of(endpoint).insert(0, new)

    def expire(self, endpoint: str) -> None:
        """The old secrets are over."""
        del self.of(endpoint)[1:]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt. `at` is the moment in the signature."""

    endpoint: str
    event: dict[str, Any]
    secrets: tuple[str, ...]
    at: int

    @property
    def id(self) -> str:
        return self.event["id"]

    @property
    def path(self) -> str:
        return PATHS[self.endpoint]

    @property
    def body(self) -> bytes:
        return json.dumps(self.event, indent=2).encode()

    @property
    def headers(self) -> dict[str, str]:
        signatures = [f"v1={sign(self.body, secret, self.at)}" for secret in self.secrets]
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": ",".join([f"t={self.at}", *signatures]),
        }

    def push(self, base: str, *, path: str | None = None) -> int:
        """Send it to the product at this address, and return the status. Connection errors are the caller's."""
        address = urlsplit(base)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT)
        try:
            connection.request("POST", path or self.path, self.body, self.headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def skewed(self, seconds: int) -> Delivery:
        """As if it had been signed that much later; a negative number makes it stale."""
        return replace(self, at=self.at + seconds)

    def signed_with(self, *secrets: str) -> Delivery:
        return replace(self, secrets=secrets)

    def changed(self, **attributes: Any) -> Delivery:
        """With other attributes of the event: `api_version`, `livemode`, `account`, `type`. None takes one away."""
        event = {name: value for name, value in {**self.event, **attributes}.items() if value is not None}
        return replace(self, event=event)

    def sent_to(self, endpoint: str) -> Delivery:
        """At the other door, signed for that door."""
        return replace(self, endpoint=endpoint)


class Webhooks:
    """The deliveries of one world. Events of the second API go to the platform's door unless told otherwise."""

    def __init__(self, world: World, secrets: Secrets, *, thin_events_to: str = PLATFORM) -> None:
        self._world = world
        self._secrets = secrets
        self._thin_events_to = thin_events_to
        self._told: set[str] = set()

    def fresh(self) -> list[Delivery]:
        """What has happened since the last time, in order."""
        with self._world.state.lock:
            news = [each for each in self._world.state.happenings.values() if each.id not in self._told]
            self._told.update(each.id for each in news)
            return [self.delivery(each) for each in news]

    def again(self, event_id: str) -> Delivery:
        """The event once more, newly signed, as Stripe does hours later."""
        return self.delivery(self._world.state.happenings[event_id])

    def delivery(self, happening: Happening) -> Delivery:
        event = _notice(happening) if happening.thin else copy.deepcopy(happening.body)
        self._world.complaints.extend(f"event {happening.type}: {broken}" for broken in _broken(happening, event))
        endpoint = self._endpoint(happening)
        return Delivery(endpoint, event, tuple(self._secrets.of(endpoint)), self._world.clock.timestamp())

    def _endpoint(self, happening: Happening) -> str:
        if happening.thin:
            return self._thin_events_to
        return PLATFORM if happening.account is None else CONNECT


def messy(
    deliveries: Iterable[Delivery], chance: random.Random, *, repeated: float = 0.3, lost: float = 0.0
) -> list[Delivery]:
    """The deliveries shuffled, some of them two or three times, some never."""
    sent = [each for each in deliveries if chance.random() >= lost]
    sent += [each for each in sent if chance.random() < repeated] + [each for each in sent if chance.random() < 0.1]
    chance.shuffle(sent)
    return sent


def sign(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), b"%d." % at + body, "sha256").hexdigest()


def _broken(happening: Happening, event: dict[str, Any]) -> list[str]:
    """What is wrong with the event, or with the object in it."""
    if happening.thin:
        return contract.broken_by("v2.core.event", event)
    subject = event["data"]["object"]
    return contract.broken_by("event", event) + contract.broken_by(subject["object"], subject)


def _notice(happening: Happening) -> dict[str, Any]:
    """A thin event says what happened to which object, and nothing of the object."""
    return {name: copy.deepcopy(value) for name, value in happening.body.items() if name not in ("data", "changes")}
