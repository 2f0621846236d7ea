"""Who may do what: one table, default deny. A route without a line here refuses to start.

Lines are by endpoint. The roles that see only their own things (maintainer, client) are listed where a part of a
resource is theirs; the views then show them that part and answer 404 for the rest.
"""

from __future__ import annotations

from flask import Flask

from api.errors import Forbidden
from firm.actor import Actor, Role
from firm.errors import InvariantBroken

LEAD = frozenset({Role.LEAD})
OFFICE = frozenset({Role.LEAD, Role.ADMINISTRATOR})
READERS = frozenset({Role.LEAD, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR})
BOOKS = READERS | {Role.ACCOUNTANT}
WITH_MAINTAINER = READERS | {Role.MAINTAINER}
WITH_CLIENT = BOOKS | {Role.CLIENT}
APPROVERS = frozenset({Role.LEAD, Role.APPROVER})
OPEN: frozenset[Role] = frozenset()
"""Needs no token: the process's health, which says nothing about the firm, and the API's own description."""

EVERYBODY = frozenset(Role) - {Role.SYSTEM}

POLICY: dict[str, frozenset[Role]] = {
    "health.healthz": OPEN,
    "health.readyz": OPEN,
    "docs.openapi": OPEN,
    "docs.page": OPEN,
    "docs.start": OPEN,
    "docs.asset": OPEN,
    "firm.show": EVERYBODY,
    "tokens.issued": LEAD,
    "tokens.revoked": LEAD,
    "clients.listed": BOOKS,
    "clients.shown": BOOKS,
    "clients.registered": OFFICE,
    "clients.contact_added": OFFICE,
    "engagements.tiers_listed": BOOKS,
    "engagements.tier_added": OFFICE,
    "engagements.listed": WITH_CLIENT,
    "engagements.drafted": OFFICE,
    "engagements.shown": WITH_CLIENT,
    "engagements.interests_listed": WITH_CLIENT,
    "engagements.interests_named": OFFICE,
    "engagements.signed": LEAD,
    "engagements.ended": LEAD,
    "packages.listed": EVERYBODY,
    "packages.adopted": OFFICE,
    "packages.shown": EVERYBODY,
    "maintainers.listed": READERS,
    "maintainers.added": OFFICE,
    "maintainers.shown": WITH_MAINTAINER,
    "maintainers.alias_added": OFFICE,
    "maintainers.destination_set": OFFICE,
    "maintainers.onramp_shown": WITH_MAINTAINER,
    "maintainers.stage_entered": LEAD,
    "maintainers.letter_recorded": OFFICE,
    "maintainers.letter_withdrawn": OFFICE,
    "maintainers.runway_recorded": OFFICE,
    "assignments.listed": WITH_MAINTAINER,
    "assignments.made": LEAD,
    "assignments.ended": LEAD,
    "assignments.terms_listed": WITH_MAINTAINER,
    "assignments.terms_set": LEAD,
    "assignments.terms_shown": WITH_MAINTAINER,
    "allocation_plans.listed": BOOKS,
    "allocation_plans.made": LEAD,
    "allocation_plans.shown": BOOKS,
    "allocation_plans.rate_set": OFFICE,
    "invoices.listed": WITH_CLIENT,
    "invoices.shown": WITH_CLIENT,
    "invoices.issued": OFFICE,
    "invoices.received": OFFICE,
    "journal.listed": BOOKS,
    "journal.shown": BOOKS,
    "journal.reversed_": LEAD,
    "journal.trial_balance": BOOKS,
    "months.shown": BOOKS,
    "months.previewed": READERS,
    "months.closed": OFFICE,
    "months.earned": BOOKS,
    "payout_runs.listed": BOOKS,
    "payout_runs.shown": BOOKS,
    "payout_runs.drafted": OFFICE,
    "payout_runs.proposed": OFFICE,
    "payout_runs.approved": APPROVERS,
    "payout_runs.canceled": OFFICE,
    "payout_runs.released": OFFICE,
    "payout_runs.file": OFFICE,
    "payout_runs.settled": OFFICE,
    "payout_runs.given_back": OFFICE,
    "papers.statements_listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "papers.statement_shown": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "papers.statement_paper": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "papers.reports_listed": WITH_CLIENT,
    "papers.report_issued": OFFICE,
    "papers.report_shown": WITH_CLIENT,
    "papers.report_paper": WITH_CLIENT,
    "work_items.listed": WITH_MAINTAINER,
}


def refuse_gaps(app: Flask) -> None:
    """Raises `InvariantBroken` if a route has no line in the table, or a line no route."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    for endpoint in sorted(routes - set(POLICY)):
        raise InvariantBroken(f"The route {endpoint} has no line in api.policy; say who may call it.")
    for endpoint in sorted(set(POLICY) - routes):
        raise InvariantBroken(f"The policy names {endpoint}, which is no route.")


def is_open(endpoint: str) -> bool:
    return POLICY.get(endpoint) == OPEN and endpoint in POLICY


def refuse(actor: Actor, endpoint: str) -> None:
    """Raises `Forbidden` unless the actor's role may call the endpoint."""
    if actor.role not in POLICY.get(endpoint, OPEN):
        raise Forbidden(f"The role {actor.role} may not do this.")
