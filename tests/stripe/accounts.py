"""Connected accounts of the second API as recipients, and the links that lead to their onboarding."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from tests.stripe.answers import Refusal, Request, missing
from tests.stripe.state import Object, State, operation

INCLUDABLE = ("configuration", "defaults", "future_requirements", "identity", "requirements")
PENDING = {"status": "pending", "status_details": [{"code": "determining_status", "resolution": "provide_info"}]}
PAST_DUE = [{"code": "requirements_past_due", "resolution": "provide_info"}]
_CHANGED = "v2.core.account[configuration.recipient].capability_status_updated"


@operation("POST /v2/core/accounts")
def create(state: State, request: Request) -> Object:
    asked = request.parameters
    account = {
        "id": state.new_id("acct"),
        "object": "v2.core.account",
        "applied_configurations": sorted(asked.get("configuration", {})),
        "closed": False,
        "configuration": _configuration(asked),
        "contact_email": asked.get("contact_email"),
        "contact_phone": asked.get("contact_phone"),
        "created": state.clock.stamp(),
        "dashboard": asked.get("dashboard"),
        "defaults": _defaults(asked.get("defaults", {})),
        "display_name": asked.get("display_name"),
        "future_requirements": {"entries": []},
        "identity": asked.get("identity", {}),
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "requirements": {"entries": []},
    }
    state.add("account", account)
    state.emit_thin("v2.core.account.created", account, _url(account["id"]))
    return shown(account, asked.get("include", ()))


@operation("GET /v2/core/accounts/{id}")
def retrieve(state: State, request: Request) -> Object:
    return shown(_account(state, request.subject), request.parameters.get("include", ()))


@operation("GET /v2/core/accounts")
def list_all(state: State, request: Request) -> Object:
    found = list(state.objects["account"].values())[::-1][: request.parameters.get("limit", 20)]
    return {"data": [shown(each, ()) for each in found], "next_page_url": None, "previous_page_url": None}


@operation("POST /v2/core/accounts/{id}")
def update(state: State, request: Request) -> Object:
    account = _account(state, request.subject)
    for name in ("contact_email", "contact_phone", "dashboard", "display_name", "identity"):
        if name in request.parameters:
            account[name] = request.parameters[name]
    for name, value in request.parameters.get("metadata", {}).items():
        account["metadata"][name] = value
    state.emit_thin("v2.core.account.updated", account, _url(account["id"]))
    return shown(account, request.parameters.get("include", ()))


@operation("POST /v2/core/accounts/{id}/close")
def close(state: State, request: Request) -> Object:
    return shown(closed(state, _account(state, request.subject)["id"]), ())


@operation("POST /v2/core/account_links")
def link(state: State, request: Request) -> Object:
    account = _account(state, request.parameters["account"])
    use_case = request.parameters["use_case"]
    if use_case["type"] not in use_case:
        raise Refusal(400, f"use_case.{use_case['type']} is required.", executed=False)
    token = state.new_id("link")
    return state.add(
        "account_link",
        {
            "object": "v2.core.account_link",
            "id": token,
            "account": account["id"],
            "created": state.clock.stamp(),
            "expires_at": (state.clock.now() + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "livemode": False,
            "url": f"https://accounts.stripe.com/r/{account['id']}#{token}",
            "use_case": use_case,
        },
    )


def shown(account: Object, include: Any) -> Object:
    """The account with the parts that were asked for; the others are null."""
    wanted = {each.partition(".")[0] for each in include}
    return {name: None if name in INCLUDABLE and name not in wanted else value for name, value in account.items()}


def set_capability(
    state: State, account_id: str, *, transfers: str = "active", payouts: str = "active", details: Any = None
) -> None:
    """What Stripe decides about a recipient: `active`, `pending`, `restricted`, `unsupported` or `rejected`."""
    account = _account(state, account_id)
    balance = account["configuration"]["recipient"]["capabilities"]["stripe_balance"]
    for name, status in (("stripe_transfers", transfers), ("payouts", payouts)):
        if balance[name]["status"] != status:
            balance[name] = {"status": status, "status_details": [] if status == "active" else details or PAST_DUE}
            state.emit_thin(
                _CHANGED,
                account,
                _url(account_id),
                data={"updated_capability": f"stripe_balance.{name}"},
            )


def set_requirements(state: State, account_id: str, entries: list[Object]) -> None:
    """What Stripe still wants to know from the payee."""
    account = _account(state, account_id)
    account["requirements"] = {"entries": entries}
    state.emit_thin("v2.core.account[requirements].updated", account, _url(account_id))


def come_back(state: State, account_id: str) -> None:
    """The payee has walked through the onboarding and returns to us."""
    account = _account(state, account_id)
    data = {"account_id": account_id, "configurations": ["recipient"], "use_case": "account_onboarding"}
    state.emit_thin("v2.core.account_link.returned", account, _url(account_id), related_object=None, data=data)


def closed(state: State, account_id: str) -> Object:
    """The account as it is after its end."""
    account = _account(state, account_id)
    account["closed"] = True
    state.emit_thin("v2.core.account.closed", account, _url(account_id))
    return account


def transferable(account: Object) -> bool:
    """May money be sent to it?"""
    recipient = account["configuration"]["recipient"]
    return recipient is not None and recipient["capabilities"]["stripe_balance"]["stripe_transfers"]["status"] == (
        "active"
    )


def _configuration(asked: Object) -> Object:
    recipient = asked.get("configuration", {}).get("recipient")
    if recipient is None:
        return {"customer": None, "merchant": None, "recipient": None}
    requested = recipient.get("capabilities", {}).get("stripe_balance", {}).get("stripe_transfers", {})
    capabilities = {"stripe_balance": {"payouts": copy.deepcopy(PENDING), "stripe_transfers": copy.deepcopy(PENDING)}}
    if not requested.get("requested"):
        capabilities["stripe_balance"]["stripe_transfers"] = {"status": "unsupported", "status_details": []}
    return {"customer": None, "merchant": None, "recipient": {"applied": True, "capabilities": capabilities}}


def _defaults(asked: Object) -> Object:
    responsibilities = {
        "fees_collector": "application",
        "losses_collector": "application",
        **asked.get("responsibilities", {}),
        "requirements_collector": "stripe",
    }
    return {"currency": asked.get("currency"), "locales": asked.get("locales"), "responsibilities": responsibilities}


def _account(state: State, id: str) -> Object:
    if id not in state.objects["account"]:
        raise missing("account", id, second_api=True)
    return state.objects["account"][id]


def _url(account_id: str) -> str:
    return f"/v2/core/accounts/{account_id}"
