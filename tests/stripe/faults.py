"""What may go wrong between a caller and Stripe, planned by operation and count.

A fault strikes in one of three places: before anything is done (`BEFORE`: the effect does not happen), instead of the
endpoint (`INSTEAD`: nothing moves, and the answer is remembered under the key), or after the effect (`AFTER`: it has
happened, and the caller is told something else, or nothing).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from fnmatch import fnmatchcase
from threading import Lock

from tests.stripe.answers import Answer, Refusal, Request

HTML = b"<html><body><h1>We are having trouble</h1></body></html>"


class Place(Enum):
    BEFORE = auto()
    INSTEAD = auto()
    AFTER = auto()


class Ending(Enum):
    """How an exchange ends when it does not end with a whole answer."""

    CLOSED = auto()
    RESET = auto()
    SILENT = auto()
    DRIPPING = auto()
    TRUNCATED = auto()
    CUT = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. `act` is called with the request; the caller's process can be killed from there."""

    name: str
    place: Place
    refusal: Refusal | None = None
    answer: Answer | None = None
    ending: Ending | None = None
    kept: bool = False
    seconds: float = 0
    act: Callable[[Request], None] | None = None

    def strike(self, request: Request) -> None:
        """Wait and act, as planned."""
        if self.seconds and self.ending is None:
            time.sleep(self.seconds)
        if self.act is not None:
            self.act(request)


DROP_BEFORE = Fault("drop before", Place.BEFORE, ending=Ending.CLOSED)
RESET_BEFORE = Fault("reset before", Place.BEFORE, ending=Ending.RESET)
DROP_AFTER = Fault("drop after", Place.AFTER, ending=Ending.CLOSED)
RESET_AFTER = Fault("reset after", Place.AFTER, ending=Ending.RESET)
TRUNCATED = Fault("truncated answer", Place.AFTER, ending=Ending.TRUNCATED)
CUT_OFF = Fault("answer cut off", Place.AFTER, ending=Ending.CUT)
BAD_GATEWAY = Fault("HTML 502 before", Place.BEFORE, answer=Answer(502, HTML))
BAD_GATEWAY_AFTER = Fault("HTML 502 after", Place.AFTER, answer=Answer(502, HTML))
HTML_PAGE = Fault("HTML with 200 before", Place.BEFORE, answer=Answer(200, HTML))
HTML_PAGE_AFTER = Fault("HTML with 200 after", Place.AFTER, answer=Answer(200, HTML))

_BROKEN = Refusal(500, "An unknown error occurred", kind="api_error")
ERROR_BEFORE = Fault("500 before, forgotten", Place.BEFORE, refusal=_BROKEN)
ERROR_KEPT = Fault("500 without effect, kept", Place.INSTEAD, refusal=_BROKEN, kept=True)
ERROR_AFTER = Fault("500 after the effect, kept", Place.AFTER, refusal=_BROKEN, kept=True)

LOCK_TIMEOUT = Fault(
    "429 lock_timeout",
    Place.BEFORE,
    refusal=Refusal(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it.",
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
    ),
)
KEY_IN_USE = Fault(
    "409 key in use",
    Place.BEFORE,
    refusal=Refusal(
        409,
        "There is currently another in-progress request using this Idempotent Key.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
    ),
)
NO_FUNDS = Fault(
    "balance_insufficient",
    Place.INSTEAD,
    refusal=Refusal(400, "You have insufficient available funds in your Stripe account.", code="balance_insufficient"),
)
NOT_PAYABLE = Fault(
    "account not payable",
    Place.INSTEAD,
    refusal=Refusal(
        400,
        "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
        "crypto_transfers, legacy_payments",
        code="insufficient_capabilities_for_transfer",
    ),
)
EXPIRED_KEY = Fault(
    "401 expired key", Place.BEFORE, refusal=Refusal(401, "Expired API Key provided", code="api_key_expired")
)
FORBIDDEN = Fault("403", Place.BEFORE, refusal=Refusal(403, "This key may not do this.", code="permission_denied"))


