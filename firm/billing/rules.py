"""Which months an invoice bills, and what recognizing a month moves in the books."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from firm.engagements.rules import Term
from firm.exchange.rules import SCALE, convert
from firm.ledger import accounts
from firm.ledger.entry import Line, credit, debit
from firm.money import Money
from firm.month import Month


@dataclass(frozen=True, slots=True)
class ServiceMonth:
    """A month of an engagement's term and what it is worth."""

    month: Month
    amount: Money


@dataclass(frozen=True, slots=True)
class Party:
    """Whose engagement a line is about."""

    client_id: str
    engagement_id: str


def cycle_window(term: Term, cycle_months: int, month: Month) -> tuple[Month, Month]:
    """The billing cycle [first, end) that a month lies in, counted from the term's first month."""
    start = Month.of(term.starts_on)
    first = start.plus(month.minus(start) // cycle_months * cycle_months)
    return first, first.plus(cycle_months)


def months_to_invoice(
    term: Term,
    cycle_months: int,
    month: Month,
    *,
    not_before: Month,
    invoiced: Collection[Month],
    earned: Collection[Month] = (),
) -> list[ServiceMonth]:
    """The service months to bill for the cycle that a month lies in: those not invoiced yet.

    Months of earlier cycles come with them once they are earned and still unbilled, because they were held back or
    the engagement was signed late. A month worth less than a minor unit is not billed.
    """
    first, end = cycle_window(term, cycle_months, month)
    months = [ServiceMonth(service, term.worth(service)) for service in term.months(not_before, end)]
    return [
        service
        for service in months
        if service.amount and service.month not in invoiced and (service.month >= first or service.month in earned)
    ]


def invoice_lines(party: Party, months: Sequence[ServiceMonth], recognized: Collection[Month]) -> list[Line]:
    """What issuing an invoice moves: months earned before come off unbilled revenue, the rest is deferred."""
    currency = months[0].amount.currency
    earned = sum(service.amount.minor for service in months if service.month in recognized)
    total = sum(service.amount.minor for service in months)
    lines = [
        debit(
            accounts.RECEIVABLES,
            Money(total, currency),
            client_id=party.client_id,
            engagement_id=party.engagement_id,
        )
    ]
    for account, minor in ((accounts.UNBILLED, earned), (accounts.DEFERRED, total - earned)):
        if minor:
            lines.append(
                credit(
                    account,
                    Money(minor, currency),
                    client_id=party.client_id,
                    engagement_id=party.engagement_id,
                )
            )
    return lines


def recognition_lines(party: Party, amount: Money, booked: Money, *, invoiced: bool) -> list[Line]:
    """What earning a month moves; across currencies, each side balances against the exchange account."""
    source = accounts.DEFERRED if invoiced else accounts.UNBILLED
    earn = debit(source, amount, client_id=party.client_id, engagement_id=party.engagement_id)
    income = credit(accounts.RETAINERS, booked, client_id=party.client_id, engagement_id=party.engagement_id)
    if amount.currency == booked.currency:
        return [earn, income]
    return [earn, credit(accounts.EXCHANGE, amount), debit(accounts.EXCHANGE, booked), income]


def booked(amount: Money, rate: int, currency: str) -> Money:
    """The amount in the currency of the books."""
    return amount if rate == SCALE and amount.currency == currency else convert(amount, rate, currency)
