"""Bearer tokens: issuing, rotating and revoking them, and finding out whose a secret is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Update, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.access import principals
from firm.access.model import ApiToken, Principal, token_use
from firm.access.rules import beyond, digest, new_secret, scopes_text, well_formed
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.audit.rules import digest as state_digest
from firm.columns import UtcMoment
from firm.db import AnyRow, claim, transaction, use_case
from firm.errors import ChambersError, Invalid, InvariantBroken, NotFound, Refused
from firm.listing import WHOLE, Slice, where_given

ALL_SCOPES = ("read", "write")
LONGEST = timedelta(days=366)
OVERLAP = timedelta(hours=24)
"""How long a rotated token still opens at most, so that a program can be given its new one."""


class TokenNotFound(NotFound):
    """No live token has this id, or belongs to this principal."""


class NotAuthenticated(ChambersError):
    """No token, or none that opens anything."""


class BeyondOwnScopes(ChambersError):
    """Nobody gives a token more than the token in hand allows."""


class PrincipalShutOut(Refused):
    """Whoever is shut out is given no token."""


class InvalidExpiry(Invalid):
    """A token ends, and not more than a year from now."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, whose it is, and its secret, which is shown this once."""

    token: ApiToken
    principal: Principal
    secret: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Who a secret let in, and what the token itself allows."""

    actor: Actor
    principal_id: str
    scopes: frozenset[str]
    may_approve: bool
    proved_at: datetime | None
    expires_at: datetime | None


_ADMITTED = (
    select(
        ApiToken.id,
        ApiToken.scopes,
        ApiToken.proved_at,
        ApiToken.expires_at,
        Principal.id.label("principal_id"),
        Principal.name,
        Principal.role,
        Principal.subject_id,
        Principal.may_approve,
    )
    .join(Principal, Principal.id == ApiToken.principal_id)
    .where(
        ApiToken.digest == bindparam("digest"),
        ApiToken.revoked_at.is_(None),
        ApiToken.expires_at.is_(None) | (ApiToken.expires_at > bindparam("now", type_=UtcMoment)),
        Principal.disabled_at.is_(None),
    )
)
"""Every request asks this: it is put together once."""

_WITH_USE = (
    select(ApiToken, Principal, token_use.c.last_used_at)
    .join(Principal, Principal.id == ApiToken.principal_id)
    .join(token_use, token_use.c.token_id == ApiToken.id, isouter=True)
)


@use_case
def issue(
    principal: str,
    *,
    label: str = "",
    scopes: Iterable[str] = ALL_SCOPES,
    expires_at: datetime | None,
    by: Actor,
    now: datetime,
) -> Issued:
    """Give a principal (by id or name) a token.

    Raises `PrincipalNotFound`, `PrincipalShutOut`, `InvalidScope`, `InvalidExpiry`, `BeyondOwnScopes`.
    """
    with transaction() as session:
        owner = principals.find(session, principal)
        if owner.disabled_at is not None:
            # It would open nothing today, and everything on the day that somebody lets them in again.
            raise PrincipalShutOut(f"{owner.name} is shut out; let them in again before they get a token.")
        return _issue(session, owner, label or owner.name, scopes_text(scopes), expires_at, by=by, now=now)


@use_case
def issue_token(
    *,
    name: str,
    role: Role,
    subject_id: str | None = None,
    kind: str = "person",
    scopes: Iterable[str] = ALL_SCOPES,
    expires_at: datetime | None = None,
    by: Actor,
    now: datetime,
) -> Issued:
    """Enroll a principal and give it its first token, at once. Raises as `enroll` and `issue` do."""
    with transaction() as session:
        owner = principals.add(
            session, name=name, role=role, kind=kind, subject_id=subject_id, may_approve=False, by=by, now=now
        )
        return _issue(session, owner, name, scopes_text(scopes), expires_at, by=by, now=now)


@use_case
def rotate(key: str, *, overlap: timedelta = timedelta(0), by: Actor, now: datetime) -> Issued:
    """Replace a live token by a new one of the same scopes and end; the old one opens for the overlap (0 to 24 h).

    It never opens beyond its own end. Raises `TokenNotFound`, `InvalidExpiry`, `BeyondOwnScopes`.
    """
    if not timedelta(0) <= overlap <= OVERLAP:
        raise InvalidExpiry("A rotated token may go on for at most 24 hours.", field="overlap_minutes")
    with transaction() as session:
        # Locked: of two rotations at once, each must record the state that it found.
        session.execute(select(ApiToken.id).where(ApiToken.id == key).with_for_update())
        old, owner = find(session, key, now=now)
        before = state_digest(old)
        last = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
        ended = {"expires_at": last} if overlap else {"revoked_at": now}
        if not claim(session, _live(old.id, now).values(**ended)):
            raise TokenNotFound(f"There is no live token {key!r}.")
        issued = _issue(session, owner, old.label, old.scopes, old.expires_at, by=by, now=now)
        facts = {"by": issued.token.id, "overlap_minutes": int(overlap.total_seconds() // 60)}
        session.refresh(old)
        audit.record(session, "token.rotated", old.id, facts, before=before, after=old, by=by, now=now)
        return issued


@use_case
def revoke_token(key: str, *, by: Actor, now: datetime) -> int:
    """Revoke a token by its id or else all live tokens of a principal by its name; says how many. `TokenNotFound`."""
    with transaction() as session:
        owned = select(Principal.id).where(Principal.name == key).scalar_subquery()
        live = select(ApiToken).where(*_opens(now)).order_by(ApiToken.id).with_for_update()
        found = session.scalars(live.where(ApiToken.id == key)).all()
        found = found or session.scalars(live.where(ApiToken.principal_id == owned)).all()
        if not found:
            raise TokenNotFound(f"There is no live token {key!r}, and nobody of this name has one.")
        for token in found:
            before = state_digest(token)
            claim(session, _live(token.id, now).values(revoked_at=now))
            session.refresh(token)
            audit.record(session, "token.revoked", token.id, {}, before=before, after=token, by=by, now=now)
        return len(found)


def admit(session: Session, secret: str, *, now: datetime, request_id: str | None = None) -> Admission:
    """Who a secret lets in. Raises `NotAuthenticated`, the same for every reason."""
    row = None
    if well_formed(secret):
        row = session.execute(_ADMITTED, {"digest": digest(secret), "now": now}).one_or_none()
    if row is None:
        raise NotAuthenticated("Send a valid token as `Authorization: Bearer chm_…`.")
    return Admission(
        actor=Actor(row.name, Role(row.role), row.id, request_id, row.subject_id),
        principal_id=row.principal_id,
        scopes=frozenset(row.scopes.split()),
        may_approve=row.may_approve,
        proved_at=row.proved_at,
        expires_at=row.expires_at,
    )


def find(session: Session, key: str, *, now: datetime) -> tuple[ApiToken, Principal]:
    """A live token by its id, with its principal. Raises `TokenNotFound`."""
    query = select(ApiToken, Principal).join(Principal, Principal.id == ApiToken.principal_id)
    row = session.execute(query.where(ApiToken.id == key, *_opens(now))).one_or_none()
    if row is None:
        raise TokenNotFound(f"There is no live token {key!r}.")
    return row.ApiToken, row.Principal


def find_any(session: Session, token_id: str) -> AnyRow:
    """A token, live or not, as `page` lists it. Raises `TokenNotFound`."""
    row = session.execute(_WITH_USE.where(ApiToken.id == token_id)).one_or_none()
    if row is None:
        raise TokenNotFound(f"There is no token {token_id!r}.")
    return row


def page(session: Session, part: Slice = WHOLE, *, principal_id: str | None = None) -> Sequence[AnyRow]:
    """Tokens, live and not, in the order of their ids, with their principals and when they were last used."""
    query = where_given(_WITH_USE, (ApiToken.principal_id, principal_id))
    return session.execute(part.of(query, ApiToken.id)).all()


def owners_of_live(session: Session, *, now: datetime) -> list[str]:
    """The names of those whose tokens open something."""
    query = select(Principal.name).join(ApiToken, ApiToken.principal_id == Principal.id).where(*_opens(now))
    return list(session.scalars(query.distinct().order_by(Principal.name)))


def ids_of(session: Session, principal_id: str) -> list[str]:
    """The ids of all tokens that a principal ever had."""
    return list(session.scalars(select(ApiToken.id).where(ApiToken.principal_id == principal_id)))


def _issue(
    session: Session,
    owner: Principal,
    label: str,
    scopes: str,
    expires_at: datetime | None,
    *,
    by: Actor,
    now: datetime,
) -> Issued:
    _refuse_beyond_own(session, scopes, by)
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        raise InvalidExpiry("A token's end lies ahead, and at most 366 days.", field="expires_at")
    secret = new_secret()
    token = ApiToken(
        id=ids.new("tok"),
        principal_id=owner.id,
        label=label,
        scopes=scopes,
        digest=digest(secret),
        created_at=now,
        created_by=by.name,
        expires_at=expires_at,
    )
    session.add(token)
    try:
        session.flush()
    except IntegrityError as error:
        raise InvariantBroken("Two tokens came out equal.") from error
    facts = {
        "principal": owner.name,
        "scopes": scopes,
        "expires_at": None if expires_at is None else expires_at.isoformat(),
    }
    audit.record(session, "token.issued", token.id, facts, after=token, by=by, now=now)
    return Issued(token, owner, secret)


def _refuse_beyond_own(session: Session, scopes: str, by: Actor) -> None:
    """Raises `BeyondOwnScopes` unless the token in hand allows all of it. Somebody at the shell holds none."""
    if by.token_id is None:
        return
    held = session.scalar(select(ApiToken.scopes).where(ApiToken.id == by.token_id)) or ""
    if excess := beyond(scopes.split(), held.split()):
        raise BeyondOwnScopes(
            f"The token in hand does not allow {', '.join(excess)} itself; give a token no more than it allows."
        )


def _opens(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ApiToken.revoked_at.is_(None),
        ApiToken.expires_at.is_(None) | (ApiToken.expires_at > now),
    )


def _live(identifier: str, now: datetime) -> Update:
    return update(ApiToken).where(ApiToken.id == identifier, *_opens(now))
