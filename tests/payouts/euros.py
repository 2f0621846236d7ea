"""Lovelace with books in euros: Hooli pays 3,000.00 a month; Grace and Ada earn 1,000.00 each and are paid by SEPA."""

from __future__ import annotations

from datetime import datetime

from api.parts import parts
from firm.allocation import operations as allocation
from firm.clients import operations as clients
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.money import Money
from firm.portfolio import operations as portfolio
from firm.profile.changes import change_firm
from payouts import month_end
from payouts.runs import approvals, files, preparation, sending
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.assignments import operations as assignments
from staffing.maintainers import operations as maintainers
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD, OCTOBER, START

FIRM_IBAN = "DE89370400440532013000"
IBANS = ("FR1420041010050500013M02606", "NL91ABNA0417164300", "AT611904300234573201", "BE68539007547034")


def set_up_firm() -> None:
    """Lovelace with books in euros: Hooli pays 3,000.00 a month; Grace and Ada are paid by SEPA."""
    lovelace.establish(currency="EUR")
    portfolio.adopt(name="ssh", ecosystem="Go", by=LEAD, now=BEFORE)
    clients.register(name="Hooli", country="DE", by=LEAD, now=BEFORE)
    engagements.add_tier(name="gold", by=LEAD, now=BEFORE)
    engagement = engagements.draft(
        client="Hooli",
        tier="gold",
        fee=Money(300_000, "EUR"),
        cycle="monthly",
        starts_on=START,
        subcontracting_allowed=True,
        interests=[NamedInterest("ssh", False, 24)],
        by=LEAD,
        now=BEFORE,
    )
    engagements.sign(engagement.id, by=LEAD, now=BEFORE)
    allocation.set_plan(from_month=OCTOBER, overhead_bp=2000, reserves={}, weights={"ssh": 1}, by=LEAD, now=BEFORE)
    for name, iban in (("Grace", IBANS[0]), ("Ada", IBANS[1])):
        _hire(name, iban)


def _hire(name: str, iban: str) -> None:
    maintainers.add(
        name=name,
        email=f"{name.lower()}@lovelace.example",
        country="FR",
        grade="junior",
        works_as="subcontractor",
        by=LEAD,
        now=BEFORE,
    )
    assignments.assign(
        maintainer=name, package="ssh", role="co-maintainer", share_bp=5000, from_on=START, by=LEAD, now=BEFORE
    )
    guarantee = Proposal(guarantee=Money(100_000, "EUR"))
    terms.set_terms(name, guarantee, from_month=OCTOBER, by=LEAD, now=BEFORE)
    lovelace.set_destination(name, rail="sepa", iban=iban)


def approved_run(*, now: datetime = AFTER) -> str:
    """The number of an approved run over SEPA, of October."""
    month_end.close(OCTOBER, by=LEAD, now=now)
    return next_run(now=now)


def next_run(*, now: datetime = AFTER) -> str:
    """The number of another approved run, of what is payable then."""
    number = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=now).run.number
    approvals.propose(number, by=ADMINISTRATOR, now=now)
    approvals.approve(number, by=LEAD, now=now)
    return number


def set_bank_account() -> None:
    change_firm(iban=FIRM_IBAN, keys=parts().keys, by=LEAD, now=AFTER)


def send(number: str, *, now: datetime = AFTER) -> object:
    return sending.send(number, rails=parts().rails, keys=parts().keys, by=ADMINISTRATOR, now=now)


def file_text(number: str) -> str:
    return files.file_of(number, "sepa", keys=parts().keys, by=ADMINISTRATOR, now=AFTER)
