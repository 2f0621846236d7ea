"""What one Stripe account holds: its objects, its money and its events. Knows no HTTP."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import RLock
from typing import Any

from tests.stripe.answers import Refusal, Request, missing
from tests.stripe.clock import Clock
from tests.stripe.endive import API_VERSION
from tests.stripe.ledger import Ledger

Object = dict[str, Any]
Operation = Callable[["State", Request], Object]

OPERATIONS: dict[str, Operation] = {}
"""What the tests' Stripe can do, by method and the description's path."""


def operation(name: str) -> Callable[[Operation], Operation]:
    """Register a function as an operation of the API."""

    def register(function: Operation) -> Operation:
        OPERATIONS[name] = function
        return function

    return register


@dataclass(slots=True)
class Happening:
    """An event. `account` is the connected account it happened to; thin ones belong to the second API."""

    body: Object
    account: str | None
    thin: bool

    @property
    def id(self) -> str:
        return self.body["id"]

    @property
    def type(self) -> str:
        return self.body["type"]


class State:
    """All objects, by kind and id, in the order in which they were made. Hold `lock` while you look or change."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = RLock()
        self.ledger = Ledger(clock)
        self.objects: dict[str, dict[str, Object]] = defaultdict(dict)
        self.happenings: dict[str, Happening] = {}
        self.owners: dict[str, str | None] = {}
        self.cross_border_fees: dict[str, int] = {}
        """By the payee's country, in basis points of a transfer."""
        self.deauthorized: set[str] = set()
        self.request: Request | None = None
        self._count = 0

    def speaks_for(self, account: str) -> bool:
        """May the platform speak for this connected account?"""
        return account in self.objects["account"] and account not in self.deauthorized

    def new_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_1Chambers{self._count:010d}"

    def add(self, kind: str, made: Object, *, account: str | None = None) -> Object:
        self.objects[kind][made["id"]] = made
        self.owners[made["id"]] = account
        return made

    def get(self, kind: str, id: str, *, account: str | None = None, param: str = "id", status: int = 404) -> Object:
        """The object; refuses as Stripe does where this account has none such."""
        found = self.objects[kind].get(id)
        if found is None or self.owners[id] != account:
            raise missing(kind.replace("_", " "), id, param=param, status=status)
        return found

    def of(self, kind: str, account: str | None = None) -> list[Object]:
        """The account's objects of a kind, oldest first."""
        return [each for id, each in self.objects[kind].items() if self.owners[id] == account]

    def emit(self, type: str, subject: Object, *, account: str | None = None, before: Object | None = None) -> None:
        """Record an event with a snapshot of its object. `before` holds the attributes that changed."""
        body = {
            "id": self.new_id("evt"),
            "object": "event",
            **({} if account is None else {"account": account}),
            "api_version": API_VERSION,
            "created": self.clock.timestamp(),
            "data": {
                "object": json.loads(json.dumps(subject)),
                **({} if before is None else {"previous_attributes": before}),
            },
            "livemode": False,
            "pending_webhooks": 1,
            "request": {
                "id": self.request.id if self.request else None,
                "idempotency_key": self.request.key if self.request else None,
            },
            "type": type,
        }
        self.happenings[body["id"]] = Happening(body, account, thin=False)

    def emit_thin(self, type: str, related: Object, url: str, **more: Any) -> None:
        """Record an event of the second API about an account: a notice without the object."""
        body = {
            "id": self.new_id("evt"),
            "object": "v2.core.event",
            "context": None,
            "created": self.clock.stamp(),
            "livemode": False,
            "reason": None,
            "related_object": {"id": related["id"], "type": related["object"], "url": url},
            "type": type,
            **more,
        }
        self.happenings[body["id"]] = Happening(body, None, thin=True)


def paged(request: Request, found: Iterable[Object]) -> Object:
    """A page of a list of the first API: newest first, from the cursor on. `found` is oldest first."""
    newest_first = list(found)[::-1]
    limit = request.parameters.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal(400, "This value must be between 1 and 100.", param="limit", executed=False)
    after, until = request.parameters.get("starting_after"), request.parameters.get("ending_before")
    if after is not None:
        page = newest_first[_position(newest_first, after, "starting_after") + 1 :]
        return _list(request, page[:limit], len(page) > limit)
    if until is not None:
        page = newest_first[: _position(newest_first, until, "ending_before")]
        return _list(request, page[-limit:], len(page) > limit)
    return _list(request, newest_first[:limit], len(newest_first) > limit)


def created_within(request: Request, each: Object) -> bool:
    """Does the object pass the list's `created` filter?"""
    asked = request.parameters.get("created")
    if asked is None:
        return True
    if isinstance(asked, int):
        return each["created"] == asked
    within = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    return all(within[bound](each["created"], moment) for bound, moment in asked.items())


def matching(request: Request, found: Iterable[Object], *names: str) -> list[Object]:
    """Those that have the values which the request asks for, and were created when it asks."""
    asked = [(name, request.parameters[name]) for name in names if name in request.parameters]
    return [
        each for each in found if created_within(request, each) and all(each[name] == value for name, value in asked)
    ]


def merged_metadata(old: dict[str, str], new: Any) -> dict[str, str]:
    """Metadata as an update leaves it: an empty value takes a key away, an empty string takes all."""
    if new == "":
        return {}
    return {name: value for name, value in {**old, **(new or {})}.items() if value != ""}


def _position(newest_first: list[Object], id: str, param: str) -> int:
    for position, each in enumerate(newest_first):
        if each["id"] == id:
            return position
    raise missing("object", id, param=param, status=400)


def _list(request: Request, page: list[Object], more: bool) -> Object:
    return {"object": "list", "data": page, "has_more": more, "url": request.path}
