"""Issuing and revoking tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.access.model import ApiToken
from firm.access.rules import digest, new_secret, well_formed
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.db import claim, transaction, use_case
from firm.errors import ChambersError, Invalid, NotFound, Refused


class TokenNameTaken(Refused):
    """Every token has a name of its own, because the audit log names people by it."""


class TokenNotFound(NotFound):
    """No live token has this name."""


class NotAuthenticated(ChambersError):
    """No token, or none that opens anything."""


class RoleNeedsSubject(Invalid):
    """A maintainer's or client's token must say whose data it may see; other roles have none."""


@use_case
def issue_token(
    *, name: str, role: Role, subject_id: str | None = None, by: Actor, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, which is shown this once. Raises `TokenNameTaken`."""
    if (role in (Role.MAINTAINER, Role.CLIENT)) != (subject_id is not None):
        raise RoleNeedsSubject(
            f"A token of role {role} {'needs' if subject_id is None else 'takes no'} maintainer or client."
        )
    secret = new_secret()
    token = ApiToken(
        id=ids.new("tok"),
        name=name,
        role=str(role),
        subject_id=subject_id,
        digest=digest(secret),
        created_at=now,
        created_by=by.name,
    )
    with transaction() as session:
        session.add(token)
        try:
            session.flush()
        except IntegrityError as error:
            raise TokenNameTaken(f"There is a token named {name!r}; choose another name.") from error
        audit.record(session, "token.issued", token.id, {"name": name, "role": str(role)}, by=by, now=now)
    return token, secret


@use_case
def revoke_token(name: str, *, by: Actor, now: datetime) -> None:
    """Revoke a token at once. Raises `TokenNotFound`."""
    with transaction() as session:
        live = update(ApiToken).where(ApiToken.name == name, ApiToken.revoked_at.is_(None))
        if not claim(session, live.values(revoked_at=now)):
            raise TokenNotFound(f"There is no live token named {name!r}.")
        audit.record(session, "token.revoked", name, {}, by=by, now=now)


def actor_of(session: Session, secret: str, *, request_id: str | None = None) -> Actor:
    """Who a secret belongs to. Raises `NotAuthenticated`, the same for every reason."""
    token = (
        session.scalar(select(ApiToken).where(ApiToken.digest == digest(secret), ApiToken.revoked_at.is_(None)))
        if well_formed(secret)
        else None
    )
    if token is None:
        raise NotAuthenticated("Send a valid token as `Authorization: Bearer chm_…`.")
    return Actor(token.name, Role(token.role), token.id, request_id, token.subject_id)
