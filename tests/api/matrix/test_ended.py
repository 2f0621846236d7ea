"""What has ended stays on record, says so, and takes no second end; what was removed is not there any more."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.actor import Role
from tests.api.callers import Caller, as_role
from tests.api.matrix import ended

AGAIN = "Once more"
SHOWN = {
    "assignments": ("until_on", "2026-11-20"),
    "destinations": ("state", "withdrawn"),
    "engagements": ("state", "ended"),
    "notices": ("state", "by-hand"),
    "operations": ("state", "refused"),
    "pay-terms": ("superseded_at", None),
    "payout-runs": ("state", "canceled"),
    "payouts": ("state", "canceled"),
    "pre-commitment-letters": ("withdrawn_on", "2026-11-01"),
    "principals": ("disabled_at", None),
    "reconciliation-differences": ("resolved_at", None),
    "self-billing-agreements": ("ended_on", "2028-01-01"),
    "tax-forms": ("state", "withdrawn"),
    "webhook-deliveries": ("state", None),
}
"""By which field each ended thing says so, and what stands there (None: anything)."""

NAMED_BY = {"adjustments": "reverses_id", "self-billed-invoices": "credits_id", "statements": "corrects_id"}
"""Papers and bookings stay as they were; it is the newer one that names the one it is for."""

SECOND_ENDS = (
    ("adjustments", "reversal", {"reason": AGAIN}, 409),
    ("assignments", "ending", {"on": "2026-12-20"}, 409),
    ("bank-lines", "resolution", {"note": AGAIN}, 409),
    ("destinations", "confirmation", None, 409),
    ("destinations", "rejection", {"reason": AGAIN}, 409),
    ("engagements", "ending", {"on": "2026-12-20"}, 409),
    ("engagements", "signature", None, 409),
    ("notices", "handover", {"how": AGAIN}, 409),
    ("pay-terms", "correction", {"guarantee": {"amount": "1.00", "currency": "USD"}, "reason": AGAIN}, 409),
    ("payout-runs", "proposal", None, 409),
    ("payout-runs", "approval", None, 409),
    ("payout-runs", "cancellation", None, 409),
    ("payout-runs", "reopening", {"reason": AGAIN}, 409),
    ("payout-runs", "release", None, 409),
    ("payouts", "hold", {"reason": AGAIN}, 409),
    ("payouts", "resumption", None, 409),
    ("payouts", "withdrawal", {"reason": AGAIN}, 409),
    ("payouts", "settlement", {"reference": AGAIN, "on": "2026-11-02"}, 409),
    ("payouts", "return", {"reason": AGAIN, "on": "2026-11-02"}, 409),
    ("payouts", "remittance-advice", None, 409),
    ("pre-commitment-letters", "withdrawal", {"on": "2026-11-10"}, 409),
    ("principals", "tokens", {}, 409),
    ("reconciliation-differences", "assignment", {"owner": "lead"}, 409),
    ("reconciliation-differences", "resolution", {"note": AGAIN}, 409),
    ("self-billed-invoices", "credit-note", {"reason": AGAIN}, 409),
    ("self-billing-agreements", "ending", {"ended_by": "firm", "reason": AGAIN}, 409),
    ("tax-forms", "withdrawal", {"reason": AGAIN}, 409),
    ("tokens", "rotation", {}, 404),
    ("tokens", "revocation", None, 404),
    ("webhook-deliveries", "replay", None, 409),
    ("webhook-endpoints", "rotation", None, 404),
)


@pytest.fixture(scope="module")
def lead(app: Flask) -> Caller:
    return as_role(app, Role.LEAD)


@pytest.fixture(scope="module")
def things(app: Flask) -> dict[str, str]:
    with app.app_context():
        return ended.things()


def test_each_of_them_is_there(things: dict[str, str]) -> None:
    assert not [name for name, key in things.items() if key == "None"]


@pytest.mark.parametrize("resource", SHOWN)
def test_what_has_ended_says_so(lead: Caller, things: dict[str, str], resource: str) -> None:
    field, value = SHOWN[resource]
    shown = lead.get(f"/v1/{resource}/{things[resource]}")
    assert shown.get(field) is not None if value is None else shown.get(field) == value, shown


@pytest.mark.parametrize("resource", NAMED_BY)
def test_what_takes_it_back_names_it(lead: Caller, things: dict[str, str], resource: str) -> None:
    assert lead.get(f"/v1/{resource}/{things[resource]}")[NAMED_BY[resource]] is None
    named = [one[NAMED_BY[resource]] for one in lead.get(f"/v1/{resource}?limit=200")["items"]]
    assert named.count(things[resource]) == 1


@pytest.mark.parametrize(("resource", "verb", "body", "status"), SECOND_ENDS)
def test_nothing_ends_twice(
    lead: Caller, things: dict[str, str], resource: str, verb: str, body: dict[str, object] | None, status: int
) -> None:
    address = f"/v1/{resource}/{things[resource]}"
    before = lead.send("GET", address).get_data() if resource in {**SHOWN, **NAMED_BY} else b""
    # Any version will do: whether it is the newest is not the question here.
    answer = lead.send("POST", f"{address}/{verb}", headers={"If-Match": "*"}, json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert not before or lead.send("GET", address).get_data() == before


def test_a_removed_endpoint_is_not_there(lead: Caller, things: dict[str, str]) -> None:
    address = f"/v1/webhook-endpoints/{things['webhook-endpoints']}"
    for method, body in (("GET", None), ("PATCH", {"description": AGAIN}), ("DELETE", None)):
        answer = lead.send(method, address, headers={"If-Match": "*"}, json=body)
        assert answer.status_code == 404, (method, answer.get_data(as_text=True))
    listed = lead.get("/v1/webhook-endpoints?limit=200")["items"]
    assert things["webhook-endpoints"] not in [one["id"] for one in listed]


def test_a_revoked_token_is_not_listed_as_one_that_opens(lead: Caller, things: dict[str, str]) -> None:
    listed = {one["id"]: one for one in lead.get("/v1/tokens?limit=200")["items"]}
    assert listed.get(things["tokens"], {"revoked_at": "gone"})["revoked_at"] is not None
