"""What a 201 says of what it made: the address that shows it (Location), and its version there (ETag).

With both, a program goes on to change the thing without reading it first. Where a thing is changed by what is made
under it (`api.preconditions.CHANGES`), such as a client by a contact, both are of the thing that was changed.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, request, url_for

from api.showing import as_shown, id_in
from firm import envelope

BY_ID: dict[str, str] = {
    "adjustments.made": "adjustments.shown",
    "adjustments.reversed_": "adjustments.shown",
    "allocation_plans.made": "allocation_plans.shown",
    "assignments.made": "assignments.shown",
    "bank_files.received": "bank_files.shown",
    "bank_files.resolved": "bank_files.line_shown",
    "clients.registered": "clients.shown",
    "destinations.proposed": "destinations.shown",
    "engagements.drafted": "engagements.shown",
    "funded_work_reports.issued": "funded_work_reports.shown",
    "journal.reversed_": "journal.shown",
    "maintainers.added": "maintainers.shown",
    "on_ramps.letter_recorded": "on_ramps.letter_shown",
    "packages.adopted": "packages.shown",
    "pay_terms.set_": "pay_terms.shown",
    "payout_policies.laid_down": "payout_policies.shown",
    "payout_runs.drafted": "payout_runs.shown",
    "principals.enrolled": "principals.shown",
    "receipts.recorded": "receipts.shown",
    "remittance_advices.issued": "remittance_advices.shown",
    "self_billed_invoices.credited": "self_billed_invoices.shown",
    "self_billed_invoices.issued": "self_billed_invoices.shown",
    "self_billing_agreements.agreed": "self_billing_agreements.shown",
    "statements.corrected": "statements.shown",
    "tax_forms.recorded": "tax_forms.shown",
    "tiers.added": "tiers.shown",
    "tokens.issued": "tokens.shown",
    "tokens.issued_to": "tokens.shown",
    "tokens.rotated": "tokens.shown",
    "webhook_deliveries.replayed": "webhook_deliveries.shown",
    "webhook_endpoints.added": "webhook_endpoints.shown",
}
"""The routes that make a thing, and the route that shows it under the id that their answer gives."""

AT_ITS_ADDRESS: dict[str, str] = {
    "exchange_rates.set_": "exchange_rates.shown",
    "months.closed": "months.shown",
    "payment_proofs.added": "payment_proofs.shown",
    "principals.authenticator_set": "principals.shown",
    "provider_accounts.opened": "provider_accounts.shown",
    "provider_accounts.refreshed": "provider_accounts.shown",
}
"""The routes whose own address names what they make, and the route that shows it there."""

SHOWS = BY_ID | AT_ITS_ADDRESS

NOTHING_TO_SHOW: dict[str, str] = {
    "imports.taken_in": "It makes many things; its report names each, and is kept with the key.",
    "invoices.issued": "It makes many things; /v1/invoices lists them.",
    "provider_accounts.link_made": "The link is for this moment, and nobody is shown it again.",
    "step_ups.proved": "It opens approvals for the token in hand for a while, and is no thing.",
}
"""The other routes that answer 201, each with why it has no one thing to point at."""

ANSWERS_AS_SHOWN = frozenset(SHOWS) - {
    # The whole thing is shown with its parts, or with what only its own route works out.
    "clients.registered",
    "engagements.drafted",
    "maintainers.added",
    "payout_runs.drafted",
    # The answer holds a secret, which is shown this once.
    "principals.authenticator_set",
    "tokens.issued",
    "tokens.issued_to",
    "tokens.rotated",
    "webhook_endpoints.added",
}
"""The routes whose answer is byte for byte what the showing route answers: nothing is read again for its version."""


READ_AGAIN = frozenset(SHOWS) - ANSWERS_AS_SHOWN
"""The others, whose version is read when the work is done."""


def register(app: Flask) -> None:
    """After idempotency: both headers are part of the answer that is kept."""
    app.before_request(_wait)
    app.after_request(_point)


def _wait() -> None:
    """Hold the commit back where the version is read after it: it must not be that of somebody's who came between."""
    if request.method == "POST" and request.endpoint in READ_AGAIN and envelope.current() is None:
        envelope.put(envelope.Envelope(keeps_answer=True))


def _point(response: Response) -> Response:
    endpoint = request.endpoint or ""
    shown = SHOWS.get(endpoint)
    if shown is None or response.status_code != 201 or "Idempotent-Replayed" in response.headers:
        return response
    named = {_parameter(shown): id_in(response)} if endpoint in BY_ID else dict(request.view_args or {})
    if endpoint in ANSWERS_AS_SHOWN:
        response.add_etag()
    else:
        response.headers["ETag"] = as_shown(shown, named).headers["ETag"]
    response.headers["Location"] = url_for(shown, **named)
    return response


def _parameter(shown: str) -> str:
    """What the showing route calls the id in its address."""
    [rule] = current_app.url_map.iter_rules(shown)
    [name] = rule.arguments
    return name
