"""Keeping differences: opened once, seen again, given an owner, resolved."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from firm import ids
from firm.access import principals
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.errors import Invalid, Refused
from firm.particulars import checked_words
from payouts.differences.model import ReconciliationDifference
from payouts.reconciliation import queries
from payouts.reconciliation.rules import Comparison, Finding

RECONCILER = Actor("reconciler", Role.SYSTEM)
"""Who resolves what is found no longer."""

OWNERS = (Role.LEAD, Role.ADMINISTRATOR)


class DifferenceResolved(Refused):
    """A difference that is resolved stays as it was resolved."""


class NotAnOwner(Invalid):
    """Only people who may resolve differences look after them."""


class Unexplained(Refused):
    """Differences that say of restored books that they do not know who was paid, and that nobody has explained."""


@use_case
def keep(comparisons: Iterable[Comparison], *, now: datetime) -> list[ReconciliationDifference]:
    """Keep what comparisons found, and resolve what they no longer found. Returns all that is open then."""
    with transaction() as session:
        for comparison in comparisons:
            for finding in comparison.findings:
                _see(session, finding, now)
            found = {(one.kind, one.subject) for one in comparison.findings}
            for gone in _open_of(session, comparison.rail, comparison.kinds):
                if (gone.kind, gone.subject) not in found:
                    _resolve(session, gone, "It was found no longer.", by=RECONCILER, now=now)
        return queries.all_open(session)


@use_case
def add(findings: Iterable[Finding], *, now: datetime) -> None:
    """Keep what was found by a look at one thing, and resolve nothing: the rest was not looked at."""
    with transaction() as session:
        for finding in findings:
            _see(session, finding, now)


@use_case
def assign(key: str, *, owner: str, by: Actor, now: datetime) -> ReconciliationDifference:
    """Say who looks after a difference. Raises `DifferenceNotFound`, `DifferenceResolved`, `NotAnOwner`."""
    with transaction() as session:
        difference = queries.find(session, key, locked=True)
        _refuse_resolved(difference)
        principal = principals.find(session, owner)
        if principal.disabled_at is not None or principal.role not in {str(role) for role in OWNERS}:
            raise NotAnOwner("Only a lead or an administrator looks after a difference.", field="owner")
        before = digest(difference)
        difference.owner = principal.name
        facts = {"owner": principal.name}
        audit.record(session, "difference.assigned", key, facts, before=before, after=difference, by=by, now=now)
        return difference


@use_case
def resolve(key: str, *, note: str, by: Actor, now: datetime) -> ReconciliationDifference:
    """Explain a difference. It comes back only when one of its sides changes. Raises `DifferenceResolved`."""
    note = checked_words(note, "Say how it was resolved: the note stays on record.", field="note", most=500)
    with transaction() as session:
        difference = queries.find(session, key, locked=True)
        _refuse_resolved(difference)
        _resolve(session, difference, note, by=by, now=now)
        return difference


def refuse_unexplained(session: Session) -> None:
    """Raises `Unexplained` while something differs that makes restored books pay what was paid already."""
    found = queries.unexplained(session)
    if found:
        named = ", ".join(f"{one.id} ({one.kind}, {one.subject})" for one in found[:5])
        more = "" if len(found) <= 5 else f" and {len(found) - 5} more"
        raise Unexplained(
            "These books do not know of everything that was paid, and send nothing before somebody has looked at each:"
            f" {named}{more}. Enter or take back what was paid, close each with `chambers difference resolve`, and say"
            " then that the books agree."
        )


def _see(session: Session, finding: Finding, now: datetime) -> None:
    """The finding's row, new or known; none while a person's explanation of exactly this holds."""
    same = (
        ReconciliationDifference.rail == finding.rail,
        ReconciliationDifference.kind == finding.kind,
        ReconciliationDifference.subject == finding.subject,
    )
    sides = {"what": finding.what[:500], "our_side": finding.our_side[:200], "their_side": finding.their_side[:200]}
    newest = select(ReconciliationDifference).where(*same).order_by(ReconciliationDifference.id.desc()).limit(1)
    known = session.scalar(newest)
    if known is not None and known.resolved_at is None:
        session.execute(
            update(ReconciliationDifference)
            .where(ReconciliationDifference.id == known.id, ReconciliationDifference.resolved_at.is_(None))
            .values(**sides, seen_at=max(now, known.seen_at))
        )
        return
    if known is None or not _still_explained(known, sides):
        _open(session, finding, sides, now)


def _still_explained(known: ReconciliationDifference, sides: dict[str, str]) -> bool:
    by_a_person = known.resolved_by != RECONCILER.name
    return by_a_person and (known.our_side, known.their_side) == (sides["our_side"], sides["their_side"])


def _open(session: Session, finding: Finding, sides: dict[str, str], now: datetime) -> None:
    row = sides | {"rail": finding.rail, "kind": finding.kind, "subject": finding.subject[:255]}
    new = ReconciliationDifference(id=ids.new("rcd"), **row, opened_at=now, seen_at=now)
    if session.get_bind().dialect.name == "postgresql":
        # Two comparisons at once: one opens it, and the other has seen it too.
        values = {column.key: getattr(new, column.key) for column in ReconciliationDifference.__table__.columns}
        insert = postgresql.insert(ReconciliationDifference).values(**values).on_conflict_do_nothing()
        if session.scalar(insert.returning(ReconciliationDifference.id)) is None:
            return
    else:
        session.add(new)
        session.flush()
    facts = {"rail": new.rail, "kind": new.kind, "subject": new.subject}
    opened = queries.find(session, new.id)
    audit.record(session, "difference.opened", new.id, facts, after=opened, by=RECONCILER, now=now)


def _open_of(session: Session, rail: str, kinds: Collection[str]) -> list[ReconciliationDifference]:
    query = select(ReconciliationDifference).where(
        ReconciliationDifference.rail == rail,
        ReconciliationDifference.kind.in_(sorted(kinds)),
        ReconciliationDifference.resolved_at.is_(None),
    )
    return list(session.scalars(query.order_by(ReconciliationDifference.id)))


def _resolve(session: Session, difference: ReconciliationDifference, note: str, *, by: Actor, now: datetime) -> None:
    before = digest(difference)
    still_open = update(ReconciliationDifference).where(
        ReconciliationDifference.id == difference.id, ReconciliationDifference.resolved_at.is_(None)
    )
    if claim(session, still_open.values(resolved_at=now, resolved_by=by.name, note=note)):
        session.refresh(difference)
        facts = {"note": note}
        audit.record(
            session, "difference.resolved", difference.id, facts, before=before, after=difference, by=by, now=now
        )


def _refuse_resolved(difference: ReconciliationDifference) -> None:
    if difference.resolved_at is not None:
        raise DifferenceResolved(
            f"{difference.resolved_by} resolved this on {difference.resolved_at:%Y-%m-%d}; it is opened again by "
            "itself when either side changes."
        )
