"""Invoices of the `send_invoice` kind: drafted, given items, finalized, sent, and paid or voided."""

from __future__ import annotations

from typing import Any

from tests.stripe.answers import Refusal, Request
from tests.stripe.blanks import blank
from tests.stripe.state import Object, State, matching, merged_metadata, operation, paged

_DAY = 86_400
_MOMENTS = {"open": "finalized_at", "paid": "paid_at", "void": "voided_at", "uncollectible": "marked_uncollectible_at"}


@operation("POST /v1/invoices")
def create(state: State, request: Request) -> Object:
    asked, now = request.parameters, state.clock.timestamp()
    customer = state.get("customer", asked.get("customer", ""), param="customer", status=400)
    id = state.new_id("in")
    due = asked.get("due_date", now + asked["days_until_due"] * _DAY if "days_until_due" in asked else None)
    invoice = blank(
        "invoice",
        id=id,
        auto_advance=asked.get("auto_advance", False),
        billing_reason="manual",
        collection_method=asked.get("collection_method", "charge_automatically"),
        created=now,
        currency=asked.get("currency", "usd").lower(),
        customer=customer["id"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        description=asked.get("description"),
        due_date=due,
        footer=asked.get("footer"),
        issuer={"type": "self"},
        lines={"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{id}/lines"},
        metadata=merged_metadata({}, asked.get("metadata")),
        payment_settings=_payment_settings(asked.get("payment_settings", {})),
        period_end=now,
        period_start=now,
        status="draft",
    )
    state.add("invoice", invoice)
    if asked.get("pending_invoice_items_behavior") == "include":
        _take_in_pending(state, invoice)
    state.emit("invoice.created", invoice)
    return invoice


@operation("GET /v1/invoices")
def list_all(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("invoice"), "customer", "status", "collection_method"))


