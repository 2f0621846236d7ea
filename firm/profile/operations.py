"""Establishing the firm and setting its switches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import Invalid, Refused
from firm.ledger import accounts, periods
from firm.money import Money
from firm.month import Month
from firm.particulars import checked_address, checked_bic, checked_email, checked_name, checked_vat_id
from firm.profile.model import MOST_COOLING_OFF_HOURS, Profile
from firm.secrets import SealedColumn, SecretKeys

_COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
SEALED = SealedColumn("profile", "iban_sealed", "profile.iban:1")
LONGEST_AGREEMENT = 60
TAX_FORMS = ("off", "on", "withhold")
"""Payees need no US tax form; need one; or are paid without one, less backup withholding."""


class AlreadyEstablished(Refused):
    """A database holds one firm."""


class NotEstablished(Refused):
    """The database holds no firm yet."""


AHEAD = timedelta(days=7)


class DayAhead(Invalid):
    """Money is entered when it has moved."""


class BeforeTheBooks(Refused):
    """The books begin with their first month."""


class InvalidProfile(Invalid):
    """A time zone, a color or a length of time that is none."""


@use_case
def establish(
    *,
    name: str,
    address: Sequence[str],
    email: str,
    currency: str,
    time_zone: str,
    first_month: Month,
    color: str = "#1f3a5f",
    by: Actor,
    now: datetime,
) -> Profile:
    """Set up the firm and its books. Raises `AlreadyEstablished`, `InvalidProfile`, `InvalidMoney`."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidProfile(
            f"{time_zone!r} is no time zone; use a name such as Europe/Berlin or America/New_York.", field="time_zone"
        ) from error
    if _COLOR.fullmatch(color) is None:
        raise InvalidProfile(f"{color!r} is no color; write it as #1f3a5f.", field="color")
    profile = Profile(
        id=1,
        name=checked_name(name),
        address=checked_address(address),
        email=checked_email(email) if email else "",
        color=color,
        currency=currency,
        time_zone=time_zone,
        first_month=first_month,
        sole_approval=False,
        established_at=now,
    )
    with transaction() as session:
        if session.get(Profile, 1) is not None:
            raise AlreadyEstablished("This database holds a firm already; use another database for another firm.")
        accounts.open_currency(session, currency)
        periods.open_month(session, first_month)
        session.add(profile)
        session.flush()
        facts = {"name": profile.name, "currency": currency, "time_zone": time_zone, "first_month": str(first_month)}
        audit.record(session, "firm.established", "firm", facts, after=profile, by=by, now=now)
    return profile


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be set; what is None stays as it is. `tax_forms` is one of `TAX_FORMS`, `iban` a checked one."""

    sole_approval: bool | None = None
    cooling_off_hours: int | None = None
    adjustment_limit: Money | None = None
    tax_forms: str | None = None
    vat_id: str | None = None
    self_billing_months: int | None = None
    iban: str | None = None
    bic: str | None = None


@use_case
def change(wanted: Settings, *, keys: SecretKeys, by: Actor, now: datetime) -> Profile:
    """Set all of it, or nothing where one is refused. Raises `InvalidProfile`, `InvalidVatId`, `InvalidBic`.

    Each setting leaves the record that its own operation leaves.
    """
    if wanted.bic is not None and wanted.iban is None:
        raise InvalidProfile("A BIC goes with its IBAN; give both.", field="bic")
    with transaction() as session:
        if wanted.sole_approval is not None:
            _switch_sole_approval(session, wanted.sole_approval, by=by, now=now)
        if wanted.cooling_off_hours is not None:
            _set_cooling_off(session, wanted.cooling_off_hours, by=by, now=now)
        if wanted.adjustment_limit is not None:
            _set_adjustment_limit(session, wanted.adjustment_limit, by=by, now=now)
        if wanted.tax_forms is not None:
            _switch_tax_forms(session, wanted.tax_forms, by=by, now=now)
        if wanted.vat_id is not None:
            _set_vat_id(session, wanted.vat_id, by=by, now=now)
        if wanted.self_billing_months is not None:
            _set_self_billing_months(session, wanted.self_billing_months, by=by, now=now)
        if wanted.iban is not None:
            _set_bank_account(session, wanted.iban, wanted.bic, keys=keys, by=by, now=now)
        return current(session)


@use_case
def switch_sole_approval(allowed: bool, *, by: Actor, now: datetime) -> None:
    """Let one person prepare and approve a run, or forbid it again. Always audited."""
    with transaction() as session:
        _switch_sole_approval(session, allowed, by=by, now=now)


@use_case
def set_cooling_off(hours: int, *, by: Actor, now: datetime) -> None:
    """Set for how long nobody is paid to a changed destination, from the next confirmation on. Always audited."""
    with transaction() as session:
        _set_cooling_off(session, hours, by=by, now=now)


@use_case
def set_adjustment_limit(limit: Money, *, by: Actor, now: datetime) -> None:
    """Say what others than the lead may adjust for one maintainer in one month. Raises `InvalidProfile`."""
    with transaction() as session:
        _set_adjustment_limit(session, limit, by=by, now=now)


@use_case
def switch_tax_forms(required: bool, *, withhold: bool = False, by: Actor, now: datetime) -> None:
    """Hold payees without a valid US tax form, or no longer: for payers of the United States. Always audited.

    With `withhold`, people of the United States among them are paid, less backup withholding from the next close on.
    """
    with transaction() as session:
        _switch_tax_forms(session, ("withhold" if withhold else "on") if required else "off", by=by, now=now)


@use_case
def set_vat_id(vat_id: str, *, by: Actor, now: datetime) -> Profile:
    """Keep the firm's own VAT id, as papers show it. Raises `InvalidVatId`."""
    with transaction() as session:
        return _set_vat_id(session, vat_id, by=by, now=now)


