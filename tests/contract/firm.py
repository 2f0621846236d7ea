"""The firm that the contract is tried on: one closed month, something of every kind, and a token of every role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import text

from firm.access import tokens
from firm.actor import Role
from firm.db import db, reading
from migrations import run
from payouts import month_end
from payouts.runs import preparation
from staffing.reports import operations as reports
from tests import lovelace, opener
from tests.api.matrix import world

_RUN = ("key", "SELECT number FROM payout_run")
_MONTH = ("month", "SELECT MIN(month) FROM period")
_PERSON = ("key", "SELECT name FROM maintainer")

PARAMETERS = {
    "/v1/assignments/{assignment_id}": ("assignment_id", "SELECT id FROM assignment"),
    "/v1/assignments/{assignment_id}/ending": ("assignment_id", "SELECT id FROM assignment"),
    "/v1/clients/{key}": ("key", "SELECT id FROM client"),
    "/v1/clients/{key}/contacts": ("key", "SELECT name FROM client"),
    "/v1/destinations/{key}": ("key", "SELECT id FROM destination"),
    "/v1/notices/{key}": ("key", "SELECT id FROM notice"),
    "/v1/maintainers/{key}/rails": ("key", "SELECT id FROM maintainer"),
    "/v1/engagements/{engagement_id}": ("engagement_id", "SELECT id FROM engagement"),
    "/v1/engagements/{engagement_id}/interests": ("engagement_id", "SELECT id FROM engagement"),
    "/v1/engagements/{engagement_id}/po-number": ("engagement_id", "SELECT id FROM engagement"),
    "/v1/funded-work-reports/{key}": ("key", "SELECT number FROM funded_work_report"),
    "/v1/invoices/{key}": ("key", "SELECT number FROM invoice"),
    "/v1/maintainers/{key}": ("key", "SELECT id FROM maintainer"),
    "/v1/maintainers/{key}/aliases": _PERSON,
    "/v1/maintainers/{key}/destination": _PERSON,
    "/v1/maintainers/{key}/on-ramp": ("key", "SELECT id FROM maintainer"),
    "/v1/maintainers/{key}/on-ramp/letters": _PERSON,
    "/v1/maintainers/{key}/on-ramp/runway": _PERSON,
    "/v1/maintainers/{key}/on-ramp/stages": _PERSON,
    "/v1/maintainers/{key}/provider-account": ("key", "SELECT id FROM maintainer"),
    "/v1/maintainers/{key}/provider-account/onboarding-link": ("key", "SELECT id FROM maintainer"),
    "/v1/maintainers/{key}/provider-account/refresh": _PERSON,
    "/v1/months/{month}": _MONTH,
    "/v1/months/{month}/earnings": _MONTH,
    "/v1/months/{month}/preview": ("month", "SELECT MAX(month) FROM period"),
    "/v1/packages/{key}": ("key", "SELECT name FROM package"),
    "/v1/pay-terms/{terms_id}": ("terms_id", "SELECT id FROM pay_terms"),
    "/v1/pay-terms/{terms_id}/correction": ("terms_id", "SELECT id FROM pay_terms"),
    "/v1/allocation-plans/{plan_id}": ("plan_id", "SELECT id FROM allocation_plan"),
    "/v1/payout-runs/{key}": _RUN,
    "/v1/payout-runs/{key}/approval": _RUN,
    "/v1/payout-runs/{key}/cancellation": _RUN,
    "/v1/payout-runs/{key}/files/{rail}": _RUN,
    "/v1/payout-runs/{key}/proposal": _RUN,
    "/v1/payout-runs/{key}/release": _RUN,
    "/v1/payouts/{payout_id}": ("payout_id", "SELECT id FROM payout"),
    "/v1/payouts/{payout_id}/hold": ("payout_id", "SELECT id FROM payout"),
    "/v1/payouts/{payout_id}/proof": ("payout_id", "SELECT id FROM payout"),
    "/v1/payouts/{payout_id}/resumption": ("payout_id", "SELECT id FROM payout"),
    "/v1/payouts/{payout_id}/withdrawal": ("payout_id", "SELECT id FROM payout"),
    "/v1/payout-runs/{key}/reopening": _RUN,
    "/v1/payouts/{payout_id}/settlement": ("payout_id", "SELECT id FROM payout"),
    "/v1/payouts/{payout_id}/return": ("payout_id", "SELECT id FROM payout"),
    "/v1/funded-work-reports/{key}/{form}": ("key", "SELECT number FROM funded_work_report"),
    "/v1/statements/{key}/{form}": ("key", "SELECT number FROM statement"),
    "/v1/principals/{key}": ("key", "SELECT name FROM principal"),
    "/v1/tax-forms/{form_id}": ("form_id", "SELECT id FROM tax_form"),
    "/v1/tax-forms/{form_id}/withdrawal": ("form_id", "SELECT id FROM tax_form"),
    "/v1/self-billing-agreements/{agreement_id}": ("agreement_id", "SELECT id FROM self_billing_agreement"),
    "/v1/self-billing-agreements/{agreement_id}/ending": ("agreement_id", "SELECT id FROM self_billing_agreement"),
    "/v1/self-billed-invoices/{key}": ("key", "SELECT id FROM self_billed_invoice"),
    "/v1/self-billed-invoices/{key}/{form}": ("key", "SELECT id FROM self_billed_invoice"),
    "/v1/self-billed-invoices/{key}/credit-note": ("key", "SELECT id FROM self_billed_invoice"),
    "/v1/payouts/{payout_id}/remittance-advice": ("payout_id", "SELECT id FROM payout"),
    "/v1/statements/{key}": ("key", "SELECT number FROM statement"),
}
"""Where ids that exist are put, so that more than the door is tried."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The secrets of the roles' tokens, and values of parameters by address."""

    secrets: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, str]]


def seed(app: Flask) -> Seeded:
    with app.app_context():
        run.upgrade(db.engine)
        lovelace.set_up()
        month_end.close(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.AFTER)
        for client in ("Acme", "Globex"):
            period = {"from_month": lovelace.OCTOBER, "until_month": lovelace.OCTOBER.next}
            reports.issue(client, **period, by=lovelace.LEAD, now=lovelace.AFTER)
        opener.open_accounts("Grace", "Ada", by=lovelace.LEAD, now=lovelace.AFTER)
        rails = app.extensions["chambers"].rails
        preparation.draft(rails=rails, by=lovelace.ADMINISTRATOR, now=lovelace.AFTER)
        world.put_papers_on_file()
        seeded = Seeded({str(role): _token(role) for role in Role if role is not Role.SYSTEM}, _parameters())
        db.session.remove()
        db.engine.dispose()
    return seeded


def _token(role: Role) -> str:
    own = {Role.MAINTAINER: "SELECT id FROM maintainer", Role.CLIENT: "SELECT id FROM client"}
    with reading() as session:
        subject = session.scalar(text(f"{own[role]} ORDER BY id LIMIT 1")) if role in own else None
    issued = tokens.issue_token(name=f"try-{role}", role=role, subject_id=subject, by=lovelace.LEAD, now=lovelace.AFTER)
    return issued.secret


def _parameters() -> dict[str, dict[str, str]]:
    with reading() as session:
        return {
            path: {f"path.{name}": str(session.scalars(text(f"{query} ORDER BY 1 LIMIT 1")).one())}
            for path, (name, query) in PARAMETERS.items()
        }
