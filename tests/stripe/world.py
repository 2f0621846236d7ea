"""Everything one Stripe account has seen, and how it treats a request."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.stripe import (
    accounts,
    balance_settings,
    balances,
    contract,
    credit_notes,
    customers,
    disputes,
    events,
    first_api_accounts,
    invoice_items,
    invoice_payments,
    invoices,
    payouts,
    transfers,
)
from tests.stripe.answers import Answer, Refusal, Request
from tests.stripe.clock import Clock
from tests.stripe.endive import API_VERSION
from tests.stripe.faults import Ending, Fault, Faults, Place
from tests.stripe.idempotency import Keys
from tests.stripe.state import OPERATIONS, State

SUBJECTS = (
    *(accounts, balance_settings, balances, events, first_api_accounts, payouts, transfers),
    *(credit_notes, customers, disputes, invoice_items, invoice_payments, invoices),
)
"""Imported so that their operations are known."""


@dataclass(slots=True)
class Call:
    """One line of the log. `effect` is the id of what the call made or changed; None where it did nothing."""

    request: Request
    at: int
    status: int | None = None
    body: Any = None
    effect: str | None = None
    replayed: bool = False
    fault: str | None = None


@dataclass(slots=True)
class Exchange:
    """What the wire is to carry back."""

    answer: Answer | None
    ending: Ending | None = None
    seconds: float = 0


@dataclass(slots=True)
class World:
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    log: list[Call] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    state: State = field(init=False)
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.state = State(self.clock)
        self.keys = Keys(self.clock)

    def treat(self, request: Request, *, version: str | None) -> Exchange:
        """Do what the request asks, unless a fault is planned for it."""
        call = Call(request, self.clock.timestamp())
        self.log.append(call)
        self.counts[request.operation] += 1
        fault = self.faults.take(request.operation)
        call.fault = fault and fault.name
        try:
            exchange = self._attempted(call, fault, version)
        except Refusal as refusal:
            exchange = Exchange(self._refused(request, refusal))
        told = exchange.answer
        if told is not None:
            call.status, call.body = told.status, told.body
            exchange.answer = Answer(told.status, told.body, {**told.headers, "Request-Id": request.id})
        return exchange

    def _attempted(self, call: Call, fault: Fault | None, version: str | None) -> Exchange:
        request = call.request
        if fault is not None and fault.place is Place.BEFORE:
            return self._struck(request, fault, None)
        first = self.keys.begin(request)
        if first is not None:
            call.replayed = True
            return self._struck(request, fault, first)
        try:
            self._check(request, version)
            answer = self._executed(call, fault)
        except Refusal as refusal:
            if not refusal.executed:
                self.keys.forget(request)
                raise
            answer = self._refused(request, refusal)
        except BaseException:
            self.keys.forget(request)
            raise
        return self._told(request, fault, answer)

    def _told(self, request: Request, fault: Fault | None, answer: Answer) -> Exchange:
        """Keep the answer under the key, and tell it, or what the fault tells in its place."""
        if fault is not None and fault.place is Place.AFTER and fault.kept and fault.refusal is not None:
            answer, fault = self._refused(request, fault.refusal), None
        if fault is not None and fault.place is Place.AFTER and fault.ending is None:
            fault.strike(request)
            self.keys.keep(request, answer)
            return Exchange(fault.answer or answer)
        self.keys.keep(request, answer)
        return self._struck(request, fault if fault and fault.place is Place.AFTER else None, answer)

    def _struck(self, request: Request, fault: Fault | None, answer: Answer | None) -> Exchange:
        if fault is None:
            return Exchange(answer)
        fault.strike(request)
        if fault.ending is not None:
            return Exchange(answer, fault.ending, fault.seconds)
        if fault.refusal is not None and fault.place is Place.BEFORE:
            raise fault.refusal.again()
        return Exchange(fault.answer or answer)

    def _check(self, request: Request, version: str | None) -> None:
        if version != API_VERSION:
            self.complaints.append(f"{request.operation}: Stripe-Version is {version}, not {API_VERSION}")
        for place, message in contract.broken_by_request(request.operation, request.parameters):
            self.complaints.append(f"request {request.operation}: {place}: {message}")
            unknown = "Additional properties" in message
            raise Refusal(
                400,
                f"Received unknown parameter: {message}" if unknown else f"Invalid request: {place}: {message}",
                code="parameter_unknown" if unknown else "parameter_invalid",
                param=place or None,
                executed=False,
            )

    def _executed(self, call: Call, fault: Fault | None) -> Answer:
        request = call.request
        if fault is not None and fault.place is Place.INSTEAD:
            fault.strike(request)
            if fault.refusal is not None:
                raise fault.refusal.again()
        with self.state.lock:
            self.state.request = request
            try:
                made = OPERATIONS[request.operation](self.state, request)
                body = self._expanded(request, {n: value for n, value in made.items() if not _is_inner(made, n)})
                self._judge(request, 200, body)
                if request.operation.startswith(("POST", "DELETE")):
                    call.effect = made.get("id")
                return Answer(200, json.dumps(body).encode())
            finally:
                self.state.request = None

    def _expanded(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """With the balance transactions that were asked for in place of their ids; more is not built."""
        for path in () if request.second_api else request.parameters.get("expand", ()):
            list_of, _, name = path.rpartition(".")
            if list_of not in ("", "data") or name not in ("balance_transaction", "failure_balance_transaction"):
                self.complaints.append(f"{request.operation}: expand={path} is not built here")
                continue
            shown = [dict(each) for each in body["data"]] if list_of else [body]
            for each in shown:
                each[name] = self.state.ledger.transactions[request.account].get(each[name], each[name])
            body = {**body, "data": shown} if list_of else body
        return body

    def _refused(self, request: Request, refusal: Refusal) -> Answer:
        answer = refusal.answer(second_api=request.second_api)
        self._judge(request, answer.status, answer.body)
        return Answer(answer.status, json.dumps(answer.body).encode(), answer.headers)

    def _judge(self, request: Request, status: int, body: Any) -> None:
        for broken in contract.broken_by_answer(request.operation, status, body):
            self.complaints.append(f"answer {status} to {request.operation}: {broken}")


def _is_inner(made: dict[str, Any], name: str) -> bool:
    """An account link has no id of its own outside."""
    return name == "id" and made.get("object") == "v2.core.account_link"
