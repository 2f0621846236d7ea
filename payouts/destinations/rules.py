"""Pure parts of destinations: what may be proposed, from when it may be used, and which rails suit a payee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firm.errors import Invalid
from firm.particulars import checked_country
from payouts.destinations.accounts import InvalidIban, checked_bic, checked_iban
from payouts.rails.rail import Description, Rail

PROPOSAL_LASTS = timedelta(days=14)
"""How long a proposal waits for somebody to confirm it."""


class UnknownRail(Invalid):
    """The firm has no such way to pay."""


class AccountMissing(Invalid):
    """The rail pays into an account at its provider, and the payee has none."""


class CountryNotReached(Invalid):
    """The rail does not pay to this country, or the country is not the account's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody proposes, checked: `iban` is compact and in clear, and goes nowhere but into its seal."""

    rail: str
    country: str
    iban: str | None
    bic: str | None
    account: str | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rail of the firm, whether it can pay a payee, and why or why not."""

    rail: str
    title: str
    suits: bool
    reason: str


def checked(
    rail: str,
    *,
    iban: str | None,
    bic: str | None,
    country: str | None,
    account: str | None,
    home: str,
    rails: Mapping[str, Rail],
) -> Wanted:
    """A proposal that the rail could pay to. `home` is the country of a payee who has no IBAN and says no other.

    Raises `UnknownRail`, `InvalidIban`, `InvalidBic`, `AccountMissing`, `CountryNotReached`.
    """
    if rail not in rails:
        raise UnknownRail(f"{rail!r} is no rail of this firm; use one of {', '.join(sorted(rails))}.", field="rail")
    about = rails[rail].describe()
    if about.needs_iban and not iban:
        raise InvalidIban(f"The rail {rail} pays to an IBAN; give it.", field="iban")
    if about.needs_account and not account:
        raise AccountMissing(
            f"The rail {rail} pays into an account at its provider, and the payee has none yet; set it up first.",
            field="account",
        )
    number = checked_iban(iban) if iban else None
    place = _country(number, country, home)
    if not about.reaches(place):
        what = f"accounts in {place}" if number else place
        raise CountryNotReached(f"The rail {rail} does not pay to {what}; use another.", field="country")
    return Wanted(
        rail,
        place,
        number,
        checked_bic(bic, iban=number) if bic else None,
        account if about.needs_account else None,
    )


def usable_from(confirmed_at: datetime, *, first: bool, cooling_off: timedelta) -> datetime:
    """From when on a confirmed destination may be used: at once only when nothing can have been paid before."""
    return confirmed_at if first else confirmed_at + cooling_off


def suggest(
    rails: Mapping[str, Description], country: str, currency: str, has_iban: bool, has_account: bool
) -> list[Suggestion]:
    """Every rail with whether it suits a payee, and why: first those that do, and of those the manual one last."""
    found = [_judged(about, country, currency, has_iban, has_account) for about in rails.values()]
    return sorted(found, key=lambda one: (not one.suits, one.rail == "manual", one.rail))


def moment_text(moment: datetime) -> str:
    """A moment as a sentence has it: "3 November 2026, 09:00 UTC"."""
    here = moment.astimezone(UTC)
    return f"{here.day} {here:%B %Y, %H:%M} UTC"


def _country(iban: str | None, country: str | None, home: str) -> str:
    if iban is None:
        return checked_country(country or home)
    if country is not None and country != iban[:2]:
        raise CountryNotReached(
            f"The IBAN is of an account in {iban[:2]}, not in {country}; leave the country out.", field="country"
        )
    return iban[:2]


def _judged(about: Description, country: str, currency: str, has_iban: bool, has_account: bool) -> Suggestion:
    if not about.takes(currency):
        return _no(about, f"it does not pay {currency}")
    if about.needs_iban and not has_iban:
        # Before the country: until there is an IBAN it is where the payee lives, and the account may be elsewhere.
        return _no(about, "it pays to an IBAN, and the payee has given none")
    if not about.reaches(country):
        return _no(about, f"it does not reach {country}")
    if about.needs_account and not has_account:
        return _no(about, "it pays into an account at its provider, and the payee has none set up")
    return Suggestion(about.name, about.title, True, f"it pays {currency} to {country}{_into(about)}")


def _into(about: Description) -> str:
    if about.needs_account:
        return ", into the payee's account at the provider"
    return ", to the payee's IBAN" if about.needs_iban else ", by hand"


def _no(about: Description, reason: str) -> Suggestion:
    return Suggestion(about.name, about.title, False, reason)
