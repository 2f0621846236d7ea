"""Finding forms, and who is held for want of one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from firm.profile import operations as profiles
from payouts.tax_forms.model import TaxForm
from payouts.tax_forms.rules import obstacle
from staffing.maintainers.model import Maintainer

AHEAD = timedelta(days=30)
"""How long before its expiry a form is named to those who can ask for a new one."""


class TaxFormNotFound(NotFound):
    """No tax form has this id."""


def find(session: Session, form_id: str) -> TaxForm:
    """Raises `TaxFormNotFound`."""
    form = session.get(TaxForm, form_id)
    if form is None:
        raise TaxFormNotFound(f"There is no tax form {form_id!r}.")
    return form


def page(
    session: Session,
    part: Slice = WHOLE,
    *,
    maintainer_id: str | None = None,
    expires_by: date | None = None,
    state: str | None = None,
    on: date | None = None,
) -> list[TaxForm]:
    """Forms in the order of their ids; with `expires_by` the live ones that end by then, with `state` those in it `on`
    a day.
    """
    query = where_given(select(TaxForm), (TaxForm.maintainer_id, maintainer_id))
    if expires_by is not None:
        query = query.where(*_live(), TaxForm.expires_on <= expires_by)
    if state is not None and on is not None:
        query = query.where(*_is_in(state, on))
    return list(session.scalars(part.of(query, TaxForm.id)))


def live(session: Session, maintainer_id: str) -> TaxForm | None:
    """A person's form that is neither superseded nor withdrawn, expired or not."""
    return session.scalar(select(TaxForm).where(TaxForm.maintainer_id == maintainer_id, *_live()))


def expiring(session: Session, on: date) -> list[TaxForm]:
    """Live forms that have expired or will within 30 days, the most urgent first."""
    query = select(TaxForm).where(*_live(), TaxForm.expires_on <= on + AHEAD)
    return list(session.scalars(query.order_by(TaxForm.expires_on, TaxForm.id)))


def number_expiring(session: Session, on: date) -> int:
    query = select(func.count()).select_from(TaxForm).where(*_live(), TaxForm.expires_on <= on + AHEAD)
    return session.scalar(query) or 0


def gate(session: Session, maintainer_id: str, on: date) -> str:
    """Why a run holds this person on a day for want of a tax form; empty when there is no reason to."""
    # Their rows alone: a run asks this before each payment.
    return _held(session, on, maintainer_id).get(maintainer_id, "")


def gates(session: Session, maintainer_ids: Collection[str], on: date) -> dict[str, str]:
    """The same for many people in two reads; those who may be paid are not in it.

    A firm that withholds pays people of the United States without their form, less what `without_form` says.
    """
    wanted = set(maintainer_ids)
    return {key: why for key, why in _held(session, on).items() if key in wanted}


def without_form(session: Session, on: date) -> dict[str, str]:
    """Whom a firm that withholds pays less backup withholding, by maintainer id, and why (26 U.S.C. 3406)."""
    if not profiles.current(session).backup_withholding:
        return {}
    return {key: why for key, (country, why) in _missing(session, on).items() if country == "US"}


def _held(session: Session, on: date, maintainer_id: str | None = None) -> dict[str, str]:
    withholds = profiles.current(session).backup_withholding
    found = _missing(session, on, maintainer_id)
    return {key: why for key, (country, why) in found.items() if not (withholds and country == "US")}


def _missing(session: Session, on: date, maintainer_id: str | None = None) -> dict[str, tuple[str, str]]:
    """The country of each who has no valid form and needs one, and what is missing; of one person, or of all."""
    if not profiles.current(session).tax_forms_required:
        return {}
    live_forms, persons = (
        select(TaxForm).where(*_live()),
        select(Maintainer.id, Maintainer.country, Maintainer.works_as),
    )
    if maintainer_id is not None:
        live_forms = live_forms.where(TaxForm.maintainer_id == maintainer_id)
        persons = persons.where(Maintainer.id == maintainer_id)
    forms = {form.maintainer_id: form for form in session.scalars(live_forms)}
    people = session.execute(persons)
    found = {
        person.id: (
            person.country,
            obstacle(forms.get(person.id), country=person.country, works_as=person.works_as, on=on),
        )
        for person in people
    }
    return {key: (country, why) for key, (country, why) in found.items() if why}


def _is_in(state: str, on: date) -> tuple[ColumnElement[bool], ...]:
    """What `rules.state_of` says, as conditions."""
    if state == "withdrawn":
        return (TaxForm.withdrawn_at.is_not(None),)
    if state == "superseded":
        return TaxForm.withdrawn_at.is_(None), TaxForm.superseded_at.is_not(None)
    if state == "expired":
        return *_live(), TaxForm.expires_on < on
    return *_live(), or_(TaxForm.expires_on.is_(None), TaxForm.expires_on >= on)


def _live() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return TaxForm.superseded_at.is_(None), TaxForm.withdrawn_at.is_(None)
