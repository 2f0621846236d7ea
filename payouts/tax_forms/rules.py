"""What a form is worth on a day, and whether its person may be paid."""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from firm.errors import Invalid
from firm.month import Month
from payouts.tax_forms.law import FOREIGN_FORM_YEARS, in_force
from payouts.tax_forms.model import W8BEN, W8BEN_E, W9, TaxForm

UNITED_STATES = "US"
EMPLOYEE = "employee"
_FOREIGN_TIN = re.compile(r"[0-9A-Za-z./ -]{6,40}", re.ASCII)


class InvalidTin(Invalid):
    """No taxpayer number, or none that can be. The sentence never repeats it."""


def expires_on(kind: str, signed_on: date) -> date | None:
    """The last day on which a form may be relied on; a W-9 lasts until it is wrong."""
    if kind == W9:
        return None
    return date(signed_on.year + in_force(FOREIGN_FORM_YEARS, signed_on).value, 12, 31)


def state_of(form: TaxForm, on: date) -> str:
    """On file, expired, superseded or withdrawn; the day of expiry still counts."""
    if form.withdrawn_at is not None:
        return "withdrawn"
    if form.superseded_at is not None:
        return "superseded"
    return "expired" if is_expired(form, on) else "on file"


def is_expired(form: TaxForm, on: date) -> bool:
    return form.expires_on is not None and form.expires_on < on


def day_of(now: datetime, zone: ZoneInfo) -> date:
    """The day it is for the firm, by its own wall clock."""
    return now.astimezone(zone).date()


def accepted(country: str) -> tuple[str, ...]:
    """The forms that will do for somebody of a country, the usual one first. A US person abroad signs a W-9 too."""
    return (W9,) if country == UNITED_STATES else (W8BEN, W8BEN_E, W9)


def obstacle(form: TaxForm | None, *, country: str, works_as: str, on: date) -> str:
    """Why somebody is not paid for want of a form, as a run says it of them; empty when nothing is in the way.

    `form` is the one neither superseded nor withdrawn, if there is one.
    """
    if works_as == EMPLOYEE:
        return ""
    wanted = " or ".join(accepted(country)[:2])
    if form is None:
        return f"has no {wanted} on file; record one with `chambers tax-form record`"
    if form.kind not in accepted(country):
        return f"has a {form.kind} on file but needs a {wanted}; record one with `chambers tax-form record`"
    if form.expires_on is not None and is_expired(form, on):
        return f"has a {form.kind} that expired on {written(form.expires_on)}; ask for a new one and record it"
    return ""


def checked_tin(kind: str, text: str | None) -> str | None:
    """The taxpayer number as it is kept. A W-9 needs one of the United States; the others may have one of any country.

    Raises `InvalidTin`.
    """
    if text is None or not text.strip():
        if kind == W9:
            raise InvalidTin("A W-9 has a taxpayer number; give it.", field="tin")
        return None
    return _american(text) if kind == W9 else _foreign(text)


def last_characters(tin: str) -> str:
    """What may be shown of a number: four characters, or two of a short one."""
    return tin[-4:] if len(tin) >= 8 else tin[-2:]


def written(day: date) -> str:
    return f"{day.day} {Month.of(day).name}"


def _american(text: str) -> str:
    """A social security, individual or employer number: what a W-9 may carry."""
    from stdnum.us import ein, itin, ssn  # imported here: few commands look at a number

    for kind in (ssn, itin, ein):
        if kind.is_valid(text):
            return str(kind.compact(text))
    raise InvalidTin("That is no taxpayer number of the United States; check it against the form.", field="tin")


def _foreign(text: str) -> str:
    if _FOREIGN_TIN.fullmatch(text.strip()) is None:
        raise InvalidTin("A taxpayer number has 6 to 40 letters, digits, dots, slashes or hyphens.", field="tin")
    return "".join(text.split())
