"""Balances, balance transactions and top-ups."""

from __future__ import annotations

from typing import Any

from tests.stripe.answers import Request, missing
from tests.stripe.state import Object, State, matching, operation, paged


@operation("GET /v1/balance")
def balance(state: State, request: Request) -> Object:
    currencies = state.ledger.currencies(request.account) or ["usd"]

    def amounts(of: Any) -> list[Object]:
        return [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency in currencies
            for amount in [of(request.account, currency)]
        ]

    return {
        "object": "balance",
        "available": amounts(state.ledger.available),
        "livemode": False,
        "pending": amounts(state.ledger.pending),
    }


@operation("GET /v1/balance_transactions")
def list_transactions(state: State, request: Request) -> Object:
    for currency in state.ledger.currencies(request.account):
        state.ledger.available(request.account, currency)
    found = list(state.ledger.transactions[request.account].values())
    if "payout" in request.parameters:
        found = _behind(state, request, found)
    return paged(request, matching(request, found, "currency", "source", "type"))


@operation("GET /v1/balance_transactions/{id}")
def retrieve_transaction(state: State, request: Request) -> Object:
    found = state.ledger.transactions[request.account].get(request.subject)
    if found is None:
        raise missing("balance transaction", request.subject)
    return found


@operation("GET /v1/topups")
def list_topups(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("topup"), "status"))


@operation("GET /v1/topups/{topup}")
def retrieve_topup(state: State, request: Request) -> Object:
    return state.get("topup", request.subject)


@operation("POST /v1/topups")
def create_topup(state: State, request: Request) -> Object:
    asked = request.parameters
    return top_up(state, asked["amount"], asked["currency"].lower(), metadata=asked.get("metadata") or {})


def top_up(
    state: State, amount: int, currency: str, *, available_in: int = 0, metadata: Object | None = None
) -> Object:
    """Put the firm's own money into the platform's balance; it can be drawn on after `available_in` seconds."""
    now = state.clock.timestamp()
    id = state.new_id("tu")
    posted = state.ledger.post(
        None, "topup", amount, currency, id=state.new_id("txn"), source=id, available_in=available_in
    )
    topup = {
        "id": id,
        "object": "topup",
        "amount": amount,
        "balance_transaction": posted,
        "created": now,
        "currency": currency,
        "description": None,
        "expected_availability_date": now + available_in,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": metadata or {},
        "source": None,
        "statement_descriptor": None,
        "status": "succeeded",
        "transfer_group": None,
    }
    state.add("topup", topup)
    state.emit("topup.succeeded", topup)
    return topup


def _behind(state: State, request: Request, found: list[Object]) -> list[Object]:
    """The transactions that one automatic payout took to the bank, itself among them."""
    payout = state.get("payout", request.parameters["payout"], account=request.account, param="payout", status=400)
    taken = state.objects["payout_contents"].get(payout["id"], {}).get("transactions", ())
    return [each for each in found if each["id"] in taken]
