"""Connected accounts as the first API shows them, and what it tells of them."""

from __future__ import annotations

from tests.stripe.accounts import transferable
from tests.stripe.answers import Request
from tests.stripe.blanks import blank
from tests.stripe.state import Object, State, operation


@operation("GET /v1/accounts/{account}")
def retrieve(state: State, request: Request) -> Object:
    return shown(state, state.get("account", request.subject)["id"])


def shown(state: State, account_id: str) -> Object:
    """The account of the second API, as an account of the first."""
    account = state.objects["account"][account_id]
    balance = account["configuration"]["recipient"]["capabilities"]["stripe_balance"]
    return blank(
        "account",
        id=account_id,
        capabilities={"transfers": "active" if transferable(account) else "inactive"},
        country=(account["identity"].get("country") or "us").upper(),
        default_currency=(account["defaults"]["currency"] or "usd").lower(),
        details_submitted=transferable(account),
        email=account["contact_email"],
        metadata=account["metadata"],
        payouts_enabled=balance["payouts"]["status"] == "active",
        type="none",
    )


def tell_update(state: State, account_id: str) -> None:
    """The first API's own event of a change."""
    state.emit("account.updated", shown(state, account_id), account=account_id)


def deauthorize(state: State, account_id: str) -> None:
    """The payee has cut the tie to us: from now on the account is not ours to use."""
    application = {"id": "ca_chambers", "object": "application", "name": "Chambers"}
    state.emit("account.application.deauthorized", application, account=account_id)
    state.objects["account"][account_id]["closed"] = True
    state.deauthorized.add(account_id)
