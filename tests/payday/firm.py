"""A firm of any size that came in from files, with a closed month; its people may be paid over the tests' Stripe."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from api.parts import parts
from firm import clock
from firm.allocation import operations as allocation
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.model import Engagement
from firm.money import Money
from payouts import imports, month_end
from payouts.provider_accounts import operations as provider_accounts
from payouts.rails.rail import Rail
from payouts.runs import approvals, preparation
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD, OCTOBER, establish, set_destination
from tests.stripe import accounts, balances
from tests.stripe.state import State

PACKAGES = 10
PEOPLE_A_CLIENT = 10
PAY = Money.parse("500.00", "USD")


def found(people: int) -> None:
    """Everybody has earned the guarantee of October."""
    establish()
    engagements.add_tier(name="gold", by=LEAD, now=BEFORE)
    _take_in(_files_of_clients(max(1, people // PEOPLE_A_CLIENT)))
    with reading() as session:
        drafted = list(session.scalars(select(Engagement.id)))
    for engagement in drafted:
        engagements.sign(engagement, by=LEAD, now=BEFORE)
    weights = {f"package-{number}": 1 for number in range(PACKAGES)}
    allocation.set_plan(from_month=OCTOBER, overhead_bp=2_000, reserves={}, weights=weights, by=LEAD, now=BEFORE)
    _take_in(_files_of_people(people))
    month_end.close(OCTOBER, by=LEAD, now=AFTER)


def open_accounts(stripe: State, people: int) -> None:
    """Give everybody an account that may be paid, to which their pay goes, and the firm the money for it."""
    provider = parts().providers["stripe"]
    for number in range(people):
        person = _name(number)
        opened = provider_accounts.open_account(person, provider=provider, by=ADMINISTRATOR, now=AFTER)
        accounts.set_capability(stripe, str(opened.account_id))
        provider_accounts.refresh(person, provider=provider, by=ADMINISTRATOR, now=AFTER)
        set_destination(person, rail="stripe")
    balances.top_up(stripe, PAY.minor * people, "usd")


def approve(rails: Mapping[str, Rail]) -> str:
    """A run of everybody's pay, approved; its id. It is of today, as one that is sent on payday is: what was drafted
    long ago is looked up, payment by payment, before it is sent.
    """
    now = clock.now()
    run = preparation.draft(rails=rails, by=ADMINISTRATOR, now=now).run
    approvals.propose(run.number, by=ADMINISTRATOR, now=now)
    return approvals.approve(run.number, by=LEAD, now=now).id


def _take_in(files: Mapping[str, list[str]]) -> None:
    for kind, lines in files.items():
        imports.import_file(kind, "\n".join(lines).encode(), by=LEAD, now=BEFORE)


def _files_of_clients(clients: int) -> dict[str, list[str]]:
    """Every client names an interest in every package, so that each has its money however few they are."""
    terms = "gold,20000.00,USD,monthly,2026-10-01,yes"
    interests = "; ".join(f"package-{number}:no:24" for number in range(PACKAGES))
    return {
        "packages": ["name,ecosystem", *(f"package-{number},Go" for number in range(PACKAGES))],
        "clients": ["name,country", *(f"Client {number},US" for number in range(clients))],
        "engagements": [
            "client,tier,fee,currency,cycle,starts_on,subcontracting_allowed,interests",
            *(f"Client {number},{terms},{interests}" for number in range(clients)),
        ],
    }


def _files_of_people(people: int) -> dict[str, list[str]]:
    return {
        "maintainers": [
            "name,email,country,grade,works_as",
            *(f"{_name(number)},p{number}@lovelace.example,US,junior,subcontractor" for number in range(people)),
        ],
        "assignments": [
            "maintainer,package,role,share,from_on,paid",
            *(f"{_name(n)},package-{n % PACKAGES},co-maintainer,100%,2026-10-01,yes" for n in range(people)),
        ],
        "terms": [
            "maintainer,from_month,currency,guarantee",
            *(f"{_name(number)},2026-10,USD,{PAY.decimal}" for number in range(people)),
        ],
    }


def _name(number: int) -> str:
    return f"Person {number}"
