"""The items that an invoice's lines are made of."""

from __future__ import annotations

from tests.stripe.answers import Refusal, Request
from tests.stripe.blanks import blank
from tests.stripe.invoices import add_line
from tests.stripe.state import Object, State, matching, merged_metadata, operation, paged


@operation("POST /v1/invoiceitems")
def create(state: State, request: Request) -> Object:
    asked, now = request.parameters, state.clock.timestamp()
    invoice = state.get("invoice", asked["invoice"], param="invoice", status=400) if "invoice" in asked else None
    if invoice is not None and invoice["status"] != "draft":
        raise Refusal(400, "Items can be added to drafts only.", code="invoice_not_editable")
    customer = state.get("customer", asked.get("customer", ""), param="customer", status=400)
    quantity = asked.get("quantity", 1)
    item = blank(
        "invoiceitem",
        id=state.new_id("ii"),
        amount=_amount(asked, quantity),
        currency=asked.get("currency", invoice["currency"] if invoice else "usd").lower(),
        customer=customer["id"],
        date=now,
        description=asked.get("description"),
        discountable=True,
        metadata=merged_metadata({}, asked.get("metadata")),
        period=asked.get("period", {"end": now, "start": now}),
        quantity=quantity,
        quantity_decimal=str(quantity),
    )
    if invoice is not None and item["currency"] != invoice["currency"]:
        raise Refusal(400, f"The invoice is in {invoice['currency']}, the item in {item['currency']}.")
    state.add("invoiceitem", item)
    if invoice is not None:
        add_line(state, invoice, item)
    state.emit("invoiceitem.created", item)
    return item


@operation("GET /v1/invoiceitems")
def list_all(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("invoiceitem"), "customer", "invoice"))


@operation("GET /v1/invoiceitems/{invoiceitem}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("invoiceitem", request.subject)


def _amount(asked: Object, quantity: int) -> int:
    if "amount" in asked:
        return asked["amount"]
    price = asked.get("price_data", asked)
    unit = price.get("unit_amount", price.get("unit_amount_decimal"))
    if unit is None:
        raise Refusal(400, "One of amount, unit_amount_decimal or price_data is required.", executed=False)
    return int(unit) * quantity
