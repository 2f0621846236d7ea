"""The firm that is crashed: five maintainers with a month's pay to get, in euro, paid over Stripe or by bank file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from api.parts import parts
from firm.actor import Actor, Role
from firm.allocation import operations as allocation
from firm.clients import operations as clients
from firm.db import reading, transaction
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.money import Money
from firm.notices import operations as notices
from firm.notices.template import Template
from firm.portfolio import operations as portfolio
from firm.profile.changes import change_firm
from payouts import month_end
from payouts.provider_accounts import operations as provider_accounts
from payouts.provider_accounts import queries as accounts
from payouts.runs import policies
from payouts.runs import queries as runs
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.assignments import operations as assignments
from staffing.maintainers import operations as maintainers
from staffing.maintainers.model import Maintainer
from tests.lovelace import (
    ADMINISTRATOR,
    AFTER,
    BEFORE,
    LEAD,
    OCTOBER,
    START,
    establish,
    set_destination,
)
from tests.stripe import accounts as stripe_accounts
from tests.stripe.state import State

PARTNER = Actor("partner", Role.LEAD)
FEES = {"ada": "1200.00", "barbara": "950.50", "grace": "4300.00", "katherine": "77.01", "radia": "2100.00"}
"""What each has earned."""
FIRMS_IBAN = "DE89370400440532013000"
BANKED = ("barbara", "FR1420041010050500013M02606")
"""Who is paid by bank file in the firms that have one."""

NEWS = Template("news", "Payday is near", "The run of this month is being prepared.")


@dataclass(frozen=True, slots=True)
class Owed:
    """What the books owe somebody at the start, and where it has to arrive: an account at Stripe, or the bank's."""

    name: str
    amount: int
    account: str | None


def found(*, now: datetime = AFTER) -> None:
    """Everything but the ways to be paid: October is closed, and all five have earned."""
    establish(currency="EUR")
    change_firm(iban=FIRMS_IBAN, keys=parts().keys, by=LEAD, now=BEFORE)
    policies.lay_down(minimum=Money.zero("EUR"), approvals=2, by=LEAD, now=BEFORE)
    _engage()
    for name, fee in FEES.items():
        _staff(name, fee)
    _close_but_for_papers(now)


def _close_but_for_papers(now: datetime) -> None:
    """October's books are closed; its statements are issued by whoever comes to the desk first."""

    def leave(step: str) -> None:
        if step == month_end.CLOSING_STEP:
            raise _Left

    with suppress(_Left):
        month_end.close(OCTOBER, by=LEAD, now=now, progress=leave)


class _Left(Exception):
    """Whoever closed the month has gone home."""


def direct(stripe: State, payees: int, *, banked: bool) -> list[Owed]:
    """Give the first of them destinations, and accounts at Stripe: only they are paid. Returns what they are owed."""
    names = list(FEES)[:payees]
    for name in names:
        by_bank = banked and name == BANKED[0]
        if not by_bank:
            _open_account(stripe, name)
        set_destination(name, rail="sepa" if by_bank else "stripe", iban=BANKED[1] if by_bank else None)
    with reading() as session:
        people = {row.name: row.id for row in session.scalars(select(Maintainer))}
        payable = runs.payables(session, "EUR")
        return [
            Owed(
                name,
                payable[people[name]].minor,
                None if banked and name == BANKED[0] else accounts.account_id_of(session, people[name]),
            )
            for name in names
        ]


def _open_account(stripe: State, name: str) -> None:
    provider = parts().providers["stripe"]
    opened = provider_accounts.open_account(name, provider=provider, by=ADMINISTRATOR, now=AFTER)
    stripe_accounts.set_capability(stripe, str(opened.account_id))
    provider_accounts.refresh(name, provider=provider, by=ADMINISTRATOR, now=AFTER)


def write() -> None:
    """Promise a notice, which the first life that gets so far sends."""
    with transaction() as session:
        notices.promise(session, NEWS, {}, to="ada@lovelace.example", key="news", by=LEAD, now=AFTER)


def _engage() -> None:
    portfolio.adopt(name="ssh", ecosystem="Go", by=LEAD, now=BEFORE)
    clients.register(name="Acme", country="US", address=["1 Main Street"], by=LEAD, now=BEFORE)
    engagements.add_tier(name="gold", entitlements=["Two meetings a year"], by=LEAD, now=BEFORE)
    engagement = engagements.draft(
        client="Acme",
        tier="gold",
        fee=Money.parse("50000.00", "EUR"),
        cycle="monthly",
        starts_on=START,
        subcontracting_allowed=True,
        interests=[NamedInterest("ssh", False, 24)],
        by=LEAD,
        now=BEFORE,
    )
    engagements.sign(engagement.id, by=LEAD, now=BEFORE)
    allocation.set_plan(
        from_month=OCTOBER, overhead_bp=2000, reserves={"on-ramp": 500}, weights={"ssh": 1}, by=LEAD, now=BEFORE
    )


def _staff(name: str, fee: str) -> None:
    email = f"{name}@lovelace.example"
    maintainers.add(name=name, email=email, country="US", grade="junior", works_as="subcontractor", by=LEAD, now=BEFORE)
    assignments.assign(
        maintainer=name, package="ssh", role="co-maintainer", share_bp=10_000, from_on=START, by=LEAD, now=BEFORE
    )
    proposal = Proposal(fixed_fees={"ssh": Money.parse(fee, "EUR")})
    terms.set_terms(name, proposal, from_month=OCTOBER, by=LEAD, now=BEFORE)