@operation("GET /v1/invoices/{invoice}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("invoice", request.subject)


@operation("GET /v1/invoices/{invoice}/lines")
def list_lines(state: State, request: Request) -> Object:
    return paged(request, state.get("invoice", request.subject)["lines"]["data"][::-1])


@operation("POST /v1/invoices/{invoice}")
def update(state: State, request: Request) -> Object:
    invoice = state.get("invoice", request.subject)
    changed = set(request.parameters) - {"metadata", "auto_advance", "expand"}
    if changed and invoice["status"] != "draft":
        raise _not_now(invoice, "be updated", code="invoice_not_editable")
    for name in ("auto_advance", "description", "due_date", "footer", "collection_method"):
        invoice[name] = request.parameters.get(name, invoice[name])
    invoice["metadata"] = merged_metadata(invoice["metadata"], request.parameters.get("metadata"))
    state.emit("invoice.updated", invoice)
    return invoice


@operation("DELETE /v1/invoices/{invoice}")
def delete(state: State, request: Request) -> Object:
    invoice = state.get("invoice", request.subject)
    if invoice["status"] != "draft":
        raise _not_now(invoice, "be deleted", code="invoice_not_editable")
    del state.objects["invoice"][invoice["id"]]
    state.emit("invoice.deleted", invoice)
    return {"id": invoice["id"], "object": "invoice", "deleted": True}


@operation("POST /v1/invoices/{invoice}/finalize")
def finalize(state: State, request: Request) -> Object:
    invoice = state.get("invoice", request.subject)
    if invoice["status"] != "draft":
        raise _not_now(invoice, "be finalized: it already is")
    _finalize(state, invoice)
    return invoice


@operation("POST /v1/invoices/{invoice}/send")
def send(state: State, request: Request) -> Object:
    invoice = state.get("invoice", request.subject)
    if invoice["status"] not in ("draft", "open") or invoice["collection_method"] != "send_invoice":
        raise _not_now(invoice, "be sent")
    if invoice["status"] == "draft":
        _finalize(state, invoice)
    state.emit("invoice.sent", invoice)
    return invoice


@operation("POST /v1/invoices/{invoice}/pay")
def pay(state: State, request: Request) -> Object:
    invoice = state.get("invoice", request.subject)
    if invoice["status"] == "draft":
        _finalize(state, invoice)
    if invoice["status"] not in ("open", "uncollectible"):
        raise _not_now(invoice, "be paid")
    if not request.parameters.get("paid_out_of_band"):
        raise Refusal(400, "This customer has no attached payment source or default payment method.")
    invoice["amount_paid_off_stripe"] += invoice["amount_remaining"]
    recalculate(invoice)
    become(state, invoice, "paid")
    return invoice


@operation("POST /v1/invoices/{invoice}/void")
def void(state: State, request: Request) -> Object:
    invoice = state.get("invoice", request.subject)
    if invoice["status"] not in ("open", "uncollectible"):
        raise _not_now(invoice, "be voided")
    become(state, invoice, "void")
    state.emit("invoice.voided", invoice)
    return invoice


@operation("POST /v1/invoices/{invoice}/mark_uncollectible")
def mark_uncollectible(state: State, request: Request) -> Object:
    invoice = state.get("invoice", request.subject)
    if invoice["status"] != "open":
        raise _not_now(invoice, "be marked as uncollectible")
    become(state, invoice, "uncollectible")
    state.emit("invoice.marked_uncollectible", invoice)
    return invoice


def become(state: State, invoice: Object, status: str) -> None:
    """Move to a status and say when; an invoice that is paid tells the world."""
    invoice["status"] = status
    invoice["status_transitions"][_MOMENTS[status]] = state.clock.timestamp()
    if status == "paid":
        state.emit("invoice.paid", invoice)


def recalculate(invoice: Object) -> None:
    """The amounts as they follow from the lines, what was paid, and what was credited before."""
    total = sum(line["amount"] for line in invoice["lines"]["data"])
    due = max(total, 0) - invoice["pre_payment_credit_notes_amount"]
    got = invoice["amount_paid"] + invoice["amount_paid_off_stripe"]
    invoice.update(
        subtotal=total,
        subtotal_excluding_tax=total,
        total=total,
        total_excluding_tax=total,
        amount_due=max(due, 0),
        amount_remaining=max(due - got, 0),
        amount_overpaid=max(got - due, 0),
    )


def add_line(state: State, invoice: Object, item: Object) -> None:
    """Make the item a line of the draft."""
    item["invoice"] = invoice["id"]
    line = blank(
        "line_item",
        id=state.new_id("il"),
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        discountable=True,
        invoice=invoice["id"],
        metadata=item["metadata"],
        period=item["period"],
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        subtotal=item["amount"],
    )
    invoice["lines"]["data"].append(line)
    recalculate(invoice)


def overdue(state: State, invoice_id: str) -> None:
    """The due date has passed."""
    state.emit("invoice.overdue", state.objects["invoice"][invoice_id])


def _finalize(state: State, invoice: Object) -> None:
    invoice["number"] = f"CH-{len(state.objects['invoice']):04d}"
    invoice["hosted_invoice_url"] = f"https://invoice.stripe.com/i/{invoice['id']}"
    invoice["invoice_pdf"] = f"https://pay.stripe.com/invoice/{invoice['id']}/pdf"
    invoice["effective_at"] = state.clock.timestamp()
    recalculate(invoice)
    become(state, invoice, "open")
    state.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        become(state, invoice, "paid")


def _take_in_pending(state: State, invoice: Object) -> None:
    for item in state.of("invoiceitem"):
        if item["invoice"] is None and item["customer"] == invoice["customer"]:
            add_line(state, invoice, item)


def _payment_settings(asked: Any) -> Object:
    types = asked.get("payment_method_types")
    return blank("invoices_payment_settings", payment_method_types=types or None)


def _not_now(invoice: Object, what: str, *, code: str | None = None) -> Refusal:
    return Refusal(400, f"This invoice is {invoice['status']} and cannot {what}.", code=code)
