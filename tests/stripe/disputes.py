"""Disputes: the client's bank takes a payment back, while the invoice stays paid."""

from __future__ import annotations

from tests.stripe.answers import Request
from tests.stripe.blanks import blank
from tests.stripe.state import Object, State, matching, operation, paged

FEE = 1_500


@operation("GET /v1/disputes")
def list_all(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("dispute"), "charge", "payment_intent"))


@operation("GET /v1/disputes/{dispute}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("dispute", request.subject)


def dispute(state: State, charge_id: str, *, reason: str = "insufficient_funds", fee: int = FEE) -> Object:
    """The bank takes the whole charge back at once. ACH returns go straight on to `lost`: close them."""
    charge = state.objects["charge"][charge_id]
    made = blank(
        "dispute",
        id=state.new_id("dp"),
        amount=charge["amount"],
        charge=charge_id,
        created=state.clock.timestamp(),
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="needs_response",
    )
    charge["disputed"] = True
    state.add("dispute", made)
    state.emit("charge.dispute.created", made)
    _move(state, made, -charge["amount"], fee)
    state.emit("charge.dispute.funds_withdrawn", made)
    return made


def close(state: State, dispute_id: str, *, won: bool) -> Object:
    """The end of it; one that is won brings the money back, and not the fee."""
    made = state.objects["dispute"][dispute_id]
    made["status"] = "won" if won else "lost"
    state.emit("charge.dispute.closed", made)
    if won:
        _move(state, made, made["amount"], 0)
        state.emit("charge.dispute.funds_reinstated", made)
    return made


def _move(state: State, made: Object, amount: int, fee: int) -> None:
    id = state.ledger.post(
        None, "adjustment", amount, made["currency"], id=state.new_id("txn"), source=made["id"], fee=fee
    )
    made["balance_transactions"].append(state.ledger.transactions[None][id])
