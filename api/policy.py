"""Who may do what: one table, default deny. A route without a line here refuses to start.

A token's scopes narrow what its principal's role allows; they never widen it.

Lines are by endpoint. The roles that see only their own things (maintainer, client) are listed where a part of a
resource is theirs; the views then show them that part and answer 404 for the rest.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from api.errors import Forbidden
from firm.access import presence
from firm.access.rules import scope_allows
from firm.access.tokens import Admission
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

SIGNED = frozenset({Role.SYSTEM})
"""Needs no token: the body carries a provider's signature, which the view verifies before it reads a word of it. No
token is of this role, so that nobody comes in here by one."""

EVERYBODY = frozenset(Role) - {Role.SYSTEM}

POLICY: dict[str, frozenset[Role]] = {
    "health.healthz": OPEN,
    "health.readyz": OPEN,
    "metrics.shown": frozenset({Role.LEAD, Role.AUDITOR}),
    "docs.openapi": OPEN,
    "docs.page": OPEN,
    "docs.start": OPEN,
    "docs.asset": OPEN,
    "provider_events.platform": SIGNED,
    "provider_events.connect": SIGNED,
    "firm.show": EVERYBODY,
    "principals.myself": EVERYBODY,
    "principals.listed": LEAD | {Role.AUDITOR},
    "principals.shown": LEAD | {Role.AUDITOR},
    "principals.enrolled": LEAD,
    "principals.changed": LEAD,
    "principals.authenticator_set": LEAD,
    "step_ups.proved": EVERYBODY,
    "tokens.listed": LEAD | {Role.AUDITOR},
    "tokens.issued": LEAD,
    "tokens.issued_to": LEAD,
    "tokens.rotated": EVERYBODY,
    "tokens.revoked": LEAD,
    "operations.listed": READERS,
    "operations.shown": READERS,
    "webhook_endpoints.listed": LEAD | {Role.AUDITOR},
    "webhook_endpoints.shown": LEAD | {Role.AUDITOR},
    "webhook_endpoints.added": LEAD,
    "webhook_endpoints.changed": LEAD,
    "webhook_endpoints.rotated": LEAD,
    "webhook_endpoints.removed": LEAD,
    "webhook_deliveries.listed": LEAD | {Role.AUDITOR},
    "webhook_deliveries.shown": LEAD | {Role.AUDITOR},
    "webhook_deliveries.replayed": LEAD,
    "clients.listed": BOOKS,
    "clients.shown": BOOKS,
    "clients.registered": OFFICE,
    "clients.changed": OFFICE,
    "clients.contact_added": OFFICE,
    "tiers.listed": BOOKS,
    "tiers.shown": BOOKS,
    "tiers.added": OFFICE,
    "engagements.listed": WITH_CLIENT,
    "engagements.drafted": OFFICE,
    "engagements.shown": WITH_CLIENT,
    "engagements.interests_listed": WITH_CLIENT,
    "engagements.interests_named": OFFICE,
    "engagements.interest_withdrawn": OFFICE,
    "engagements.signed": LEAD,
    "engagements.po_number_set": OFFICE,
    "engagements.ended": LEAD,
    "packages.listed": EVERYBODY,
    "packages.adopted": OFFICE,
    "packages.shown": EVERYBODY,
    "packages.changed": OFFICE,
    "maintainers.listed": READERS,
    "maintainers.added": OFFICE,
    "maintainers.shown": WITH_MAINTAINER,
    "maintainers.changed": OFFICE,
    "maintainers.alias_added": OFFICE,
    "provider_accounts.opened": OFFICE,
    "provider_accounts.shown": WITH_MAINTAINER,
    "provider_accounts.link_made": OFFICE | {Role.MAINTAINER},
    "provider_accounts.refreshed": OFFICE,
    "destinations.listed": WITH_MAINTAINER,
    "destinations.shown": WITH_MAINTAINER,
    "destinations.rails": WITH_MAINTAINER,
    "destinations.proposed": OFFICE,
    "destinations.confirmed": APPROVERS,
    "destinations.rejected": OFFICE | APPROVERS,
    "destinations.withdrawn": OFFICE,
    "notices.listed": OFFICE | {Role.AUDITOR},
    "notices.shown": OFFICE | {Role.AUDITOR},
    "notices.handed_over": OFFICE,
    "on_ramps.shown": WITH_MAINTAINER,
    "on_ramps.stage_entered": LEAD,
    "on_ramps.letter_recorded": OFFICE,
    "on_ramps.letter_shown": WITH_MAINTAINER,
    "on_ramps.letter_withdrawn": OFFICE,
    "on_ramps.runway_recorded": OFFICE,
    "assignments.listed": WITH_MAINTAINER,
    "assignments.shown": WITH_MAINTAINER,
    "assignments.made": LEAD,
    "assignments.ended": LEAD,
    "pay_terms.listed": WITH_MAINTAINER,
    "pay_terms.set_": LEAD,
    "pay_terms.corrected": LEAD,
    "pay_terms.shown": WITH_MAINTAINER,
    "allocation_plans.listed": BOOKS,
    "allocation_plans.made": LEAD,
    "allocation_plans.shown": BOOKS,
    "audit_records.listed": READERS | {Role.ACCOUNTANT},
    "exchange_rates.of_month": BOOKS,
    "exchange_rates.set_": OFFICE,
    "invoices.listed": WITH_CLIENT,
    "invoices.shown": WITH_CLIENT,
    "invoices.issued": OFFICE,
    "receipts.listed": BOOKS,
    "receipts.shown": BOOKS,
    "receipts.recorded": OFFICE,
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
    "payout_runs.reopened": OFFICE,
    "payouts.shown": BOOKS,
    "payouts.held": OFFICE,
    "payouts.resumed": OFFICE,
    "payouts.withdrawn": OFFICE,
    "payouts.settled": OFFICE,
    "payouts.given_back": OFFICE,
    "payout_policies.listed": BOOKS,
    "payout_policies.laid_down": LEAD,
    "reconciliation_differences.listed": BOOKS,
    "reconciliation_differences.shown": BOOKS,
    "reconciliation_differences.assigned": OFFICE,
    "reconciliation_differences.resolved": OFFICE,
    "payment_proofs.shown": BOOKS,
    "payment_proofs.added": OFFICE,
    "payment_proofs.document": OFFICE,
    "bank_files.listed": BOOKS,
    "bank_files.received": OFFICE,
    "bank_files.shown": BOOKS,
    "bank_files.lines_listed": BOOKS,
    "bank_files.resolved": OFFICE,
    "statements.listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "statements.shown": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "statements.paper": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "statements.corrected": LEAD,
    "statements.papers_made": OFFICE,
    "adjustments.listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "adjustments.shown": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "adjustments.made": OFFICE,
    "adjustments.reversed_": OFFICE,
    "advances.listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "remittance_advices.listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "remittance_advices.issued": OFFICE,
    "remittance_advices.shown": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "remittance_advices.paper": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "tax_forms.listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "tax_forms.recorded": OFFICE,
    "tax_forms.shown": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "tax_forms.withdrawn": OFFICE,
    "self_billing_agreements.listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "self_billing_agreements.agreed": OFFICE,
    "self_billing_agreements.shown": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "self_billing_agreements.ended": OFFICE,
    "self_billed_invoices.listed": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "self_billed_invoices.issued": OFFICE,
    "self_billed_invoices.shown": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "self_billed_invoices.credited": OFFICE,
    "self_billed_invoices.paper": WITH_MAINTAINER | {Role.ACCOUNTANT},
    "funded_work_reports.listed": WITH_CLIENT,
    "funded_work_reports.issued": OFFICE,
    "funded_work_reports.shown": WITH_CLIENT,
    "funded_work_reports.paper": WITH_CLIENT,
    "work_items.listed": WITH_MAINTAINER,
    "imports.taken_in": OFFICE,
    "imports.template": OFFICE,
}

APPROVALS = frozenset({"payout_runs.approved", "destinations.confirmed"})
"""What a principal of another role may do too, when it has been given the permission to approve."""

NEEDS_PRESENCE = APPROVALS | {"principals.changed", "principals.authenticator_set", "payout_policies.laid_down"}
"""What a bearer token alone is not enough for: a fresh proof of presence goes with it."""

UNSCOPED = frozenset({"principals.myself", "step_ups.proved", "tokens.rotated"})
"""What a token may always do for itself."""


COMMANDS = {
    "prove": "step_ups.proved",
    "principal add": "principals.enrolled",
    "principal list": "principals.listed",
    "principal change": "principals.changed",
    "principal totp": "principals.authenticator_set",
    "token issue": "tokens.issued",
    "token list": "tokens.listed",
    "token rotate": "tokens.revoked",
    "token revoke": "tokens.revoked",
    "operation list": "operations.listed",
    "operation show": "operations.shown",
    "operation parked": "operations.listed",
    "operation retry": "webhook_deliveries.replayed",
    "worker": "webhook_endpoints.changed",
    "client add": "clients.registered",
    "client contact": "clients.contact_added",
    "client change": "clients.changed",
    "client list": "clients.listed",
    "tier add": "tiers.added",
    "engagement draft": "engagements.drafted",
    "engagement interest": "engagements.interests_named",
    "engagement withdraw-interest": "engagements.interest_withdrawn",
    "engagement sign": "engagements.signed",
    "engagement po-number": "engagements.po_number_set",
    "engagement end": "engagements.ended",
    "engagement list": "engagements.listed",
    "package add": "packages.adopted",
    "package change": "packages.changed",
    "package list": "packages.listed",
    "plan set": "allocation_plans.made",
    "plan show": "allocation_plans.shown",
    "rate set": "exchange_rates.set_",
    "maintainer add": "maintainers.added",
    "maintainer alias": "maintainers.alias_added",
    "maintainer change": "maintainers.changed",
    "maintainer destination": "destinations.proposed",
    "maintainer rails": "destinations.rails",
    "destination list": "destinations.listed",
    "destination confirm": "destinations.confirmed",
    "destination reject": "destinations.rejected",
    "destination withdraw": "destinations.withdrawn",
    "notice list": "notices.listed",
    "notice give": "notices.handed_over",
    "maintainer list": "maintainers.listed",
    "maintainer stripe-account": "provider_accounts.opened",
    "maintainer onboarding-link": "provider_accounts.link_made",
    "maintainer stripe-status": "provider_accounts.refreshed",
    "maintainer stripe-close": "provider_accounts.opened",
    "assignment add": "assignments.made",
    "assignment end": "assignments.ended",
    "terms set": "pay_terms.set_",
    "terms correct": "pay_terms.corrected",
    "terms list": "pay_terms.listed",
    "onramp stage": "on_ramps.stage_entered",
    "onramp letter": "on_ramps.letter_recorded",
    "onramp withdraw": "on_ramps.letter_withdrawn",
    "onramp runway": "on_ramps.runway_recorded",
    "onramp show": "on_ramps.shown",
    "invoice issue": "invoices.issued",
    "invoice list": "invoices.listed",
    "receipt record": "receipts.recorded",
    "month preview": "months.previewed",
    "month close": "months.closed",
    "month status": "months.shown",
    "books balance": "journal.trial_balance",
    "books journal": "journal.listed",
    "run draft": "payout_runs.drafted",
    "run propose": "payout_runs.proposed",
    "run approve": "payout_runs.approved",
    "run cancel": "payout_runs.canceled",
    "run send": "payout_runs.released",
    "run reopen": "payout_runs.reopened",
    "run hold": "payouts.held",
    "run take-up": "payouts.resumed",
    "run withdraw": "payouts.withdrawn",
    "run settle": "payouts.settled",
    "run return": "payouts.given_back",
    "run policy": "payout_policies.laid_down",
    "run status": "payout_runs.shown",
    "run file": "payout_runs.file",
    "difference list": "reconciliation_differences.listed",
    "difference assign": "reconciliation_differences.assigned",
    "difference resolve": "reconciliation_differences.resolved",
    "run proof": "payment_proofs.added",
    "bank-file list": "bank_files.listed",
    "bank-file show": "bank_files.shown",
    "bank-file unmatched": "bank_files.lines_listed",
    "bank-file resolve": "bank_files.resolved",
    "import bank": "bank_files.received",
    "import git": "packages.adopted",
    "import osv": "packages.adopted",
    "import archive": "principals.enrolled",
    "import csv": "imports.taken_in",
    "statement": "statements.shown",
    "reissue": "statements.corrected",
    "adjustment add": "adjustments.made",
    "adjustment reverse": "adjustments.reversed_",
    "adjustment list": "adjustments.listed",
    "adjustment advances": "advances.listed",
    "remittance issue": "remittance_advices.issued",
    "remittance list": "remittance_advices.listed",
    "remittance show": "remittance_advices.shown",
    "tax-form record": "tax_forms.recorded",
    "tax-form list": "tax_forms.listed",
    "tax-form withdraw": "tax_forms.withdrawn",
    "tax-form document": "tax_forms.recorded",
    "self-billing agree": "self_billing_agreements.agreed",
    "self-billing end": "self_billing_agreements.ended",
    "self-billing issue": "self_billed_invoices.issued",
    "self-billing credit": "self_billed_invoices.credited",
    "self-billing list": "self_billed_invoices.listed",
    "self-billing show": "self_billed_invoices.shown",
    "report funded-work": "funded_work_reports.issued",
    "report show": "funded_work_reports.shown",
    "verify": "journal.trial_balance",
    "audit list": "audit_records.listed",
    "audit sequence": "audit_records.listed",
    "audit anchor": "audit_records.listed",
}
"""The route whose line binds a command that is given a token; what is not listed is the lead's alone."""

