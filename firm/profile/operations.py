"""Establishing the firm and setting its switches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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


@use_case
def switch_sole_approval(allowed: bool, *, by: Actor, now: datetime) -> None:
    """Let one person prepare and approve a run, or forbid it again. Always audited."""
    with transaction() as session:
        profile = current(session)
        before = digest(profile)
        session.execute(update(Profile).values(sole_approval=allowed))
        session.refresh(profile)
        facts = {"allowed": allowed}
        audit.record(session, "firm.sole-approval", "firm", facts, before=before, after=profile, by=by, now=now)


@use_case
def set_cooling_off(hours: int, *, by: Actor, now: datetime) -> None:
    """Set for how long nobody is paid to a changed destination, from the next confirmation on. Always audited."""
    if not 0 <= hours <= MOST_COOLING_OFF_HOURS:
        raise InvalidProfile(f"The cooling-off time is 0 to {MOST_COOLING_OFF_HOURS} hours.", field="hours")
    with transaction() as session:
        profile = current(session)
        before, was = digest(profile), profile.cooling_off_hours
        session.execute(update(Profile).values(cooling_off_hours=hours))
        session.refresh(profile)
        facts = {"hours": hours, "before": was}
        audit.record(session, "firm.cooling-off", "firm", facts, before=before, after=profile, by=by, now=now)


@use_case
def set_adjustment_limit(limit: Money, *, by: Actor, now: datetime) -> None:
    """Say what others than the lead may adjust for one maintainer in one month. Raises `InvalidProfile`."""
    with transaction() as session:
        profile = current(session)
        if limit.minor < 0 or limit.currency != profile.currency:
            raise InvalidProfile(f"A limit is zero or more, in {profile.currency}, the currency of the books.")
        before = digest(profile)
        session.execute(update(Profile).values(adjustment_limit_minor=limit.minor))
        session.refresh(profile)
        facts = {"limit_minor": limit.minor}
        audit.record(session, "firm.adjustment-limit", "firm", facts, before=before, after=profile, by=by, now=now)


@use_case
def switch_tax_forms(required: bool, *, withhold: bool = False, by: Actor, now: datetime) -> None:
    """Hold payees without a valid US tax form, or no longer: for payers of the United States. Always audited.

    With `withhold`, people of the United States among them are paid, less backup withholding from the next close on.
    """
    changes = {"tax_forms_required": required, "backup_withholding": required and withhold}
    with transaction() as session:
        facts = {"required": required, "withhold": changes["backup_withholding"]}
        _change(session, "firm.tax-forms", facts, by=by, now=now, **changes)


@use_case
def set_vat_id(vat_id: str, *, by: Actor, now: datetime) -> Profile:
    """Keep the firm's own VAT id, as papers show it. Raises `InvalidVatId`."""
    number = checked_vat_id(vat_id)
    with transaction() as session:
        return _change(session, "firm.vat-id", {"vat_id": number}, by=by, now=now, vat_id=number)


@use_case
def set_self_billing_months(months: int, *, by: Actor, now: datetime) -> None:
    """How long a self-billing agreement may run from now on. Raises `InvalidProfile`."""
    if not 1 <= months <= LONGEST_AGREEMENT:
        raise InvalidProfile(f"An agreement runs 1 to {LONGEST_AGREEMENT} months; {months} is not among them.")
    with transaction() as session:
        _change(session, "firm.self-billing-months", {"months": months}, by=by, now=now, self_billing_months=months)


@use_case
def set_bank_account(*, iban: str, bic: str | None, keys: SecretKeys, by: Actor, now: datetime) -> None:
    """Keep the account that SEPA files pay from, sealed. `iban` is checked by the caller's rail."""
    bic = bic and checked_bic(bic)
    with transaction() as session:
        profile = current(session)
        before = digest(profile)
        session.execute(
            update(Profile).values(iban_sealed=keys.seal(iban, place=SEALED.place), iban_last4=iban[-4:], bic=bic)
        )
        session.refresh(profile)
        facts = {"last4": iban[-4:]}
        audit.record(session, "firm.bank-account-set", "firm", facts, before=before, after=profile, by=by, now=now)


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
