"""Destinations and notices over HTTP: proposed, confirmed with a proof of presence, told, and given by hand."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.actor import Role
from tests.api.callers import Caller, as_role

IBAN = "DE89370400440532013000"


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


def test_a_change_is_confirmed_with_presence_by_somebody_else_and_told(closed: Flask, lead: Caller) -> None:
    office = as_role(closed, Role.ADMINISTRATOR, name="office")
    made = office.post("/v1/maintainers/Grace/destination", {"rail": "sepa", "iban": IBAN, "bic": "DEUTDEFF"})
    assert (made["state"], made["proposed_by"], made["iban_last4"]) == ("proposed", "office", "3000")
    path = f"/v1/destinations/{made['id']}"
    without_presence = Caller(closed, lead.headers)
    assert "Prove your presence" in without_presence.post(f"{path}/confirmation", status=403)["detail"]
    confirmed = lead.post(f"{path}/confirmation")
    assert (confirmed["state"], confirmed["decided_by"], confirmed["sole_approval"]) == ("confirmed", "lead", False)
    assert lead.get("/v1/maintainers/Grace")["destination"]["usable_from"] == confirmed["usable_from"]
    assert lead.post(f"{path}/rejection", {"reason": "too late"}, status=409)["detail"]
    notice = lead.get("/v1/notices?state=queued&limit=200")["items"][-1]
    assert (notice["to"], notice["template"]) == ("grace@lovelace.example", "destination-confirmed")
    given = office.post(f"/v1/notices/{notice['id']}/handover", {"how": "called her"})
    assert (given["state"], given["given_by"]) == ("by-hand", "office")
    assert office.post(f"/v1/notices/{notice['id']}/handover", {"how": "again"}, status=409)["detail"]


def test_nobody_confirms_a_proposal_of_their_own(lead: Caller) -> None:
    made = lead.post("/v1/maintainers/Grace/destination", {"rail": "sepa", "iban": IBAN})
    refused = lead.post(f"/v1/destinations/{made['id']}/confirmation", status=409)
    assert "somebody else has to confirm it" in refused["detail"]
    assert lead.post(f"/v1/destinations/{made['id']}/withdrawal")["state"] == "withdrawn"
    assert lead.get("/v1/maintainers/Grace")["proposed_destination"] is None


def test_the_rails_that_can_pay_somebody_are_said_with_reasons(lead: Caller) -> None:
    rails = {one["rail"]: one for one in lead.get("/v1/maintainers/Grace/rails?currency=EUR")["rails"]}
    assert (rails["manual"]["suits"], rails["sepa"]["suits"]) == (True, False)
    assert "IBAN" in rails["sepa"]["reason"]