@use_case
def set_self_billing_months(months: int, *, by: Actor, now: datetime) -> None:
    """How long a self-billing agreement may run from now on. Raises `InvalidProfile`."""
    with transaction() as session:
        _set_self_billing_months(session, months, by=by, now=now)


@use_case
def set_bank_account(*, iban: str, bic: str | None, keys: SecretKeys, by: Actor, now: datetime) -> None:
    """Keep the account that SEPA files pay from, sealed. `iban` is checked by the caller's rail."""
    with transaction() as session:
        _set_bank_account(session, iban, bic, keys=keys, by=by, now=now)


def _switch_sole_approval(session: Session, allowed: bool, *, by: Actor, now: datetime) -> None:
    _change(session, "firm.sole-approval", {"allowed": allowed}, by=by, now=now, sole_approval=allowed)


def _set_cooling_off(session: Session, hours: int, *, by: Actor, now: datetime) -> None:
    if not 0 <= hours <= MOST_COOLING_OFF_HOURS:
        raise InvalidProfile(f"The cooling-off time is 0 to {MOST_COOLING_OFF_HOURS} hours.", field="cooling_off_hours")
    facts = {"hours": hours, "before": current(session).cooling_off_hours}
    _change(session, "firm.cooling-off", facts, by=by, now=now, cooling_off_hours=hours)


def _set_adjustment_limit(session: Session, limit: Money, *, by: Actor, now: datetime) -> None:
    currency = current(session).currency
    if limit.minor < 0 or limit.currency != currency:
        raise InvalidProfile(
            f"A limit is zero or more, in {currency}, the currency of the books.", field="adjustment_limit"
        )
    facts = {"limit_minor": limit.minor}
    _change(session, "firm.adjustment-limit", facts, by=by, now=now, adjustment_limit_minor=limit.minor)


def _switch_tax_forms(session: Session, switch: str, *, by: Actor, now: datetime) -> None:
    required, withhold = switch != "off", switch == "withhold"
    changes = {"tax_forms_required": required, "backup_withholding": withhold}
    _change(session, "firm.tax-forms", {"required": required, "withhold": withhold}, by=by, now=now, **changes)


def _set_vat_id(session: Session, vat_id: str, *, by: Actor, now: datetime) -> Profile:
    number = checked_vat_id(vat_id)
    return _change(session, "firm.vat-id", {"vat_id": number}, by=by, now=now, vat_id=number)


def _set_self_billing_months(session: Session, months: int, *, by: Actor, now: datetime) -> None:
    if not 1 <= months <= LONGEST_AGREEMENT:
        raise InvalidProfile(
            f"An agreement runs 1 to {LONGEST_AGREEMENT} months; {months} is not among them.",
            field="self_billing_months",
        )
    _change(session, "firm.self-billing-months", {"months": months}, by=by, now=now, self_billing_months=months)


def _set_bank_account(
    session: Session, iban: str, bic: str | None, *, keys: SecretKeys, by: Actor, now: datetime
) -> None:
    account = {
        "iban_sealed": keys.seal(iban, place=SEALED.place),
        "iban_last4": iban[-4:],
        "bic": bic and checked_bic(bic),
    }
    _change(session, "firm.bank-account-set", {"last4": iban[-4:]}, by=by, now=now, **account)


def refuse_before_books(profile: Profile, month: Month) -> None:
    """Raises `BeforeTheBooks`."""
    if month < profile.first_month:
        raise BeforeTheBooks(f"The books begin with {profile.first_month.name}; {month.name} lies before.")


def _change(
    session: Session, verb: str, facts: Mapping[str, object], *, by: Actor, now: datetime, **values: object
) -> Profile:
    profile = current(session)
    before = digest(profile)
    session.execute(update(Profile).values(**values))
    session.refresh(profile)
    audit.record(session, verb, "firm", facts, before=before, after=profile, by=by, now=now)
    return profile


def refuse_far_ahead(session: Session, on: date, now: datetime, *, field: str = "on") -> None:
    """Raises `DayAhead` for a bank's day that cannot be on a statement yet; days of value may lie a little ahead."""
    today = now.astimezone(current(session).zone).date()
    if on > today + AHEAD:
        raise DayAhead(
            f"{on.day} {on:%B %Y} is still to come; give the day that the bank's statement shows.", field=field
        )


def current(session: Session) -> Profile:
    """The firm. Raises `NotEstablished`."""
    profile = session.get(Profile, 1)
    if profile is None:
        raise NotEstablished("There is no firm in this database yet; run `chambers init` first.")
    # The session knows its rows by weak references; holding this one spares a month a dozen reads of it.
    session.info["profile"] = profile
    return profile
