"""Payouts from a balance at Stripe to the owner's bank."""

from __future__ import annotations

from tests.stripe.answers import Refusal, Request
from tests.stripe.balance_settings import kept_back
from tests.stripe.state import Object, State, matching, merged_metadata, operation, paged

DAYS_TO_ARRIVE = 2
_DAY = 86_400
MOVES = {
    "pending": {"in_transit", "paid", "failed", "canceled"},
    "in_transit": {"paid", "failed"},
    "paid": {"failed"},
    "failed": set(),
    "canceled": set(),
}
"""Where a payout can go from each status; one that is paid may still turn out to have failed."""


@operation("POST /v1/payouts")
def create(state: State, request: Request) -> Object:
    asked = request.parameters
    currency = asked["currency"].lower()
    if state.ledger.available(request.account, currency) < asked["amount"]:
        raise Refusal(400, "You have insufficient funds in your Stripe account.", code="balance_insufficient")
    return _made(state, request.account, asked["amount"], currency, automatic=False, metadata=asked.get("metadata"))


@operation("GET /v1/payouts")
def list_all(state: State, request: Request) -> Object:
    return paged(request, matching(request, state.of("payout", request.account), "status", "destination"))


@operation("GET /v1/payouts/{payout}")
def retrieve(state: State, request: Request) -> Object:
    return state.get("payout", request.subject, account=request.account)


@operation("POST /v1/payouts/{payout}/cancel")
def cancel(state: State, request: Request) -> Object:
    payout = state.get("payout", request.subject, account=request.account)
    if payout["status"] != "pending":
        raise Refusal(400, "Payouts can only be canceled while they are pending.", code="payout_cancel_not_allowed")
    return move(state, payout["id"], "canceled")


def pay_out(state: State, account: str | None, currency: str, amount: int | None = None) -> Object | None:
    """The daily automatic payout: what is available beyond the minimum, or this much of it. None if that is nothing."""
    available = state.ledger.available(account, currency) - kept_back(state, account, currency)
    taken = available if amount is None else amount
    if taken <= 0:
        return None
    contents = [
        each["id"]
        for each in state.ledger.transactions[account].values()
        if each["currency"] == currency and each["status"] == "available"
    ]
    before = {id for each in state.objects["payout_contents"].values() for id in each["transactions"]}
    payout = _made(state, account, taken, currency, automatic=True)
    state.objects["payout_contents"][payout["id"]] = {
        "transactions": [*(id for id in contents if id not in before), payout["balance_transaction"]]
    }
    return payout


def move(state: State, payout_id: str, status: str, *, code: str = "account_closed") -> Object:
    """What becomes of a payout at the bank; `failed` and `canceled` bring the money back to its owner's balance."""
    payout, account = state.objects["payout"][payout_id], state.owners[payout_id]
    if status not in MOVES[payout["status"]]:
        raise ValueError(f"A payout that is {payout['status']} does not become {status}.")
    before = {"status": payout["status"]}
    payout["status"] = status
    if status in ("failed", "canceled"):
        _bring_back(state, payout, account, "payout_failure" if status == "failed" else "payout_cancel")
    if status == "failed":
        payout["failure_code"] = code
        payout["failure_message"] = "The bank account has been closed."
    if status == "in_transit":
        state.emit("payout.updated", payout, account=account, before=before)
    else:
        state.emit(f"payout.{status}", payout, account=account)
    if status == "paid" and payout["automatic"]:
        payout["reconciliation_status"] = "completed"
        state.emit("payout.reconciliation_completed", payout, account=account)
    if status == "failed" and account is not None:
        state.emit("account.external_account.updated", _bank_account(payout, account), account=account)
    return payout


def _made(
    state: State, account: str | None, amount: int, currency: str, *, automatic: bool, metadata: Object | None = None
) -> Object:
    now = state.clock.timestamp()
    id = state.new_id("po")
    taken = state.ledger.post(account, "payout", -amount, currency, id=state.new_id("txn"), source=id)
    payout = {
        "id": id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": now - now % _DAY + DAYS_TO_ARRIVE * _DAY,
        "automatic": automatic,
        "balance_transaction": taken,
        "created": now,
        "currency": currency,
        "description": "STRIPE PAYOUT" if automatic else None,
        "destination": f"ba_{account or 'platform'}",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged_metadata({}, metadata),
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }
    state.add("payout", payout, account=account)
    state.emit("payout.created", payout, account=account)
    return payout


def _bring_back(state: State, payout: Object, account: str | None, kind: str) -> None:
    payout["failure_balance_transaction"] = state.ledger.post(
        account, kind, payout["amount"], payout["currency"], id=state.new_id("txn"), source=payout["id"]
    )


def _bank_account(payout: Object, account: str) -> Object:
    """The payee's bank account, which Stripe uses no more until it is changed."""
    return {
        "id": payout["destination"],
        "object": "bank_account",
        "account": account,
        "account_holder_name": None,
        "account_holder_type": None,
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": "US",
        "currency": payout["currency"],
        "default_for_currency": True,
        "fingerprint": None,
        "last4": "6789",
        "metadata": {},
        "routing_number": None,
        "status": "errored",
    }
