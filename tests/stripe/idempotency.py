"""Which answer was given under which idempotency key, as Stripe remembers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from tests.stripe.answers import Answer, Refusal, Request
from tests.stripe.clock import Clock

KEPT_FOR = {False: timedelta(hours=24), True: timedelta(days=30)}
"""By whether it is the second API."""

LONGEST = 255

_Name = tuple[str | None, bool, str]


@dataclass(slots=True)
class _Entry:
    operation: str
    digest: str
    request_id: str
    since: datetime
    answer: Answer | None = None


class Keys:
    """The keys of one world. A key belongs to the account it was used for, and to one of the two APIs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._entries: dict[_Name, _Entry] = {}

    def begin(self, request: Request) -> Answer | None:
        """Take the key for this request. Returns the first answer if there was one; raises what Stripe answers."""
        if request.key is None:
            return None
        if len(request.key) > LONGEST:
            raise Refusal(400, f"Idempotency keys have at most {LONGEST} characters.", executed=False)
        with self._lock:
            entry = self._remembered(_name(request))
            if entry is None:
                self._entries[_name(request)] = _Entry(request.path, _digest(request), request.id, self._clock.now())
                return None
            return _repeated(entry, request)

    def keep(self, request: Request, answer: Answer) -> None:
        """Give this answer, whatever it is, to everybody who comes with the key.

        The second API keeps successes only: what has failed is tried again.
        """
        if request.second_api and answer.status >= 400:
            self.forget(request)
        elif request.key is not None:
            with self._lock:
                self._entries[_name(request)].answer = answer

    def forget(self, request: Request) -> None:
        """The request did not come to be executed: the key is free for another try."""
        with self._lock:
            self._entries.pop(_name(request), None)

    def _remembered(self, name: _Name) -> _Entry | None:
        entry = self._entries.get(name)
        if entry is not None and entry.answer is not None and self._clock.now() - entry.since >= KEPT_FOR[name[1]]:
            del self._entries[name]
            return None
        return entry


def _repeated(entry: _Entry, request: Request) -> Answer:
    if (entry.operation, entry.digest) != (request.path, _digest(request)):
        raise Refusal(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{request.key}' if you meant to execute a different request.",
            kind="idempotency_error",
            code="idempotency_error" if request.second_api else None,
            executed=False,
        )
    if entry.answer is None:
        raise Refusal(
            409,
            f"There is currently another in-progress request using this Idempotent Key: {request.key}. "
            "Please try again later.",
            kind="idempotency_error",
            code="idempotency_key_in_use",
            executed=False,
        )
    first = entry.answer
    again = {"Idempotent-Replayed": "true", "Original-Request": entry.request_id}
    return Answer(first.status, first.body, {**first.headers, **again})


def _name(request: Request) -> _Name:
    return request.account, request.second_api, request.key or ""


def _digest(request: Request) -> str:
    return json.dumps(request.parameters, sort_keys=True)
