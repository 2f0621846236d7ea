"""Filters: a filtered list is the whole list less what the filter leaves out, for things by id and by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.v1.principals import ROLES
from firm.actor import Role
from firm.webhooks.model import DELIVERY_STATES
from payouts.destinations.model import SHOWN_STATES
from payouts.runs.model import PAYOUT_STATES, RUN_STATES
from payouts.tax_forms.model import STATES as FORM_STATES
from tests.api.callers import Caller, as_role
from tests.api.matrix import cells
from tests.api.probes.places import Place, filters, lists

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"

BY_FIELD = (
    ("engagements", "client", "client_id", ()),
    ("engagements", "state", "state", ("draft", "signed", "ended")),
    ("assignments", "maintainer", "maintainer_id", ()),
    ("assignments", "package", "package_id", ()),
    ("pay-terms", "maintainer", "maintainer_id", ()),
    ("invoices", "client", "client_id", ()),
    ("invoices", "engagement", "engagement_id", ()),
    ("invoices", "state", "state", ("open", "paid")),
    ("receipts", "invoice", "invoice_id", ()),
    ("payout-runs", "state", "state", RUN_STATES),
    ("payouts", "run", "run_id", ()),
    ("payouts", "maintainer", "maintainer_id", ()),
    ("payouts", "state", "state", PAYOUT_STATES),
    ("payouts", "rail", "rail", ("manual", "sepa", "pigeon")),
    ("destinations", "maintainer", "maintainer_id", ()),
    ("destinations", "state", "state", SHOWN_STATES),
    ("advances", "maintainer", "maintainer_id", ()),
    ("statements", "maintainer", "maintainer_id", ()),
    ("statements", "month", "month", ("2026-09",)),
    ("adjustments", "maintainer", "maintainer_id", ()),
    ("adjustments", "month", "month", ("2026-09",)),
    ("adjustments", "kind", "kind", ("advance", "fee")),
    ("tax-forms", "maintainer", "maintainer_id", ()),
    ("tax-forms", "state", "state", FORM_STATES),
    ("self-billing-agreements", "maintainer", "maintainer_id", ()),
    ("self-billed-invoices", "maintainer", "maintainer_id", ()),
    ("self-billed-invoices", "month", "month", ("2026-09",)),
    ("funded-work-reports", "client", "client_id", ()),
    ("packages", "state", "state", ("adopted", "staffed", "archived")),
    ("principals", "role", "role", ROLES),
    ("operations", "state", "state", ("queued", "done")),
    ("webhook-deliveries", "endpoint", "endpoint_id", ()),
    ("webhook-deliveries", "state", "state", DELIVERY_STATES),
    ("months", "state", "state", ("open", "closed")),
)
"""Resource, filter, the field it is about, and values to try besides those that occur."""


@pytest.fixture(scope="module")
def lead(firm: Flask) -> Caller:
    return as_role(firm, Role.LEAD, name="reader of lists")


def items(caller: Caller, address: str) -> list[dict[str, Any]]:
    return list(caller.get(f"/v1/{address}{'&' if '?' in address else '?'}limit=200")["items"])


@pytest.mark.parametrize(("resource", "name", "field", "values"), BY_FIELD)
def test_a_filter_leaves_what_has_the_value(lead: Caller, resource: str, name: str, field: str, values: Any) -> None:
    whole = items(lead, resource)
    assert whole or resource == "receipts"
    for value in {item[field] for item in whole} | set(values):
        assert items(lead, f"{resource}?{name}={value}") == [item for item in whole if item[field] == value], value


def ids_of(lead: Caller, resource: str) -> Iterator[tuple[str, str]]:
    for item in items(lead, resource):
        yield item["name"], item["id"]


@pytest.mark.parametrize(
    ("address", "things"),
    [
        ("pay-terms?maintainer=", "maintainers"),
        ("statements?maintainer=", "maintainers"),
        ("work-items?maintainer=", "maintainers"),
        ("engagements?client=", "clients"),
        ("funded-work-reports?client=", "clients"),
        ("assignments?package=", "packages"),
        ("tokens?principal=", "principals"),
    ],
)
def test_things_are_named_by_name_or_id(lead: Caller, address: str, things: str) -> None:
    found = 0
    for name, key in ids_of(lead, things):
        by_id = items(lead, address + key)
        assert items(lead, address + name) == by_id
        found += len(by_id)
    assert found or address.startswith("work-items")
    assert lead.get(f"/v1/{address}nobody", status=404)["detail"]


def test_runs_and_invoices_are_named_by_number_too(lead: Caller) -> None:
    payouts = items(lead, "payouts")
    for run in items(lead, "payout-runs"):
        of_run = [one for one in payouts if one["run_id"] == run["id"]]
        assert items(lead, f"payouts?run={run['number']}") == of_run != []
    assert lead.get("/v1/payouts?run=nothing", status=404)
    assert lead.get("/v1/receipts?invoice=nothing", status=404)
    assert lead.get("/v1/invoices?engagement=nothing", status=404)


def test_filters_narrow_each_other(lead: Caller) -> None:
    grace, ada = (dict(ids_of(lead, "maintainers"))[name] for name in ("Grace", "Ada"))
    both = items(lead, f"statements?maintainer={grace}&month=2026-10")
    assert {one["maintainer_id"] for one in both} == {grace}
    assert items(lead, f"statements?maintainer={grace}&month=2026-09") == []
    assert items(lead, f"assignments?maintainer={ada}&package=ssh") == []


def test_assignments_of_a_day_begin_with_it_and_end_before_it(lead: Caller) -> None:
    assert items(lead, "assignments?on=2026-09-30") == []
    whole = items(lead, "assignments")
    assert items(lead, "assignments?on=2026-10-01") == whole
    endless = next(one for one in whole if one["until_on"] is None)
    running = items(lead, "assignments?on=2027-01-31")
    assert endless in running
    lead.post(f"/v1/assignments/{endless['id']}/ending", {"on": "2027-02-01"})
    assert len(items(lead, "assignments?on=2027-01-31")) == len(running)
    assert len(items(lead, "assignments?on=2027-02-01")) == len(running) - 1


def test_invoices_and_reports_of_a_month_are_those_that_cover_it(lead: Caller) -> None:
    for resource in ("invoices", "funded-work-reports"):
        whole = items(lead, resource)
        for month in ("2026-09", "2026-10", "2026-11", "2027-09", "2027-10"):
            covering = [one for one in whole if one["from_month"] <= month < one["until_month"]]
            assert items(lead, f"{resource}?month={month}") == covering, (resource, month)


def test_the_journal_by_account_kind_and_month(lead: Caller) -> None:
    whole = items(lead, "journal-entries")
    for account in {line["account"] for entry in whole for line in entry["lines"]}:
        touching = [entry for entry in whole if any(line["account"] == account for line in entry["lines"])]
        assert items(lead, f"journal-entries?account={account}") == touching
    for kind in {entry["source"].partition(":")[0] for entry in whole} | {"payout-settled"}:
        of_kind = [entry for entry in whole if entry["source"].partition(":")[0] == kind]
        assert items(lead, f"journal-entries?kind={kind}") == of_kind
    assert items(lead, "journal-entries?month=2026-10") == [one for one in whole if one["on"].startswith("2026-10")]
    assert "assets:gold" in lead.get("/v1/journal-entries?account=assets:gold", status=404)["detail"]


def test_the_months_of_the_books(lead: Caller) -> None:
    october, november = items(lead, "months")
    assert (october["month"], october["state"], october["closed_by"]) == ("2026-10", "closed", "lead")
    assert november == {"month": "2026-11", "state": "open", "closed_at": None, "closed_by": None}


def test_maintainers_see_their_own_whatever_they_ask(firm: Flask, lead: Caller) -> None:
    grace = dict(ids_of(lead, "maintainers"))["Grace"]
    herself = as_role(firm, Role.MAINTAINER, name="grace reads", subject=grace)
    assert items(herself, f"statements?maintainer={grace}") == items(herself, "statements") != []
    herself.get("/v1/payouts", status=403)


def test_the_documents_name_every_filter(everywhere: list[Place]) -> None:
    table = [line.split("|") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "| `" in line]
    told = {name: row[2] for row in table if len(row) == 4 for name in re.findall("`([^`]+)`", row[1])}
    for place in lists(everywhere):
        name = re.sub("<[^>]*>", "{month}", place.rule.removeprefix("/v1/"))
        untold = [one["name"] for one in filters(place) if f"`{one['name']}`" not in told.get(name, "")]
        assert not untold, (str(place), untold)


def test_both_engines_filter_alike(served: Flask) -> None:
    cells.set_up(served)
    lead = as_role(served, Role.LEAD, name="reader of lists")
    for resource, name, field, values in BY_FIELD:
        test_a_filter_leaves_what_has_the_value(lead, resource, name, field, values)
    test_the_journal_by_account_kind_and_month(lead)
    test_invoices_and_reports_of_a_month_are_those_that_cover_it(lead)
