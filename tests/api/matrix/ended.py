"""Things of Grace and Acme that were there and are over: withdrawn, ended, canceled, replaced, removed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import text

from firm.access import principals, tokens
from firm.actor import Role
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.jobs import operations as jobs
from firm.jobs.kinds import Kind
from firm.month import Month
from firm.notices import operations as notices
from payouts.adjustments import operations as adjustments
from payouts.adjustments.operations import Draft
from payouts.bank_files import operations as bank_files
from payouts.destinations import decisions
from payouts.rails.rail import Rail
from payouts.reconciliation import operations as reconciliation
from payouts.reconciliation.rules import Finding
from payouts.runs import preparation
from payouts.self_billing import agreements
from payouts.self_billing import operations as self_billing
from payouts.self_billing.rules import Vat
from payouts.statements import operations as statements
from payouts.tax_forms import operations as tax_forms
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.assignments import operations as assignments
from staffing.onramp import operations as onramp
from tests import lovelace
from tests.databases import SECRET_KEYS
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD, OCTOBER, START, usd

LATER = date(2026, 11, 20)
"""When what can only end in an open month ends."""
_CLOSED = {
    "type": "https://chambers.invalid/problems/month-closed",
    "title": "Month closed",
    "status": 409,
    "detail": "October 2026 is closed already.",
    "request_id": "req_1",
}
_HERS = "maintainer_id = (SELECT id FROM maintainer WHERE name = 'Grace')"
_ACMES = "client_id = (SELECT id FROM client WHERE name = 'Acme')"

THINGS: Mapping[str, str] = {
    "adjustments": f"SELECT MIN(a.id) FROM adjustment a JOIN adjustment r ON r.reverses_id = a.id AND a.{_HERS}",
    "assignments": f"SELECT MIN(id) FROM assignment WHERE {_HERS} AND until_on IS NOT NULL",
    "bank-lines": "SELECT MIN(id) FROM bank_line WHERE state = 'resolved'",
    "destinations": f"SELECT MIN(id) FROM destination WHERE {_HERS} AND state = 'withdrawn'",
    "engagements": f"SELECT MIN(id) FROM engagement WHERE {_ACMES} AND state = 'ended'",
    "notices": "SELECT MIN(id) FROM notice WHERE state = 'by-hand'",
    "operations": "SELECT MIN(id) FROM job WHERE kind = 'months.close' AND state = 'refused'",
    "pay-terms": f"SELECT MIN(id) FROM pay_terms WHERE {_HERS} AND superseded_at IS NOT NULL",
    "payout-runs": "SELECT MIN(id) FROM payout_run WHERE state = 'canceled'",
    "payouts": f"SELECT MIN(id) FROM payout WHERE {_HERS} AND state = 'canceled'",
    "pre-commitment-letters": f"SELECT MIN(id) FROM precommitment_letter WHERE {_HERS} AND withdrawn_on IS NOT NULL",
    "principals": "SELECT name FROM principal WHERE name = 'm-gone'",
    "reconciliation-differences": "SELECT MIN(id) FROM reconciliation_difference WHERE resolved_at IS NOT NULL",
    "self-billed-invoices": (
        f"SELECT MIN(i.id) FROM self_billed_invoice i JOIN self_billed_invoice n ON n.credits_id = i.id AND i.{_HERS}"
    ),
    "self-billing-agreements": f"SELECT MIN(id) FROM self_billing_agreement WHERE {_HERS} AND ended_on IS NOT NULL",
    "statements": f"SELECT MIN(corrects_id) FROM statement WHERE {_HERS}",
    "tax-forms": f"SELECT MIN(id) FROM tax_form WHERE {_HERS} AND withdrawn_at IS NOT NULL",
    "tokens": "SELECT MIN(t.id) FROM api_token t JOIN principal p ON p.id = t.principal_id AND p.name = 'm-gone'",
    "webhook-deliveries": (
        "SELECT MIN(d.id) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id"
        " AND e.state = 'removed'"
    ),
    "webhook-endpoints": "SELECT MIN(id) FROM webhook_endpoint WHERE state = 'removed'",
}
"""For each resource whose things end, where to find the one that has."""


def things() -> dict[str, str]:
    with reading() as session:
        return {name: str(session.scalar(text(query))) for name, query in THINGS.items()}


def a_run(rails: Mapping[str, Rail]) -> None:
    """A canceled run, with its payouts."""
    run = preparation.draft(rails=rails, by=ADMINISTRATOR, now=AFTER).run
    preparation.cancel(run.number, by=ADMINISTRATOR, now=AFTER)


def everything() -> None:
    """All the others. The firm's live things stay as they are, beside these."""
    _of_the_engagement()
    _of_the_work()
    _of_the_pay()
    _of_the_papers()
    _of_the_office()


