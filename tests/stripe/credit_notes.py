"""Corrections of an invoice that is final."""

from __future__ import annotations

from tests.stripe import invoice_payments
from tests.stripe.answers import Refusal, Request
from tests.stripe.blanks import blank
from tests.stripe.invoices import become, recalculate
from tests.stripe.state import Object, State, matching, merged_metadata, operation, paged

PARTS = ("credit_amount", "refund_amount", "out_of_band_amount")


@operation("POST /v1/credit_notes")
def create(state: State, request: Request) -> Object:
    asked = request.parameters
    invoice = state.get("invoice", asked["invoice"], param="invoice", status=400)
    amount = _amount(asked)
    if invoice["status"] in ("open", "uncollectible"):
        _before_payment(state, invoice, amount)
        note = _made(state, asked, invoice, amount, pre_payment_amount=amount, type="pre_payment")
    elif invoice["status"] == "paid":
        _after_payment(state, invoice, asked, amount)
        note = _made(state, asked, invoice, amount, post_payment_amount=amount, type="post_payment")
    else:
        raise Refusal(400, f"An invoice that is {invoice['status']} takes no credit note.")
    state.emit("credit_note.created", note)
    return note


@operation("GET /v1/credit_notes")
def list_all(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("credit_note"), "invoice", "customer"))


@operation("GET /v1/credit_notes/{id}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("credit_note", request.subject)


@operation("POST /v1/credit_notes/{id}/void")
def void(state: State, request: Request) -> Object:
    note = state.get("credit_note", request.subject)
    invoice = state.objects["invoice"][note["invoice"]]
    if note["status"] == "void" or note["type"] != "pre_payment" or invoice["status"] != "open":
        raise Refusal(400, "Only credit notes of open invoices can be voided.")
    note["status"], note["voided_at"] = "void", state.clock.timestamp()
    invoice["pre_payment_credit_notes_amount"] -= note["amount"]
    recalculate(invoice)
    state.emit("credit_note.voided", note)
    return note


def _before_payment(state: State, invoice: Object, amount: int) -> None:
    """Less is due; an invoice of which nothing is due any more is paid."""
    if amount > invoice["amount_remaining"]:
        raise Refusal(400, f"The invoice has {invoice['amount_remaining']} remaining.", param="amount")
    invoice["pre_payment_credit_notes_amount"] += amount
    recalculate(invoice)
    if invoice["amount_remaining"] == 0:
        become(state, invoice, "paid")


def _after_payment(state: State, invoice: Object, asked: Object, amount: int) -> None:
    """The client gets it back, as credit, as a refund or by another way; the parts make up the whole."""
    if sum(asked.get(part, 0) for part in PARTS) != amount:
        raise Refusal(400, f"The sum of {', '.join(PARTS)} must be {amount}.", executed=False)
    if amount > invoice["total"] - invoice["post_payment_credit_notes_amount"]:
        raise Refusal(400, "That is more than was paid.", param="amount")
    if asked.get("refund_amount"):
        intents = {
            each["payment"]["payment_intent"]
            for each in state.of("invoice_payment")
            if each["invoice"] == invoice["id"]
        }
        charge = next((each for each in state.of("charge") if each["payment_intent"] in intents), None)
        if charge is None:
            raise Refusal(400, "The invoice was paid outside of Stripe and cannot be refunded.", param="refund_amount")
        invoice_payments.refund(state, charge, asked["refund_amount"])
    invoice["post_payment_credit_notes_amount"] += amount


def _made(state: State, asked: Object, invoice: Object, amount: int, **filled: object) -> Object:
    id = state.new_id("cn")
    note = blank(
        "credit_note",
        id=id,
        amount=amount,
        created=state.clock.timestamp(),
        currency=invoice["currency"],
        customer=invoice["customer"],
        effective_at=state.clock.timestamp(),
        invoice=invoice["id"],
        lines={"object": "list", "data": [], "has_more": False, "url": f"/v1/credit_notes/{id}/lines"},
        memo=asked.get("memo"),
        metadata=merged_metadata({}, asked.get("metadata")),
        number=f"{invoice['number']}-CN-{len(state.objects['credit_note']) + 1:02d}",
        out_of_band_amount=asked.get("out_of_band_amount"),
        pdf=f"https://pay.stripe.com/credit_notes/{id}/pdf",
        reason=asked.get("reason"),
        status="issued",
        subtotal=amount,
        total=amount,
        **filled,
    )
    return state.add("credit_note", note)


def _amount(asked: Object) -> int:
    if "amount" in asked:
        return asked["amount"]
    if "lines" in asked:
        return sum(line.get("amount", line.get("unit_amount", 0) * line.get("quantity", 1)) for line in asked["lines"])
    return sum(asked.get(part, 0) for part in PARTS)
