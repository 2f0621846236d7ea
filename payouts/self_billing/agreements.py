"""Making and ending agreements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.errors import Refused
from firm.particulars import checked_name, checked_vat_id, checked_words
from firm.profile import operations as profiles
from payouts.self_billing import queries
from payouts.self_billing.model import PARTIES, SelfBillingAgreement
from payouts.self_billing.rules import (
    InvalidAgreement,
    Vat,
    checked_series,
    checked_vat,
    latest_end,
    reverse_charge_obstacle,
    written,
)
from staffing.maintainers import queries as maintainers
from staffing.maintainers.model import Maintainer


class AgreementsOverlap(Refused):
    """A supplier has one agreement at a time."""


class AgreementTooLong(Refused):
    """The firm's setting bounds how long consent lasts."""


class AgreementEnded(Refused):
    """An agreement ends once."""


class InvoicedSince(Refused):
    """An end may not lie before what was issued under the agreement."""


@use_case
def agree(
    maintainer: str,
    *,
    consented_on: date,
    from_on: date,
    until_on: date | None = None,
    series: str,
    vat: Vat,
    supplier_vat_id: str | None = None,
    supplier_name: str | None = None,
    supplier_address: Sequence[str] = (),
    by: Actor,
    now: datetime,
) -> SelfBillingAgreement:
    """Record a supplier's consent, by default for as long as the firm's setting allows.

    Raises `InvalidAgreement`, `InvalidVatId`, `AgreementsOverlap`, `AgreementTooLong`.
    """
    vat_id = checked_vat_id(supplier_vat_id) if supplier_vat_id else None
    name = None if supplier_name is None else checked_name(supplier_name, field="supplier_name")
    checked_vat(vat, supplier_vat_id=vat_id)
    with transaction() as session:
        profile = profiles.current(session)
        person = lock_supplier(session, maintainer)
        today = now.astimezone(profile.zone).date()
        end = _checked_end(consented_on, from_on, until_on, today=today, months=profile.self_billing_months)
        _refuse_overlap(session, person, from_on, end)
        _refuse_same_country(vat, vat_id, profile.vat_id)
        made = SelfBillingAgreement(
            id=ids.new("sba"),
            maintainer_id=person.id,
            consented_on=consented_on,
            from_on=from_on,
            until_on=end,
            supplier_name=name or person.name,
            supplier_address="\n".join(_checked_address(supplier_address, person)),
            supplier_vat_id=vat_id,
            series=checked_series(series),
            treatment=vat.treatment,
            rate_bp=vat.rate_bp,
            exemption=vat.exemption,
            recorded_at=now,
            recorded_by=by.name,
        )
        session.add(made)
        facts = {"maintainer": person.id, "from_on": from_on.isoformat(), "until_on": end.isoformat()}
        audit.record(session, "self-billing.agreed", made.id, facts, after=made, by=by, now=now)
        return made


@use_case
def end(
    agreement_id: str, *, ended_by: str, reason: str, on: date | None = None, by: Actor, now: datetime
) -> SelfBillingAgreement:
    """End an agreement early, from today on or from another day; `ended_by` is "firm" or "supplier".

    Raises `AgreementEnded`, `InvoicedSince`, `InvalidAgreement`.
    """
    if ended_by not in PARTIES:
        raise InvalidAgreement("An agreement is ended by the firm or by the supplier.", field="ended_by")
    reason = checked_words(reason, "Say why it ends: the reason stays on record.", field="reason", most=400)
    with transaction() as session:
        found = queries.agreement(session, agreement_id)
        lock_supplier(session, found.maintainer_id)
        session.refresh(found)
        before = digest(found)
        day = on or max(now.astimezone(profiles.current(session).zone).date(), found.from_on)
        _refuse_end(session, found, day)
        running = update(SelfBillingAgreement).where(
            SelfBillingAgreement.id == found.id, SelfBillingAgreement.ended_on.is_(None)
        )
        if not claim(session, running.values(ended_on=day, ended_by=ended_by, end_reason=reason)):
            raise AgreementEnded("That agreement was ended already.")
        session.refresh(found)
        facts = {"maintainer": found.maintainer_id, "ended_on": day.isoformat(), "ended_by": ended_by}
        audit.record(session, "self-billing.ended", found.id, facts, before=before, after=found, by=by, now=now)
        return found


def lock_supplier(session: Session, key: str) -> Maintainer:
    """The maintainer, held until the commit: agreements and numbers of one supplier are made one after the other."""
    person = maintainers.find(session, key)
    session.execute(select(Maintainer.id).where(Maintainer.id == person.id).with_for_update(key_share=True))
    return person


def _checked_end(consented_on: date, from_on: date, until_on: date | None, *, today: date, months: int) -> date:
    latest = latest_end(from_on, months)
    end = until_on or latest
    _refuse_days(consented_on, from_on, end, today=today)
    _refuse_too_long(end, latest, months)
    return end


def _refuse_days(consented_on: date, from_on: date, end: date, *, today: date) -> None:
    if consented_on > today:
        raise InvalidAgreement("Consent is recorded when it has been given.", field="consented_on")
    if from_on < consented_on:
        raise InvalidAgreement("An agreement begins on the day of consent or later.", field="from_on")
    if end <= from_on:
        raise InvalidAgreement("An agreement ends after it begins.", field="until_on")


def _refuse_too_long(end: date, latest: date, months: int) -> None:
    if end > latest:
        raise AgreementTooLong(
            f"This firm's agreements run {months} months at most; end this one by {written(latest)} and renew it then."
        )


def _refuse_overlap(session: Session, person: Maintainer, from_on: date, end: date) -> None:
    other = queries.overlapping(session, person.id, from_on, end)
    if other is not None:
        raise AgreementsOverlap(
            f"{person.name} has an agreement from {written(other.from_on)} until {written(other.end)};"
            " end it first, or begin this one then."
        )


def _refuse_same_country(vat: Vat, supplier: str | None, customer: str | None) -> None:
    if not supplier or not customer:
        return
    sentence = reverse_charge_obstacle(vat.treatment, supplier=supplier, customer=customer)
    if sentence:
        raise InvalidAgreement(sentence, field="treatment")


def _checked_address(given: Sequence[str], person: Maintainer) -> list[str]:
    address = list(given) or person.address.splitlines()
    if not address:
        raise InvalidAgreement("An invoice names its supplier's address; give it.", field="supplier_address")
    return address


def _refuse_end(session: Session, found: SelfBillingAgreement, day: date) -> None:
    if found.ended_on is not None:
        raise AgreementEnded(f"That agreement was ended on {written(found.ended_on)} already.")
    if not found.from_on <= day <= found.until_on:
        raise InvalidAgreement(
            f"It runs from {written(found.from_on)} until {written(found.until_on)}; end it within that.", field="on"
        )
    issued_on = queries.last_issued_on(session, found.id)
    if issued_on is not None and day <= issued_on:
        raise InvoicedSince(
            f"An invoice was issued under it on {written(issued_on)}; end it from the day after, or later."
        )
