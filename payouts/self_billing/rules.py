"""Self-billing in its plainest form: days, series, and what VAT a treatment adds."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from firm.errors import Invalid
from firm.money import BASIS, Money
from firm.month import Month
from payouts.self_billing.model import DOMESTIC, REVERSE_CHARGE, SMALL_BUSINESS, TREATMENTS

_SERIES = re.compile(r"(?:[A-Z0-9]{1,10}-){1,2}", re.ASCII)


class InvalidAgreement(Invalid):
    """Something in an agreement that cannot be."""


@dataclass(frozen=True, slots=True)
class Vat:
    """How VAT is treated: `rate_bp` with a domestic rate, `exemption` in the words a small business must use."""

    treatment: str
    rate_bp: int | None = None
    exemption: str | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """Net, VAT and gross; gross is always the sum of the other two."""

    net: Money
    vat: Money

    @property
    def gross(self) -> Money:
        return self.net + self.vat


def sums(net: Money, vat: Vat) -> Sums:
    """VAT on the whole net sum, to the nearest minor unit and halves up: 0.005 is one cent. No treatment but the
    domestic one adds any."""
    return Sums(net, Money.zero(net.currency) if vat.rate_bp is None else net.portion(vat.rate_bp))


def checked_vat(vat: Vat, *, supplier_vat_id: str | None) -> Vat:
    """Raises `InvalidAgreement` for a treatment without what it needs, or with what it has no use for."""
    if vat.treatment not in TREATMENTS:
        raise InvalidAgreement(f"VAT is treated as one of {', '.join(TREATMENTS)}.", field="treatment")
    if (vat.treatment == DOMESTIC) != (vat.rate_bp is not None):
        raise InvalidAgreement("A rate of VAT goes with the domestic treatment, and only with it.", field="rate_bp")
    if vat.rate_bp is not None and not 1 <= vat.rate_bp <= BASIS:
        raise InvalidAgreement("A rate of VAT lies between 0.01 % and 100 %.", field="rate_bp")
    if (vat.treatment == SMALL_BUSINESS) != bool(vat.exemption and vat.exemption.strip()):
        sentence = "A small business names its exemption in the words its law asks for; no other treatment has any."
        raise InvalidAgreement(sentence, field="exemption")
    if vat.treatment != SMALL_BUSINESS and supplier_vat_id is None:
        raise InvalidAgreement(f"The treatment {vat.treatment} needs the supplier's VAT id.", field="supplier_vat_id")
    return vat


def reverse_charge_obstacle(treatment: str, *, supplier: str | None, customer: str | None) -> str:
    """Why a reverse charge cannot be written; empty for every other treatment, and when both ids are there."""
    if treatment != REVERSE_CHARGE:
        return ""
    if customer is None:
        return "A reverse charge names both VAT ids; set the firm's own with `chambers firm vat-id`."
    if supplier is not None and supplier[:2] == customer[:2]:
        return "A reverse charge is for a supplier of another country; both VAT ids are of the same one."
    return ""


def checked_series(text: str) -> str:
    """The supplier's series, which its numbers continue: "SB-LM-" gives SB-LM-0001. Raises `InvalidAgreement`."""
    if _SERIES.fullmatch(text) is None:
        sentence = "A series is one or two words of capitals and digits, each with a hyphen behind it, such as SB-LM-."
        raise InvalidAgreement(sentence, field="series")
    return text


def numbered(series: str, position: int) -> str:
    return f"{series}{position:04d}"


def latest_end(from_on: date, months: int) -> date:
    """The day until which an agreement may run: the same day some months on, or the last of a shorter month."""
    month = Month.of(from_on).plus(months)
    return date(month.year, month.number, min(from_on.day, monthrange(month.year, month.number)[1]))


def written(day: date) -> str:
    return f"{day.day} {Month.of(day).name}"
