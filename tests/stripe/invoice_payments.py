"""What clients pay on invoices, and how it is taken back: charges, refunds and invoice payments."""

from __future__ import annotations

from tests.stripe.answers import Refusal, Request
from tests.stripe.blanks import blank
from tests.stripe.invoices import become, recalculate
from tests.stripe.state import Object, State, created_within, matching, merged_metadata, operation, paged

KINDS = {"card": "charge", "us_bank_account": "payment", "customer_balance": "payment"}
"""The type of balance transaction of each method of payment."""


@operation("GET /v1/invoice_payments")
def list_all(state: State, request: Request) -> Object:
    found = matching(request, state.of("invoice_payment"), "invoice", "status")
    asked = request.parameters.get("payment", {})
    return paged(request, [each for each in found if asked.items() <= each["payment"].items()])


@operation("GET /v1/invoice_payments/{invoice_payment}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("invoice_payment", request.subject)


@operation("GET /v1/charges/{charge}")
def retrieve_charge(state: State, request: Request) -> Object:
    return state.get("charge", request.subject)


@operation("POST /v1/refunds")
def create_refund(state: State, request: Request) -> Object:
    asked = request.parameters
    name = "charge" if "charge" in asked else "payment_intent"
    wanted = asked.get(name)
    charge = next((each for each in state.of("charge") if wanted in (each["id"], each["payment_intent"])), None)
    if charge is None:
        raise Refusal(400, f"No such {name}: '{wanted}'", code="resource_missing", param=name)
    return refund(state, charge, asked.get("amount"), metadata=asked.get("metadata"))


@operation("GET /v1/refunds/{refund}")
def retrieve_refund(state: State, request: Request) -> Object:
    return state.get("refund", request.subject)


@operation("GET /v1/refunds")
def list_refunds(state: State, request: Request) -> Object:
    asked = {name: request.parameters[name] for name in ("charge", "payment_intent") if name in request.parameters}
    found = [each for each in state.of("refund") if asked.items() <= each.items() and created_within(request, each)]
    return paged(request, found)


def pay(
    state: State,
    invoice_id: str,
    amount: int | None = None,
    *,
    method: str = "card",
    fee: int = 0,
    available_in: int = 0,
) -> Object:
    """A client pays an open invoice through Stripe, wholly, in part or too much; returns the charge."""
    invoice = state.objects["invoice"][invoice_id]
    if invoice["status"] != "open":
        raise ValueError(f"An invoice that is {invoice['status']} is not paid.")
    asked = invoice["amount_remaining"]
    charge = _charge(state, invoice, asked if amount is None else amount, method, fee, available_in)
    invoice["amount_paid"] += charge["amount"]
    recalculate(invoice)
    payment = _payment(state, invoice, charge, asked)
    state.emit("invoice_payment.paid", payment)
    if invoice["amount_remaining"] == 0:
        become(state, invoice, "paid")
        state.emit("invoice.payment_succeeded", invoice)
    if invoice["amount_overpaid"]:
        state.emit("invoice.overpaid", invoice)
    return charge


def fail_to_pay(state: State, invoice_id: str) -> None:
    """The bank has refused, days later where it was an ACH debit; nothing was paid."""
    invoice = state.objects["invoice"][invoice_id]
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    state.emit("invoice.payment_failed", invoice)


def refund(state: State, charge: Object, amount: int | None = None, *, metadata: Object | None = None) -> Object:
    """Give a client money back; refused where it is more than was paid."""
    left = charge["amount"] - charge["amount_refunded"]
    taken = left if amount is None else amount
    if not 0 < taken <= left:
        raise Refusal(400, f"Refund amount ({taken}) is not within the unrefunded amount ({left}).", param="amount")
    if charge["disputed"]:
        raise Refusal(400, "This charge is disputed and cannot be refunded.", code="charge_disputed")
    id = state.new_id("re")
    posted = state.ledger.post(None, "refund", -taken, charge["currency"], id=state.new_id("txn"), source=id)
    made = blank(
        "refund",
        id=id,
        amount=taken,
        balance_transaction=posted,
        charge=charge["id"],
        created=state.clock.timestamp(),
        currency=charge["currency"],
        metadata=merged_metadata({}, metadata),
        payment_intent=charge["payment_intent"],
        status="succeeded",
    )
    charge["amount_refunded"] += taken
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    state.add("refund", made)
    state.emit("refund.created", made)
    return made


def fail_refund(state: State, refund_id: str) -> Object:
    """The client's bank would not have it: the money is back with us."""
    made = state.objects["refund"][refund_id]
    charge = state.objects["charge"][made["charge"]]
    made["status"], made["failure_reason"] = "failed", "lost_or_stolen_card"
    made["failure_balance_transaction"] = state.ledger.post(
        None, "refund_failure", made["amount"], made["currency"], id=state.new_id("txn"), source=refund_id
    )
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    state.emit("refund.failed", made)
    return made


def _charge(state: State, invoice: Object, amount: int, method: str, fee: int, available_in: int) -> Object:
    kind = KINDS[method]
    id = state.new_id("ch" if kind == "charge" else "py")
    posted = state.ledger.post(
        None, kind, amount, invoice["currency"], id=state.new_id("txn"), source=id, fee=fee, available_in=available_in
    )
    charge = blank(
        "charge",
        id=id,
        amount=amount,
        amount_captured=amount,
        balance_transaction=posted,
        captured=True,
        created=state.clock.timestamp(),
        currency=invoice["currency"],
        customer=invoice["customer"],
        paid=True,
        payment_intent=state.new_id("pi"),
        status="succeeded",
    )
    state.add("charge", charge)
    state.emit("charge.succeeded", charge)
    return charge


def _payment(state: State, invoice: Object, charge: Object, asked: int) -> Object:
    payment = blank(
        "invoice_payment",
        id=state.new_id("inpay"),
        amount_paid=charge["amount"],
        amount_requested=asked,
        created=charge["created"],
        currency=charge["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": charge["payment_intent"]},
        status="paid",
    )
    payment["status_transitions"]["paid_at"] = charge["created"]
    return state.add("invoice_payment", payment)