def _of_the_engagement() -> None:
    drafted = engagements.draft(
        client="Acme",
        tier="gold",
        fee=usd("100.00"),
        cycle="monthly",
        starts_on=date(2026, 11, 1),
        interests=[NamedInterest("told", False, 24)],
        by=LEAD,
        now=AFTER,
    )
    engagements.sign(drafted.id, by=LEAD, now=AFTER)
    engagements.end(drafted.id, on=LATER, by=LEAD, now=AFTER)


def _of_the_work() -> None:
    volunteered = assignments.assign(
        maintainer="Grace",
        package="told",
        role="co-maintainer",
        share_bp=0,
        paid=False,
        from_on=START,
        by=LEAD,
        now=AFTER,
    )
    assignments.end(volunteered.id, on=LATER, by=LEAD, now=AFTER)
    days = {"signed_on": START, "expires_on": date(2027, 10, 1)}
    letter = onramp.record_letter(
        "Grace", company="Hooli", amount=usd("750.00"), term_months=12, **days, by=LEAD, now=AFTER
    )
    onramp.withdraw_letter(letter.id, on=AFTER.date(), by=LEAD, now=AFTER)


def _of_the_pay() -> None:
    wrong = Proposal(guarantee=usd("4100.00"))
    later = terms.set_terms("Grace", wrong, from_month=Month(2027, 1), by=LEAD, now=AFTER)
    terms.correct(later.id, Proposal(guarantee=usd("4200.00")), reason="A slip", by=LEAD, now=AFTER)
    given = adjustments.make(Draft("Grace", "correction", usd("1.00"), "Given by mistake", OCTOBER), by=LEAD, now=AFTER)
    adjustments.reverse(given.id, reason="It was a mistake", by=LEAD, now=AFTER)
    decisions.withdraw(lovelace.propose_destination("Grace", now=AFTER).id, by=ADMINISTRATOR, now=AFTER)


def _of_the_papers() -> None:
    statement = _one(f"SELECT MIN(id) FROM statement WHERE {_HERS}")
    statements.correct(statement, reason="Her words", explanations={1: "A guarantee"}, by=LEAD, now=AFTER)
    form = _one(f"SELECT MIN(id) FROM tax_form WHERE {_HERS}")
    tax_forms.withdraw(form, reason="She moved", by=LEAD, now=AFTER)
    renewed = {"kind": "W-8BEN", "name": "Grace", "signed_on": START, "received_on": START}
    tax_forms.record("Grace", **renewed, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    invoice = _one(f"SELECT MIN(id) FROM self_billed_invoice WHERE {_HERS}")
    self_billing.credit(invoice, reason="Billed by mistake", by=LEAD, now=AFTER)
    self_billing.issue("Grace", OCTOBER, by=LEAD, now=AFTER)
    begins = date(2028, 1, 1)
    vat = Vat("small-business", exemption="Exempt as a small business")
    agreed = agreements.agree(
        "Grace",
        consented_on=START,
        from_on=begins,
        until_on=date(2028, 6, 1),
        series="SB-GL-",
        vat=vat,
        supplier_address=["1 Main Street"],
        by=LEAD,
        now=AFTER,
    )
    agreements.end(agreed.id, ended_by="supplier", reason="She leaves", on=begins, by=LEAD, now=AFTER)


def _of_the_office() -> None:
    # Somebody leads the firm, or nobody could be shut out.
    for name, role in (("t-lead", Role.LEAD), ("m-gone", Role.AUDITOR)):
        tokens.issue_token(name=name, role=role, by=LEAD, now=BEFORE)
    tokens.revoke_token("m-gone", by=LEAD, now=AFTER)
    principals.change("m-gone", disabled=True, by=LEAD, now=AFTER)
    line = _one("SELECT MAX(id) FROM bank_line")
    bank_files.resolve(line, note="The bank's fee", by=ADMINISTRATOR, now=AFTER)
    notices.give_by_hand(_one("SELECT MAX(id) FROM notice WHERE state = 'queued'"), how="A call", by=LEAD, now=AFTER)
    found = Finding("stripe", "balance-differs", "EUR", "The balance in EUR differs.", "1.00 EUR", "0.00 EUR")
    reconciliation.add([found], now=AFTER)
    different = _one("SELECT id FROM reconciliation_difference WHERE subject = 'EUR'")
    reconciliation.resolve(different, note="A fee", by=LEAD, now=AFTER)
    jobs.ask("months.close", {"month": "2026-10"}, by=LEAD, now=BEFORE)
    task = jobs.claim({"months.close": Kind(lambda task: None)}, worker="gone", now=BEFORE)
    assert task is not None
    jobs.refuse(task, _CLOSED, now=AFTER)


def _one(query: str) -> str:
    with reading() as session:
        return str(session.scalar(text(query)))
