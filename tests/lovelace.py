"""The firm of the examples: Lovelace Maintainers and its worked month, October 2026.

Books in USD; Acme pays 10,000.00 a month (billed yearly in advance), Globex 5,000.00 (monthly). The plan sets aside
20 % overhead and 5 % for the on-ramp; the packages ssh, age and staticcheck weigh 3, 2 and 1. Grace works full time
on ssh, Ada half each on staticcheck and age.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from api.parts import parts
from api.verification import findings
from firm import clock
from firm.actor import Actor, Role
from firm.allocation import operations as allocation
from firm.audit import sequencer
from firm.clients import operations as clients
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.ledger import queries as ledger
from firm.money import Money
from firm.month import Month
from firm.portfolio import operations as portfolio
from firm.profile import operations as profiles
from payouts.destinations import operations as destinations
from payouts.destinations.model import Destination
from payouts.runs import changes
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.assignments import operations as assignments
from staffing.maintainers import operations as maintainers

LEAD = Actor("lead", Role.LEAD)
ADMINISTRATOR = Actor("administrator", Role.ADMINISTRATOR)
OCTOBER = Month(2026, 10)
BEFORE = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
"""When the firm is set up."""
AFTER = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
"""When October is closed."""
START = date(2026, 10, 1)


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def establish(*, currency: str = "USD", first_month: Month = OCTOBER) -> None:
    """The empty firm."""
    profiles.establish(
        name="Lovelace Maintainers",
        address=["12 St James's Square", "London"],
        email="office@lovelace.example",
        currency=currency,
        time_zone="Europe/London",
        first_month=first_month,
        by=LEAD,
        now=BEFORE,
    )


def add_clients(money: Callable[[str], Money] = usd) -> None:
    """Acme and Globex with their signed engagements, and the three packages."""
    for name in ("ssh", "age", "staticcheck"):
        portfolio.adopt(name=name, ecosystem="Go", by=LEAD, now=BEFORE)
    for name, tier, fee, cycle in (
        ("Acme", "gold", "10000.00", "yearly"),
        ("Globex", "platinum", "5000.00", "monthly"),
    ):
        clients.register(name=name, country="US", address=["1 Main Street"], by=LEAD, now=BEFORE)
        engagements.add_tier(name=tier, entitlements=["Two meetings a year"], by=LEAD, now=BEFORE)
        engagement = engagements.draft(
            client=name,
            tier=tier,
            fee=money(fee),
            cycle=cycle,
            starts_on=START,
            subcontracting_allowed=True,
            interests=[NamedInterest(package, False, 24) for package in ("ssh", "age", "staticcheck")],
            by=LEAD,
            now=BEFORE,
        )
        engagements.sign(engagement.id, by=LEAD, now=BEFORE)


def set_plan() -> None:
    allocation.set_plan(
        from_month=OCTOBER,
        overhead_bp=2000,
        reserves={"on-ramp": 500},
        weights={"ssh": 3, "age": 2, "staticcheck": 1},
        by=LEAD,
        now=BEFORE,
    )


def staff() -> None:
    """Grace and Ada with their assignments; no pay terms yet."""
    for name in ("Grace", "Ada"):
        maintainers.add(
            name=name,
            email=f"{name.lower()}@lovelace.example",
            country="US",
            grade="junior",
            works_as="subcontractor",
            by=LEAD,
            now=BEFORE,
        )
    for name, package, role, share_bp in (
        ("Grace", "ssh", "lead", 10_000),
        ("Ada", "staticcheck", "co-maintainer", 5_000),
        ("Ada", "age", "co-maintainer", 5_000),
    ):
        assignments.assign(
            maintainer=name, package=package, role=role, share_bp=share_bp, from_on=START, by=LEAD, now=BEFORE
        )


def set_terms(money: Callable[[str], Money] = usd) -> None:
    grace = Proposal(guarantee=money("4000.00"), growth_bp=1000, baseline=money("12000.00"))
    ada = Proposal(fund_shares={"staticcheck": 4000}, fixed_fees={"age": money("1200.00")})
    for name, proposal in (("Grace", grace), ("Ada", ada)):
        terms.set_terms(name, proposal, from_month=OCTOBER, by=LEAD, now=BEFORE)


def propose_destination(
    name: str, *, rail: str = "manual", iban: str | None = None, now: datetime = BEFORE
) -> Destination:
    return destinations.propose(
        name, rail=rail, iban=iban, rails=parts().rails, keys=parts().keys, by=ADMINISTRATOR, now=now
    )


def set_destination(name: str, *, rail: str = "manual", iban: str | None = None, now: datetime = BEFORE) -> Destination:
    """A destination that the administrator proposed and the lead confirmed; a change cools off from then."""
    proposed = propose_destination(name, rail=rail, iban=iban, now=now)
    return changes.confirm_destination(proposed.id, by=LEAD, now=now).destination


def set_destinations() -> None:
    for name in ("Grace", "Ada"):
        set_destination(name)


def set_up() -> None:
    """The whole firm, ready to close October 2026."""
    establish()
    add_clients()
    set_plan()
    staff()
    set_terms()
    set_destinations()


def entry_text(source: str) -> str:
    """What one cause booked, as accountants write it."""
    with reading() as session:
        return str(ledger.entry_of(session, source))


def trial_balance() -> dict[str, str]:
    """Every account's balance for people, zero ones left out."""
    with reading() as session:
        return {f"{row.account}": str(row.balance) for row in ledger.trial_balance(session) if row.balance}


def assert_books_hold() -> None:
    """Every invariant built so far, at the end of each example."""
    now = clock.now()
    sequencer.run(now=now)
    # Tests seal with keys of their own, which the application's settings do not have.
    found = [one for one in findings(now=now) if not one.holds and one.invariant.name != "sealed-opens"]
    broken = [f"{one.invariant.name}: {one.breaches}" for one in found]
    assert not broken, "\n".join(broken)
