"""If-Match: whoever changes a thing says which version of it they have seen.

A version is the ETag of the resource as its own route shows it to the caller. It is compared inside the first
transaction that writes, behind a lock on the resource, so that nobody changes it between the look and the change.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, json, request, url_for
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from api.showing import as_shown, id_in
from firm import envelope
from firm.errors import NotFound

CHANGES: dict[str, str] = {
    "firm.changed": "firm.show",
    "clients.changed": "clients.shown",
    "clients.contact_added": "clients.shown",
    "engagements.signed": "engagements.shown",
    "engagements.po_number_set": "engagements.shown",
    "engagements.interests_named": "engagements.shown",
    "engagements.interest_withdrawn": "engagements.shown",
    "engagements.ended": "engagements.shown",
    "maintainers.changed": "maintainers.shown",
    "maintainers.alias_added": "maintainers.shown",
    "packages.changed": "packages.shown",
    "destinations.proposed": "maintainers.shown",
    "destinations.confirmed": "destinations.shown",
    "destinations.rejected": "destinations.shown",
    "destinations.withdrawn": "destinations.shown",
    "notices.handed_over": "notices.shown",
    "pay_terms.corrected": "pay_terms.shown",
    "assignments.ended": "assignments.shown",
    "on_ramps.stage_entered": "on_ramps.shown",
    "on_ramps.letter_recorded": "on_ramps.shown",
    "on_ramps.letter_withdrawn": "on_ramps.letter_shown",
    "on_ramps.runway_recorded": "on_ramps.shown",
    "payout_runs.proposed": "payout_runs.shown",
    "payout_runs.approved": "payout_runs.shown",
    "payout_runs.reopened": "payout_runs.shown",
    "payout_runs.canceled": "payout_runs.shown",
    "payout_runs.released": "payout_runs.shown",
    "payouts.held": "payouts.shown",
    "payouts.resumed": "payouts.shown",
    "payouts.settled": "payouts.shown",
    "payouts.given_back": "payouts.shown",
    "payouts.withdrawn": "payouts.shown",
    "tax_forms.withdrawn": "tax_forms.shown",
    "self_billing_agreements.ended": "self_billing_agreements.shown",
    "principals.changed": "principals.shown",
    "reconciliation_differences.assigned": "reconciliation_differences.shown",
    "reconciliation_differences.resolved": "reconciliation_differences.shown",
    "webhook_endpoints.changed": "webhook_endpoints.shown",
    "webhook_endpoints.rotated": "webhook_endpoints.shown",
    "webhook_endpoints.removed": "webhook_endpoints.shown",
}
"""The routes that change one thing, and the route that shows it."""


PUTS: dict[str, str] = {"exchange_rates.set_": "exchange_rates.shown"}
"""The routes that make what is not there and change what is, and the route that shows it.

A thing that is there is changed under If-Match only; `If-None-Match: *` says that it must not be there.
"""


def register_requirement(app: Flask) -> None:
    """Before idempotency: a request without a version is malformed, also where a key has an answer already."""
    app.before_request(_require)


def register(app: Flask) -> None:
    """After idempotency: a replay's version may be old, and the new version is part of the answer that is kept."""
    app.before_request(_compare)
    app.after_request(_tag)


def _require() -> None:
    if request.endpoint in CHANGES and _shown() is not None:
        _refuse_unseen()


def _refuse_unseen() -> None:
    if "If-Match" not in request.headers:
        raise PreconditionRequired(
            "Send the ETag of what you have seen as If-Match; reading it again gives the newest."
        )


def _compare() -> None:
    shown = _shown()
    if shown is None:
        return
    # The commit waits for the answer: the version that goes with it must not be somebody's who came after.
    found = envelope.current() or envelope.Envelope(keeps_answer=True)
    refuse = _refuse_wrong_put if request.endpoint in PUTS else _refuse_stale
    found.conditions.append(lambda session: refuse(session, shown))
    envelope.put(found)


def _shown() -> str | None:
    """The route that shows what this request changes, if it changes a thing."""
    changing = request.method in ("POST", "PUT", "PATCH", "DELETE")
    endpoint = request.endpoint or ""
    return CHANGES.get(endpoint) or PUTS.get(endpoint) if changing else None


def _refuse_stale(session: Session, shown: str) -> None:
    current = _current(shown)
    if session.get_bind().dialect.name == "postgresql":
        # Two requests may name the same thing differently; its id is one. What was read before the lock may be old.
        thing = json.loads(current.get_data())
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:id))"), {"id": str(thing.get("id", request.path))})
        # Nothing is changed yet: what the session remembers of the first look is all that this forgets.
        session.expire_all()
        current = _current(shown)
    tag, _ = current.get_etag()
    _refuse_other(tag)


def _refuse_other(tag: str | None) -> None:
    if not request.if_match.contains(tag or ""):
        raise PreconditionFailed("Somebody changed this since you read it; read it again, and decide anew.")


def _refuse_wrong_put(session: Session, shown: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        # What is not there has no row that could be locked. The address names the thing in one way only.
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:id))"), {"id": request.path})
        session.expire_all()
    try:
        tag, _ = _current(shown).get_etag()
    except NotFound:
        if "If-Match" in request.headers:
            raise PreconditionFailed("There is nothing here to change; leave If-Match out to make it.") from None
        return
    if "If-None-Match" in request.headers and request.if_none_match.contains(tag or ""):
        raise PreconditionFailed("This is there already; read it, and send its ETag as If-Match to change it.")
    _refuse_unseen()
    _refuse_other(tag)


def _current(shown: str) -> Response:
    """The thing that is addressed, as its route shows it."""
    return as_shown(shown, request.view_args or {})


def _tag(response: Response) -> Response:
    shown = _shown()
    changed = response.status_code in (200, 201, 204) and "Idempotent-Replayed" not in response.headers
    # What is made under a thing and has an address of its own carries its own version (`api.creations`).
    if shown is None or not changed or request.method == "DELETE" or "ETag" in response.headers:
        return response
    current = as_shown(shown, _renamed(response) or request.view_args or {})
    successor = _successor(current, response)
    if successor:
        current = as_shown(shown, successor)
    response.headers["ETag"] = current.headers["ETag"]
    if response.status_code == 201:
        response.headers["Location"] = url_for(shown, **_by_id(current))
    return response


def _by_id(current: Response) -> dict[str, Any]:
    """What the address of a thing says of it: its id where it has one, which stays when a name changes."""
    identifier = id_in(current)
    return dict.fromkeys(request.view_args or {}, identifier) if identifier else dict(request.view_args or {})


def _successor(current: Response, response: Response) -> dict[str, str] | None:
    """What replaced the thing that was addressed, as a correction does: the version is that of what the answer shows.

    Where the answer is a thing of another kind, such as a contact of a client, the version is the addressed one's.
    """
    before, after = id_in(current), id_in(response)
    if before == after or before.partition("_")[0] != after.partition("_")[0]:
        return None
    return dict.fromkeys(request.view_args or {}, after)


def _renamed(response: Response) -> dict[str, str] | None:
    """What was patched is found by its id: the name that the request had for it may be another's now."""
    if request.method != "PATCH":
        return None
    identifier = id_in(response)
    return dict.fromkeys(request.view_args or {}, identifier) if identifier else None