IMPORTS = {
    "clients": "clients.registered",
    "packages": "packages.adopted",
    "maintainers": "maintainers.added",
    "engagements": "engagements.drafted",
    "assignments": "assignments.made",
    "terms": "pay_terms.set_",
}
"""The route that makes one of what a file makes many of: whoever may not call it may not import them either."""


ONLY_READS = frozenset(
    command
    for command, endpoint in COMMANDS.items()
    if endpoint.partition(".")[2]
    in ("listed", "lines_listed", "shown", "previewed", "trial_balance", "file", "proved", "rails")
)
"""The commands that a token without the scope to write may give."""


def refuse_gaps(app: Flask) -> None:
    """Raises `InvariantBroken` if a route has no line in the table, or a line no route."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    for endpoint in sorted(routes - set(POLICY)):
        raise InvariantBroken(f"The route {endpoint} has no line in api.policy; say who may call it.")
    for endpoint in sorted(set(POLICY) - routes):
        raise InvariantBroken(f"The policy names {endpoint}, which is no route.")


def is_open(endpoint: str) -> bool:
    return POLICY.get(endpoint) == OPEN and endpoint in POLICY


def needs_no_token(endpoint: str) -> bool:
    """Whether a route asks nobody for a token: it is open, or its body is signed."""
    return is_open(endpoint) or POLICY.get(endpoint) == SIGNED


def refuse_command(admission: Admission, command: str, *, now: datetime) -> None:
    """Raises `Forbidden` unless the token may give the command, and `PresenceNeeded` for an approval without it.

    Maintainers and clients see only their own things, which the command line does not tell apart: they use the API.
    """
    endpoint = COMMANDS.get(command, "")
    role = admission.actor.role
    own = role in (Role.MAINTAINER, Role.CLIENT) and endpoint != "step_ups.proved"
    if own or not _permits(admission, endpoint, otherwise=LEAD):
        raise Forbidden(f"The role {role} may not run `chambers {command}`.")
    if endpoint in POLICY:
        refuse(admission, endpoint, writing=command not in ONLY_READS, now=now)
    elif "write" not in admission.scopes:
        raise Forbidden(f"This token's scopes do not allow `chambers {command}`.")


def refuse(admission: Admission, endpoint: str, *, writing: bool, now: datetime) -> None:
    """Raises `Forbidden` unless role and scopes allow the route, `PresenceNeeded` where presence must be proved."""
    role = admission.actor.role
    if not _permits(admission, endpoint):
        raise Forbidden(f"The role {role} may not do this.")
    resource = endpoint.partition(".")[0].replace("_", "-")
    if endpoint not in UNSCOPED and not scope_allows(admission.scopes, resource, writing=writing):
        raise Forbidden(f"This token's scopes do not allow this; it takes {'write' if writing else 'read'}:{resource}.")
    if writing and endpoint in NEEDS_PRESENCE:
        presence.refuse_absent(admission.proved_at, now=now)


def _permits(admission: Admission, endpoint: str, *, otherwise: frozenset[Role] = OPEN) -> bool:
    """Whether the role, or the permission to approve, allows a route."""
    permission = admission.may_approve and endpoint in APPROVALS
    return permission or admission.actor.role in POLICY.get(endpoint, otherwise)


def refuse_import(actor: Actor, kind: str) -> None:
    """Raises `Forbidden` unless the actor's role may make each thing of the kind one by one."""
    if actor.role not in POLICY[IMPORTS[kind]]:
        raise Forbidden(f"The role {actor.role} may not import {kind}.")
