"""Entering stages, letters and runway plans."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.errors import Invalid, Refused
from firm.money import Money
from firm.particulars import checked_name, checked_words
from firm.profile import operations as profiles
from staffing.maintainers import queries as maintainers
from staffing.onramp import queries
from staffing.onramp.model import STAGES, OnrampStage, PrecommitmentLetter, RunwayPlan


class UnknownStage(Invalid):
    """A stage that the on-ramp does not have."""


class StageAhead(Invalid):
    """A stage is entered when it is reached."""


class LetterWithdrawn(Refused):
    """A letter is withdrawn once."""


class InvalidLetter(Invalid):
    """A promise that no pre-commitment letter makes."""


class InvalidRunway(Invalid):
    """A runway plan of no length that is planned for."""


class StageOutOfOrder(Refused):
    """Stages follow one another."""


class NotReady(Refused):
    """Something on the readiness list is not met."""


@use_case
def enter_stage(maintainer: str, stage: str, *, on: date, note: str = "", by: Actor, now: datetime) -> OnrampStage:
    """Enter the next stage on a day. Raises `UnknownStage`, `StageAhead`, `StageOutOfOrder`, `NotReady`."""
    if stage not in STAGES:
        raise UnknownStage(f"{stage!r} is no stage of the on-ramp; use one of {', '.join(STAGES)}.", field="stage")
    with transaction() as session:
        _refuse_ahead(session, on, now, StageAhead, "enter the stage when it is reached")
        person = maintainers.find(session, maintainer)
        so_far = queries.onramp(session, person.id, on=date.max)
        reached = STAGES.index(so_far.stage) if so_far.stage else -1
        if STAGES.index(stage) <= reached:
            raise StageOutOfOrder(f"{person.name} is {so_far.stage} already; stages only go forward.")
        if so_far.stages and on < so_far.stages[-1].entered_on:
            raise StageOutOfOrder(f"{person.name} became {so_far.stage} later than that day.")
        lacking = [c.explanation for c in queries.onramp(session, person.id, on=on).criteria if not c.met]
        if stage in ("ready", "spun-off") and lacking:
            raise NotReady(f"{person.name} is not ready: {' '.join(lacking)}")
        row = OnrampStage(id=ids.new("stg"), maintainer_id=person.id, stage=stage, entered_on=on, note=note)
        session.add(row)
        audit.record(session, "onramp.stage-entered", person.id, {"stage": stage}, after=row, by=by, now=now)
    return row


@use_case
def record_letter(
    maintainer: str,
    *,
    company: str,
    amount: Money,
    term_months: int,
    signed_on: date,
    expires_on: date,
    condition: str = "",
    by: Actor,
    now: datetime,
) -> PrecommitmentLetter:
    """Record a signed pre-commitment letter: `amount` a month for `term_months`. Raises `InvalidLetter`."""
    if amount.minor <= 0:
        raise InvalidLetter("A letter promises an amount above zero a month.", field="amount")
    if not 1 <= term_months <= 120:
        raise InvalidLetter("A letter promises it for 1 to 120 months.", field="term_months")
    if expires_on <= signed_on:
        raise InvalidLetter("A letter expires after its signature.", field="expires_on")
    company = checked_name(company, field="company")
    with transaction() as session:
        letter = PrecommitmentLetter(
            id=ids.new("ltr"),
            maintainer_id=maintainers.find(session, maintainer).id,
            company=company,
            amount_minor=amount.minor,
            currency=amount.currency,
            term_months=term_months,
            condition=condition,
            signed_on=signed_on,
            expires_on=expires_on,
        )
        session.add(letter)
        audit.record(session, "onramp.letter-recorded", letter.id, {"company": company}, after=letter, by=by, now=now)
    return letter


@use_case
def withdraw_letter(letter_id: str, *, on: date, by: Actor, now: datetime) -> PrecommitmentLetter:
    """Record that a company withdrew its letter; from that day on it does not count.

    Raises `LetterNotFound`, `LetterWithdrawn`, `InvalidLetter`.
    """
    with transaction() as session:
        letter = queries.find_letter(session, letter_id)
        before = digest(letter)
        if on < letter.signed_on:
            raise InvalidLetter(
                f"The letter was signed on {letter.signed_on.isoformat()}; it is withdrawn after that.", field="on"
            )
        _refuse_ahead(session, on, now, InvalidLetter, "enter a withdrawal when it is made")
        in_force = update(PrecommitmentLetter).where(
            PrecommitmentLetter.id == letter_id, PrecommitmentLetter.withdrawn_on.is_(None)
        )
        if not claim(session, in_force.values(withdrawn_on=on)):
            raise LetterWithdrawn(f"{letter.company} has withdrawn that letter already; it counts no more.")
        session.refresh(letter)
        facts = {"on": on.isoformat()}
        audit.record(session, "onramp.letter-withdrawn", letter_id, facts, before=before, after=letter, by=by, now=now)
        return letter


@use_case
def record_runway(maintainer: str, *, months_covered: int, text: str, by: Actor, now: datetime) -> RunwayPlan:
    """Record how the junior lives until the new firm earns; the latest plan counts. Raises `InvalidRunway`."""
    if not 0 <= months_covered <= 60:
        raise InvalidRunway("A runway plan covers between 0 and 60 months.", field="months_covered")
    text = checked_words(text, "Write the plan: how they live until the new firm earns.", field="text", most=10_000)
    with transaction() as session:
        plan = RunwayPlan(
            id=ids.new("rwy"),
            maintainer_id=maintainers.find(session, maintainer).id,
            months_covered=months_covered,
            text=text,
            recorded_at=now,
        )
        session.add(plan)
        audit.record(session, "onramp.runway-recorded", plan.id, {"months": months_covered}, after=plan, by=by, now=now)
    return plan


def _refuse_ahead(session: Session, on: date, now: datetime, refusal: type[Invalid], advice: str) -> None:
    """A day still to come would be on record and nowhere to be seen until it is there."""
    if on > now.astimezone(profiles.current(session).zone).date():
        raise refusal(f"{on.isoformat()} is still to come; {advice}.", field="on")
