"""Customers, and the money that they have sent and no invoice has taken."""

from __future__ import annotations

from tests.stripe.answers import Request
from tests.stripe.blanks import blank
from tests.stripe.state import Object, State, matching, merged_metadata, operation, paged

TAKEN_OVER = ("address", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")


@operation("POST /v1/customers")
def create(state: State, request: Request) -> Object:
    customer = blank(
        "customer",
        id=state.new_id("cus"),
        created=state.clock.timestamp(),
        metadata=merged_metadata({}, request.parameters.get("metadata")),
        invoice_prefix=f"CH{len(state.objects['customer']):06d}",
        **{name: request.parameters[name] for name in TAKEN_OVER if name in request.parameters},
    )
    state.add("customer", customer)
    state.emit("customer.created", customer)
    return customer


@operation("GET /v1/customers")
def list_all(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("customer"), "email"))


@operation("GET /v1/customers/{customer}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("customer", request.subject)


@operation("POST /v1/customers/{customer}")
def update(state: State, request: Request) -> Object:
    customer = state.get("customer", request.subject)
    customer.update({name: request.parameters[name] for name in TAKEN_OVER if name in request.parameters})
    customer["metadata"] = merged_metadata(customer["metadata"], request.parameters.get("metadata"))
    state.emit("customer.updated", customer)
    return customer


@operation("GET /v1/customers/{customer}/cash_balance_transactions")
def list_cash(state: State, request: Request) -> Object:
    customer = state.get("customer", request.subject)
    cash = [each for each in state.of("customer_cash_balance_transaction") if each["customer"] == customer["id"]]
    return paged(request, cash)


def cash_arrives(state: State, customer_id: str, amount: int, currency: str) -> Object:
    """A bank transfer that fits no invoice: it stays in the customer's cash balance, and no invoice changes."""
    before = sum(
        each["net_amount"]
        for each in state.of("customer_cash_balance_transaction")
        if each["customer"] == customer_id and each["currency"] == currency
    )
    arrived = blank(
        "customer_cash_balance_transaction",
        id=state.new_id("ccsbtxn"),
        created=state.clock.timestamp(),
        currency=currency,
        customer=customer_id,
        ending_balance=before + amount,
        net_amount=amount,
        type="funded",
    )
    state.add("customer_cash_balance_transaction", arrived)
    state.emit("customer_cash_balance_transaction.created", arrived)
    return arrived
