"""Assigning maintainers to packages, and ending assignments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import EndsAlready, EndTooEarly, Invalid, Refused
from firm.ledger import periods
from firm.money import BASIS
from firm.month import Month
from firm.particulars import checked_words, outside_of_books
from firm.portfolio import operations as portfolio_operations
from firm.portfolio import queries as portfolio
from firm.portfolio.model import Package
from firm.profile import operations as profiles
from staffing.assignments import queries
from staffing.assignments.model import ROLES, Assignment
from staffing.assignments.rules import Funding, Span, busiest, obstacles
from staffing.maintainers import queries as maintainers
from staffing.maintainers.model import Maintainer


class InvalidAssignment(Invalid):
    """What no assignment can be."""


class PackageNotFunded(Refused):
    """The funding gate is shut; the lead may override it with a reason."""


class MoreThanWholeTime(Refused):
    """A person has one whole time."""


@dataclass(frozen=True, slots=True)
class Draft:
    """How somebody is to work on a package."""

    role: str
    share_bp: int
    from_on: date
    until_on: date | None = None
    paid: bool = True
    override_reason: str | None = None


@use_case
def assign(
    *,
    maintainer: str,
    package: str,
    role: str,
    share_bp: int,
    from_on: date,
    until_on: date | None = None,
    paid: bool = True,
    override_reason: str | None = None,
    by: Actor,
    now: datetime,
) -> Assignment:
    """Assign a maintainer to a package, both by id or name, for a share of time in basis points.

    Raises `InvalidAssignment`, `PackageNotFunded` unless a reason overrides the gate, and `MoreThanWholeTime`.
    """
    draft = Draft(role, share_bp, from_on, until_on, paid, override_reason)
    refuse_impossible(draft)
    with transaction() as session:
        person = maintainers.find(session, maintainer)
        target = portfolio.find(session, package)
        assignment = decide(
            person,
            target,
            draft,
            funding=lambda: queries.funding_of(session, target, Month.of(from_on)),
            taken=lambda: _paid_spans(session, person.id),
            now=now,
        )
        session.add(assignment)
        session.flush()
        if staffs(assignment, target):
            portfolio_operations.set_state(session, target.id, "staffed")
        audit.record(session, "assignment.made", assignment.id, facts_of(assignment), after=assignment, by=by, now=now)
    return assignment


def refuse_impossible(draft: Draft) -> None:
    """Raises `InvalidAssignment` for what no assignment can be."""
    if draft.role not in ROLES:
        sentence = f"{draft.role!r} is no role of an assignment; use one of {', '.join(ROLES)}."
        raise InvalidAssignment(sentence, field="role")
    if not 0 <= draft.share_bp <= BASIS:
        raise InvalidAssignment("A share of time lies between 0 and 100 %.", field="share_bp")
    if draft.paid and not draft.share_bp:
        sentence = "Paid work takes a share of time; give it, or make them a volunteer."
        raise InvalidAssignment(sentence, field="share_bp")
    if draft.override_reason is not None:
        ask = "Say why the gate is overridden: the reason stays on record."
        checked_words(draft.override_reason, ask, field="override_reason", most=500)
    for name in ("from_on", "until_on"):
        day = getattr(draft, name)
        if day is not None and (sentence := outside_of_books(day)):
            raise InvalidAssignment(sentence, field=name)
    if draft.until_on is not None and draft.until_on <= draft.from_on:
        raise InvalidAssignment("An assignment ends after it starts.", field="until_on")


def decide(
    person: Maintainer,
    target: Package,
    draft: Draft,
    *,
    funding: Callable[[], Funding],
    taken: Callable[[], Sequence[Span]],
    now: datetime,
) -> Assignment:
    """The assignment, in no session yet. Raises `PackageNotFunded`, `MoreThanWholeTime`.

    `funding` tells what the gate asks about the package, `taken` the person's paid spans; volunteers need neither.
    """
    if draft.paid:
        found = obstacles(funding(), subcontractor=person.works_as == "subcontractor")
        if found and not draft.override_reason:
            raise PackageNotFunded(" ".join(found) + " The lead may override this with a reason.")
        _refuse_overtime(taken(), draft)
    return Assignment(
        id=ids.new("asn"),
        maintainer_id=person.id,
        package_id=target.id,
        role=draft.role,
        share_bp=draft.share_bp,
        paid=draft.paid,
        from_on=draft.from_on,
        until_on=draft.until_on,
        override_reason=draft.override_reason,
        created_at=now,
    )


def staffs(assignment: Assignment, target: Package) -> bool:
    """Whether the assignment makes an adopted package a staffed one."""
    return assignment.paid and target.state == "adopted"


def facts_of(assignment: Assignment) -> dict[str, str | None]:
    """What the audit record of a new assignment says."""
    return {
        "maintainer": assignment.maintainer_id,
        "package": assignment.package_id,
        "role": assignment.role,
        "override": assignment.override_reason,
    }


@use_case
def end(assignment_id: str, *, on: date, by: Actor, now: datetime) -> Assignment:
    """End an assignment on the first day it no longer runs, not within a closed month.

    Raises `EndTooEarly`, `EndsAlready`.
    """
    with transaction() as session:
        assignment = queries.find(session, assignment_id)
        first_open = periods.earliest_open(session, first=profiles.current(session).first_month)
        if on <= assignment.from_on or on < first_open.first_day:
            raise EndTooEarly(f"End it after its start and not before {first_open.name}, the first open month.")
        if assignment.until_on is not None and on > assignment.until_on:
            raise EndsAlready(f"It ends on {assignment.until_on.isoformat()} already; make another one to go on.")
        before = digest(assignment)
        assignment.until_on = on
        session.flush()
        still_staffed = session.scalar(
            select(func.count())
            .select_from(Assignment)
            .where(
                Assignment.package_id == assignment.package_id,
                Assignment.paid,
                or_(Assignment.until_on.is_(None), Assignment.until_on > on),
            )
        )
        if not still_staffed:
            portfolio_operations.set_state(session, assignment.package_id, "adopted")
        facts = {"on": on.isoformat()}
        audit.record(session, "assignment.ended", assignment.id, facts, before=before, after=assignment, by=by, now=now)
    return assignment


def _paid_spans(session: Session, maintainer_id: str) -> list[Span]:
    # Two assignments of one person at the same moment: the second looks when the first is in the books.
    session.execute(select(Maintainer.id).where(Maintainer.id == maintainer_id).with_for_update())
    rows = session.execute(
        select(Assignment.from_on, Assignment.until_on, Assignment.share_bp).where(
            Assignment.maintainer_id == maintainer_id, Assignment.paid
        )
    )
    return [Span(row.from_on, row.until_on, row.share_bp) for row in rows]


def _refuse_overtime(spans: Sequence[Span], draft: Draft) -> None:
    new = Span(draft.from_on, draft.until_on, draft.share_bp)
    taken = busiest([span for span in spans if span.meets(new)], since=draft.from_on)
    if taken + draft.share_bp > BASIS:
        raise MoreThanWholeTime(
            f"{taken // 100} % of their time is assigned already; end or shorten an assignment first."
        )