def rate_limited(*, retry_after: int | None = None, should_retry: bool | None = None) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    headers |= {} if should_retry is None else {"Stripe-Should-Retry": str(should_retry).lower()}
    refusal = Refusal(429, "Too many requests hit the API too quickly.", code="rate_limit", headers=headers)
    return Fault("429 with Retry-After" if retry_after else "429", Place.BEFORE, refusal=refusal)


def delay(seconds: float) -> Fault:
    """Late, with the key in flight: the effect comes first, then the wait, then the answer."""
    return Fault("delay", Place.AFTER, seconds=seconds)


def delay_before(seconds: float) -> Fault:
    """Late, with the key in flight: first the wait, then the effect."""
    return Fault("delay before", Place.INSTEAD, seconds=seconds)


def silence(seconds: float = 30) -> Fault:
    """Done, and no word of it until the caller gives up, or this long."""
    return Fault("silence after", Place.AFTER, ending=Ending.SILENT, seconds=seconds)


def silence_before(seconds: float = 30) -> Fault:
    """Not done, and no word until the caller gives up, or this long."""
    return Fault("silence before", Place.BEFORE, ending=Ending.SILENT, seconds=seconds)


def drip(seconds_a_byte: float = 1) -> Fault:
    """Done, and the answer comes byte by byte."""
    return Fault("slow drip", Place.AFTER, ending=Ending.DRIPPING, seconds=seconds_a_byte)


def call_before(act: Callable[[Request], None]) -> Fault:
    """Call this when the request has arrived and nothing is done. Killing the caller here stops nothing else."""
    return Fault("called before", Place.INSTEAD, act=act)


def call_after(act: Callable[[Request], None]) -> Fault:
    """Call this when the effect has happened and nothing is answered."""
    return Fault("called after", Place.AFTER, act=act)


def refused(code: str, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> Fault:
    """Any other refusal by the endpoint."""
    return Fault(f"refused: {code}", Place.INSTEAD, refusal=Refusal(status, message, code=code, kind=kind), kept=True)


def every(*, patience: float = 1) -> tuple[Fault, ...]:
    """One of each kind, for a test that draws them by chance; `patience` is how long its caller waits for an answer."""
    return (
        *(DROP_BEFORE, RESET_BEFORE, silence_before(patience * 5), rate_limited(), rate_limited(retry_after=1)),
        *(LOCK_TIMEOUT, KEY_IN_USE, ERROR_BEFORE, ERROR_KEPT, BAD_GATEWAY, HTML_PAGE, NO_FUNDS, NOT_PAYABLE),
        *(DROP_AFTER, RESET_AFTER, silence(patience * 5), ERROR_AFTER, BAD_GATEWAY_AFTER, HTML_PAGE_AFTER),
        *(TRUNCATED, CUT_OFF, delay(patience / 10), delay_before(patience / 10), drip(patience / 10_000)),
    )


@dataclass(slots=True)
class _Plan:
    operations: str
    fault: Fault
    skip: int
    times: int


@dataclass(slots=True)
class Faults:
    """The faults of one world, first planned first struck, and how often each has struck."""

    struck: Counter[str] = field(default_factory=Counter)
    _plans: list[_Plan] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def plan(self, operations: str, fault: Fault, *, skip: int = 0, times: int = 1) -> None:
        """Let calls of an operation (`POST /v1/transfers`, or a pattern as `POST *`) go wrong, after `skip` of them."""
        with self._lock:
            self._plans.append(_Plan(operations, fault, skip, times))

    def clear(self) -> None:
        with self._lock:
            self._plans.clear()

    def take(self, operation: str) -> Fault | None:
        with self._lock:
            for plan in [each for each in self._plans if fnmatchcase(operation, each.operations)]:
                if plan.skip:
                    plan.skip -= 1
                    continue
                plan.times -= 1
                if plan.times <= 0:
                    self._plans.remove(plan)
                self.struck[plan.fault.name] += 1
                return replace(plan.fault)
        return None
