"""Endpoints: adding, rotating secrets, enabling and disabling, removing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.errors import Invalid, NotFound, NothingToChange, Refused
from firm.listing import WHOLE, Slice
from firm.secrets import SealedColumn, SecretKeys
from firm.webhooks.catalogue import CATALOGUE
from firm.webhooks.model import WebhookEndpoint
from firm.webhooks.rules import OVERLAP, new_secret
from firm.webhooks.sender import Sender

_PLACE = "webhook_endpoint.secret:{id}"
SEALED = (
    SealedColumn("webhook_endpoint", "secret_sealed", _PLACE),
    SealedColumn("webhook_endpoint", "previous_sealed", _PLACE),
)
MOST = 20


class EndpointNotFound(NotFound):
    """No endpoint has this id."""


class TooManyEndpoints(Refused):
    """Each event goes to every endpoint that wants it."""


class RotatedMeanwhile(Refused):
    """Somebody else gave the endpoint another secret at the same moment."""


class UnknownEventType(Invalid):
    """The catalogue has no such type."""


def add(
    *,
    url: str,
    types: Iterable[str] = (),
    description: str = "",
    sender: Sender,
    keys: SecretKeys,
    by: Actor,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """Register an address and return it with its secret, shown this once; no types means all of them.

    Raises `AddressRefused`, `UnknownEventType`, `TooManyEndpoints`.
    """
    wanted = _known(types)
    sender.refuse(url)
    return _add(url, wanted, description, keys=keys, by=by, now=now)


@use_case
def _add(
    url: str, types: Sequence[str], description: str, *, keys: SecretKeys, by: Actor, now: datetime
) -> tuple[WebhookEndpoint, str]:
    secret = new_secret()
    with transaction() as session:
        identifier = ids.new("whe")
        endpoint = WebhookEndpoint(
            id=identifier,
            url=url,
            description=description,
            types="\n".join(types),
            state="enabled",
            secret_sealed=keys.seal(secret, place=_place(identifier)),
            created_at=now,
            created_by=by.name,
        )
        live = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.state != "removed")
        if (session.scalar(live) or 0) >= MOST:
            raise TooManyEndpoints(f"There are {MOST} endpoints already; remove one first.")
        session.add(endpoint)
        session.flush()
        # Not the address: its path or query may hold a password.
        facts = {"types": list(types)}
        audit.record(session, "webhook-endpoint.added", identifier, facts, after=endpoint, by=by, now=now)
    return endpoint, secret


@use_case
def rotate(key: str, *, keys: SecretKeys, by: Actor, now: datetime) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret, shown this once; for a day, messages are signed with the old one too.

    Raises `RotatedMeanwhile`.
    """
    secret = new_secret()
    with transaction() as session:
        endpoint = find(session, key)
        before = digest(endpoint)
        old = WebhookEndpoint.secret_sealed == endpoint.secret_sealed
        values = {
            "secret_sealed": keys.seal(secret, place=_place(endpoint.id)),
            "previous_sealed": endpoint.secret_sealed,
            "previous_until": now + OVERLAP,
        }
        if not claim(session, update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id, old).values(**values)):
            raise RotatedMeanwhile("Somebody else rotated this secret just now; read the endpoint again.")
        session.refresh(endpoint)
        audit.record(
            session, "webhook-endpoint.rotated", endpoint.id, {}, before=before, after=endpoint, by=by, now=now
        )
        return endpoint, secret


@use_case
def change(
    key: str,
    *,
    enabled: bool | None = None,
    types: Iterable[str] | None = None,
    description: str | None = None,
    by: Actor,
    now: datetime,
) -> WebhookEndpoint:
    """Change what an endpoint gets, from the next event on; what is None stays as it is.

    What happens while it is disabled is not kept for it. Raises `EndpointNotFound`, `UnknownEventType`,
    `NothingToChange`.
    """
    with transaction() as session:
        endpoint = find(session, key)
        found = before = digest(endpoint)
        if types is not None or description is not None:
            endpoint.types = endpoint.types if types is None else "\n".join(_known(types))
            endpoint.description = endpoint.description if description is None else description
            session.flush()
            facts = {"types": endpoint.wanted}
            audit.record(
                session, "webhook-endpoint.changed", endpoint.id, facts, before=before, after=endpoint, by=by, now=now
            )
            before = digest(endpoint)
        if enabled is False:
            turn_off(session, endpoint, "It was disabled by hand.", by=by, now=now)
        if enabled is True and _turn(session, endpoint, "disabled", "enabled", None):
            session.refresh(endpoint)
            audit.record(
                session, "webhook-endpoint.enabled", endpoint.id, {}, before=before, after=endpoint, by=by, now=now
            )
        if digest(endpoint) == found:
            raise NothingToChange("The endpoint is like this already; say what is different.")
        return endpoint


@use_case
def remove(key: str, *, by: Actor, now: datetime) -> None:
    """Remove an endpoint with its secrets; its log stays. Raises `EndpointNotFound`."""
    with transaction() as session:
        endpoint = find(session, key)
        gone = {"state": "removed", "secret_sealed": None, "previous_sealed": None, "previous_until": None}
        there = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id, WebhookEndpoint.state != "removed")
        before = digest(endpoint)
        if claim(session, there.values(**gone)):
            session.refresh(endpoint)
            audit.record(
                session, "webhook-endpoint.removed", endpoint.id, {}, before=before, after=endpoint, by=by, now=now
            )


def turn_off(session: Session, endpoint: WebhookEndpoint, reason: str, *, by: Actor, now: datetime) -> None:
    """Disable an endpoint that is enabled, with an audit record that says why."""
    before = digest(endpoint)
    if _turn(session, endpoint, "enabled", "disabled", reason):
        session.refresh(endpoint)
        facts = {"reason": reason}
        audit.record(
            session, "webhook-endpoint.disabled", endpoint.id, facts, before=before, after=endpoint, by=by, now=now
        )


def find(session: Session, key: str) -> WebhookEndpoint:
    """Raises `EndpointNotFound`; a removed endpoint is not there."""
    there = select(WebhookEndpoint).where(WebhookEndpoint.id == key, WebhookEndpoint.state != "removed")
    endpoint = session.scalars(there).one_or_none()
    if endpoint is None:
        raise EndpointNotFound(f"There is no webhook endpoint {key!r}.")
    return endpoint


def page(session: Session, part: Slice = WHOLE) -> Sequence[WebhookEndpoint]:
    """Endpoints that were not removed, in the order of their ids."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.state != "removed")
    return session.scalars(part.of(query, WebhookEndpoint.id)).all()


def secrets_of(endpoint: WebhookEndpoint, keys: SecretKeys, *, now: datetime) -> list[str]:
    """What messages are signed with now: the secret, and for a while the one before it."""
    found = [endpoint.secret_sealed]
    if endpoint.previous_until is not None and now < endpoint.previous_until:
        found.append(endpoint.previous_sealed)
    return [keys.open(sealed, place=_place(endpoint.id)) for sealed in found if sealed is not None]


def _turn(session: Session, endpoint: WebhookEndpoint, before: str, after: str, reason: str | None) -> bool:
    there = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id, WebhookEndpoint.state == before)
    turned = claim(session, there.values(state=after, reason=reason))
    session.refresh(endpoint)
    return turned


def _known(types: Iterable[str]) -> list[str]:
    wanted = sorted(set(types))
    for name in wanted:
        if name not in CATALOGUE:
            raise UnknownEventType(f"There is no event type {name!r}; docs/webhooks.md lists them.", field="types")
    return wanted


def _place(identifier: str) -> str:
    return _PLACE.format(id=identifier)
