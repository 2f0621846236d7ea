"""Establishing the firm, and what everything asks of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.errors import Invalid, Refused
from firm.ledger import accounts, periods
from firm.month import Month
from firm.particulars import checked_address, checked_email, checked_name
from firm.profile.model import Profile

_COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


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
    profile = Profile(
        id=1,
        name=checked_name(name),
        address=checked_address(address),
        email=checked_email(email) if email else "",
        color=checked_color(color),
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


def checked_color(text: str) -> str:
    """The color of the firm's papers. Raises `InvalidProfile`."""
    if _COLOR.fullmatch(text) is None:
        raise InvalidProfile(f"{text!r} is no color; write it as #1f3a5f.", field="color")
    return text


def refuse_before_books(profile: Profile, month: Month) -> None:
    """Raises `BeforeTheBooks`."""
    if month < profile.first_month:
        raise BeforeTheBooks(f"The books begin with {profile.first_month.name}; {month.name} lies before.")


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
