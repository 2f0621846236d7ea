"""Transfers from the platform's balance to a payee's, and their reversals."""

from __future__ import annotations

from tests.stripe.accounts import transferable
from tests.stripe.answers import Refusal, Request, missing
from tests.stripe.state import Object, State, matching, merged_metadata, operation, paged


@operation("POST /v1/transfers")
def create(state: State, request: Request) -> Object:
    asked = request.parameters
    currency = asked["currency"].lower()
    payee = _destination(state, asked["destination"])
    amount = _positive(asked)
    fee = amount * state.cross_border_fees.get(payee["identity"].get("country", "").lower(), 0) // 10_000
    if state.ledger.available(None, currency) < amount + fee:
        raise _too_little("You have insufficient available funds in your Stripe account.")
    id, payment = state.new_id("tr"), state.new_id("py")
    taken = state.ledger.post(None, "transfer", -amount, currency, id=state.new_id("txn"), source=id, fee=fee)
    state.ledger.post(payee["id"], "payment", amount, currency, id=state.new_id("txn"), source=payment)
    transfer = {
        "id": id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": taken,
        "created": state.clock.timestamp(),
        "currency": currency,
        "description": asked.get("description"),
        "destination": payee["id"],
        "destination_payment": payment,
        "livemode": False,
        "metadata": merged_metadata({}, asked.get("metadata")),
        "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{id}/reversals"},
        "reversed": False,
        "source_transaction": None,
        "source_type": asked.get("source_type", "card"),
        "transfer_group": asked.get("transfer_group"),
    }
    state.add("transfer", transfer)
    state.emit("transfer.created", transfer)
    return transfer


@operation("GET /v1/transfers")
def list_all(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("transfer"), "transfer_group", "destination"))


@operation("GET /v1/transfers/{transfer}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("transfer", request.subject)


@operation("POST /v1/transfers/{transfer}")
def update(state: State, request: Request) -> Object:
    transfer = state.get("transfer", request.subject)
    before = {"metadata": transfer["metadata"]}
    transfer["metadata"] = merged_metadata(transfer["metadata"], request.parameters.get("metadata"))
    transfer["description"] = request.parameters.get("description", transfer["description"])
    state.emit("transfer.updated", transfer, before=before)
    return transfer


@operation("POST /v1/transfers/{id}/reversals")
def reverse(state: State, request: Request) -> Object:
    transfer = state.get("transfer", request.subject)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = request.parameters.get("amount", left)
    if not 0 < amount <= left:
        raise Refusal(400, f"Reversal amount ({amount}) is not within the unreversed amount ({left}).", param="amount")
    if state.ledger.available(transfer["destination"], transfer["currency"]) < amount:
        raise _too_little("The connected account has insufficient available funds for this reversal.")
    return give_back(state, transfer, amount, request.parameters.get("metadata"))


def give_back(state: State, transfer: Object, amount: int, metadata: Object | None = None) -> Object:
    """Reverse a part of a transfer, whatever the payee's balance: Stripe's own people may."""
    id, currency = state.new_id("trr"), transfer["currency"]
    refund = state.new_id("pyr")
    returned = state.ledger.post(None, "transfer_refund", amount, currency, id=state.new_id("txn"), source=id)
    state.ledger.post(
        transfer["destination"], "payment_refund", -amount, currency, id=state.new_id("txn"), source=refund
    )
    reversal = {
        "id": id,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": returned,
        "created": state.clock.timestamp(),
        "currency": currency,
        "destination_payment_refund": refund,
        "metadata": merged_metadata({}, metadata),
        "source_refund": None,
        "transfer": transfer["id"],
    }
    before = {"amount_reversed": transfer["amount_reversed"], "reversed": transfer["reversed"]}
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"].insert(0, state.add("transfer_reversal", reversal))
    state.emit("transfer.reversed", transfer, before=before)
    return reversal


@operation("GET /v1/transfers/{id}/reversals")
def list_reversals(state: State, request: Request) -> Object:
    transfer = state.get("transfer", request.subject)
    return paged(request, transfer["reversals"]["data"][::-1])


@operation("GET /v1/transfers/{transfer}/reversals/{id}")
def retrieve_reversal(state: State, request: Request) -> Object:
    reversal = state.get("transfer_reversal", request.captures[1])
    if reversal["transfer"] != request.subject:
        raise missing("transfer reversal", reversal["id"])
    return reversal


def _destination(state: State, id: str) -> Object:
    payee = state.objects["account"].get(id)
    if payee is None or payee["closed"]:
        raise missing("destination", id, param="destination", status=400)
    if not transferable(payee):
        raise Refusal(
            400,
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    return payee


def _positive(asked: Object) -> int:
    amount = asked.get("amount")
    if not isinstance(amount, int) or amount < 1:
        raise Refusal(
            400, "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount",
            executed=False,
        )  # fmt: skip
    return amount


def _too_little(message: str) -> Refusal:
    return Refusal(400, message, code="balance_insufficient")
