"""Who may come in: enrolling principals, changing what they may do, shutting them out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.access.model import Principal
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import Invalid, NotFound, NothingToChange, Refused
from firm.listing import WHOLE, Slice, where_given
from firm.particulars import checked_key

KINDS = ("person", "service")
MAY_BE_GIVEN_APPROVAL = frozenset({Role.LEAD, Role.ADMINISTRATOR, Role.APPROVER})
"""Others read, or see only their own: whoever decides about money is of the office."""

_OWN = (Role.MAINTAINER, Role.CLIENT)

_LEADS = select(Principal.id).where(Principal.role == str(Role.LEAD), Principal.disabled_at.is_(None))


class PrincipalNameTaken(Refused):
    """Every principal has a name of its own, because the audit log names people by it."""


class PrincipalNotFound(NotFound):
    """No principal has this name or id."""


class RoleNeedsSubject(Invalid):
    """A maintainer's or client's principal must say whose data it may see; other roles have none."""


class SubjectNeedsRole(Invalid):
    """Whose data a principal may see is said together with the role that sees only its own."""


class RoleMayNotApprove(Invalid):
    """The permission to approve is for leads, administrators and approvers."""


class LastLead(Refused):
    """A firm that nobody leads could not be led again."""


@use_case
def enroll(
    *,
    name: str,
    role: Role,
    kind: str = "person",
    subject_id: str | None = None,
    may_approve: bool = False,
    by: Actor,
    now: datetime,
) -> Principal:
    """Enroll a person or a service. Raises `PrincipalNameTaken`, `RoleNeedsSubject`, `RoleMayNotApprove`."""
    with transaction() as session:
        return add(
            session,
            name=name,
            role=role,
            kind=kind,
            subject_id=subject_id,
            may_approve=may_approve,
            by=by,
            now=now,
        )


@use_case
def change(
    key: str,
    *,
    role: Role | None = None,
    subject_id: str | None = None,
    may_approve: bool | None = None,
    disabled: bool | None = None,
    by: Actor,
    now: datetime,
) -> Principal:
    """Change what a principal may do, from its next request on. What is None stays as it is.

    A role that may not approve takes the permission away. Raises `PrincipalNotFound`, `RoleNeedsSubject`,
    `SubjectNeedsRole`, `RoleMayNotApprove`, `NothingToChange`, `LastLead`.
    """
    if subject_id is not None and role is None:
        raise SubjectNeedsRole("Name the role as well as its maintainer or client (subject_id).", field="subject_id")
    with transaction() as session:
        # First, and in one order: of two leads who demote each other, the second sees what the first has done.
        session.execute(_LEADS.order_by(Principal.id).with_for_update())
        principal = find(session, key, locked=True)
        before, digested = _facts(principal), digest(principal)
        if role is not None:
            _refuse_wrong_subject(role, subject_id)
            principal.role, principal.subject_id = str(role), subject_id
        if may_approve:
            _refuse_approval(Role(principal.role))
        if may_approve is not None or principal.role not in MAY_BE_GIVEN_APPROVAL:
            principal.may_approve = bool(may_approve)
        if disabled is not None:
            principal.disabled_at = (principal.disabled_at or now) if disabled else None
        if _facts(principal) == before:
            raise NothingToChange(f"{principal.name} is enrolled like this already; say what is different.")
        session.flush()
        _refuse_leaderless(session)
        facts = {"before": before, "after": _facts(principal)}
        audit.record(
            session, "principal.changed", principal.id, facts, before=digested, after=principal, by=by, now=now
        )
        return principal


def add(
    session: Session,
    *,
    name: str,
    role: Role,
    kind: str,
    subject_id: str | None,
    may_approve: bool,
    by: Actor,
    now: datetime,
) -> Principal:
    """The row of a new principal, within the caller's transaction."""
    name = checked_key(name, most=100)
    _refuse_wrong_subject(role, subject_id)
    if may_approve:
        _refuse_approval(role)
    principal = Principal(
        id=ids.new("pri"),
        name=name,
        kind=kind,
        role=str(role),
        subject_id=subject_id,
        may_approve=may_approve,
        created_at=now,
        created_by=by.name,
    )
    session.add(principal)
    try:
        session.flush()
    except IntegrityError as error:
        raise PrincipalNameTaken(
            f"There is a principal named {name!r}; choose another name, or give that one a further token."
        ) from error
    audit.record(
        session,
        "principal.enrolled",
        principal.id,
        {"name": name, **_facts(principal)},
        after=principal,
        by=by,
        now=now,
    )
    return principal


def find(session: Session, key: str, *, locked: bool = False) -> Principal:
    """A principal by id or name. Raises `PrincipalNotFound`."""
    query = select(Principal).where((Principal.id == key) | (Principal.name == key))
    # An id means its owner, also where somebody bears a name like it.
    query = query.order_by((Principal.id == key).desc(), Principal.id).limit(1)
    principal = session.scalar(query.with_for_update() if locked else query)
    if principal is None:
        raise PrincipalNotFound(f"There is no principal {key!r}; see `chambers principal list`.")
    return principal


def page(session: Session, part: Slice = WHOLE, *, role: str | None = None) -> Sequence[Principal]:
    """Principals of one role or of any, in the order of their ids."""
    return session.scalars(part.of(where_given(select(Principal), (Principal.role, role)), Principal.id)).all()


def _refuse_wrong_subject(role: Role, subject_id: str | None) -> None:
    if (role in _OWN) != (subject_id is not None):
        raise RoleNeedsSubject(
            f"A {role} {'needs the id of its' if role in _OWN else 'takes no'} maintainer or client (subject_id).",
            field="subject_id",
        )


def _refuse_approval(role: Role) -> None:
    if role not in MAY_BE_GIVEN_APPROVAL:
        raise RoleMayNotApprove(
            f"The permission to approve is for leads, administrators and approvers; the role {role} cannot have it.",
            field="may_approve",
        )


def _refuse_leaderless(session: Session) -> None:
    if session.scalar(_LEADS.limit(1)) is None:
        raise LastLead("This is the last lead; make somebody else the lead first.")


def _facts(principal: Principal) -> dict[str, Any]:
    return {
        "role": principal.role,
        "subject_id": principal.subject_id,
        "may_approve": principal.may_approve,
        "disabled": principal.disabled_at is not None,
    }
