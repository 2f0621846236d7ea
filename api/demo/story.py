"""A year of the made-up firm, told through the same use cases as a real one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from api import evidence
from api.demo import people
from api.demo.history import make_advisories, make_history
from api.parts import parts
from firm.actor import Actor, Role
from firm.allocation import operations as allocation
from firm.billing import queries as billing
from firm.billing import receipts
from firm.clients import operations as clients
from firm.clients import queries as client_queries
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.exchange import operations as exchange
from firm.money import Money
from firm.month import Month
from firm.portfolio import operations as portfolio
from firm.profile import operations as profiles
from firm.profile.changes import change_firm
from payouts import month_end
from payouts.destinations import operations as destinations
from payouts.runs import approvals, changes, preparation, sending, settling
from payouts.runs.model import Payout
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.assignments import operations as assignments
from staffing.maintainers import operations as maintainers
from staffing.onramp import operations as onramp
from staffing.work import operations as work

LEAD = Actor("Solveig Fjord", Role.LEAD)
ADMINISTRATOR = Actor("Ingrid Berg", Role.ADMINISTRATOR)
TIME_ZONE = "Europe/Oslo"
USD_RATES = (
    "0.9215",
    "0.9180",
    "0.9302",
    "0.9255",
    "0.9121",
    "0.9090",
    "0.9044",
    "0.9161",
    "0.9237",
    "0.9198",
    "0.9110",
    "0.9172",
)

Progress = Callable[[str], None]


def money(text: str) -> Money:
    """ "4200.00 EUR" as money."""
    return Money.parse(*text.split(" "))


def on(day: date) -> datetime:
    """Nine in the morning, UTC, of a day of the story."""
    return datetime.combine(day, time(9), UTC)


def set_up(first: Month) -> None:
    """The firm on the first day of its first month: clients, packages, people, plan, terms."""
    now = on(first.first_day)
    profiles.establish(
        name=people.FIRM,
        address=people.ADDRESS,
        email=people.EMAIL,
        currency="EUR",
        time_zone=TIME_ZONE,
        first_month=first,
        color="#14506b",
        by=LEAD,
        now=now,
    )
    change_firm(iban=people.FIRM_IBAN, keys=parts().keys, by=LEAD, now=now)
    for name, (ecosystem, _, folder) in people.PACKAGES.items():
        portfolio.adopt(
            name=name,
            ecosystem=ecosystem,
            repository="https://git.example/fjord/packages",
            folder=folder,
            by=LEAD,
            now=now,
        )
    for client in people.CLIENTS:
        _sign(client, first, now)
    allocation.set_plan(
        from_month=first,
        overhead_bp=1800,
        reserves={"on-ramp": 500, "rainy-days": 300},
        weights={name: weight for name, (_, weight, _) in people.PACKAGES.items()},
        by=LEAD,
        now=now,
    )
    for maintainer in people.MAINTAINERS:
        _join(maintainer, first, now)


def live(month: Month, *, index: int, progress: Progress = lambda step: None) -> Sequence[Payout]:
    """One month: its rate, what clients paid, its close on the 2nd of the next month, and its payouts."""
    exchange.set_rate(
        "USD",
        month,
        USD_RATES[index % 12],
        source="made up for the demonstration",
        by=ADMINISTRATOR,
        now=on(month.last_day),
    )
    closing_day = month.next.first_day + timedelta(days=1)
    evidence.keep(now=on(closing_day))
    month_end.close(month, by=ADMINISTRATOR, now=on(closing_day), progress=progress)
    _receive(month, until=closing_day)
    return _pay(closing_day + timedelta(days=1))


def import_work(folder: Path, first: Month, last: Month) -> None:
    """A git history and advisories made on the spot, and read as anybody's would be."""
    clone = folder / "packages.git"
    make_history(clone, first, last.next)
    make_advisories(folder / "advisories", last)
    now = on(last.next.first_day)
    for name in people.PACKAGES:
        work.import_git(clone, name, by=ADMINISTRATOR, now=now)
    work.import_osv(folder / "advisories", by=ADMINISTRATOR, now=now)


def walk_the_onramp(first: Month, last: Month) -> None:
    """Priya on her way to a firm of her own: stages, two letters, a runway plan."""
    for number, stage in enumerate(("shadowing", "assigned", "owning")):
        day = first.plus(number * 4).first_day
        onramp.enter_stage("Priya Raman", stage, on=day, by=LEAD, now=on(day))
    for company in ("Prairie Data Inc.", "Juniper Analytics"):
        onramp.record_letter(
            "Priya Raman",
            company=company,
            amount=Money.parse("3500.00", "EUR"),
            term_months=12,
            signed_on=last.first_day,
            expires_on=last.plus(9).first_day,
            by=LEAD,
            now=on(last.first_day),
        )


def _sign(client: people.DemoClient, first: Month, now: datetime) -> None:
    clients.register(name=client.name, country=client.country, by=LEAD, now=now)
    engagements.add_tier(name=client.tier, by=LEAD, now=now)
    engagement = engagements.draft(
        client=client.name,
        tier=client.tier,
        fee=money(client.fee),
        cycle=client.cycle,
        starts_on=first.first_day,
        subcontracting_allowed=True,
        interests=[NamedInterest(*interest) for interest in client.interests],
        by=LEAD,
        now=now,
    )
    engagements.sign(engagement.id, by=LEAD, now=now)


def _join(maintainer: people.DemoMaintainer, first: Month, now: datetime) -> None:
    maintainers.add(
        name=maintainer.name,
        email=maintainer.email,
        country=maintainer.country,
        grade=maintainer.grade,
        works_as=maintainer.works_as,
        by=LEAD,
        now=now,
    )
    for person in maintainer.other_names:
        maintainers.add_alias(maintainer.name, name=person.name, email=person.email, by=LEAD, now=now)
    for package, role, share_bp in maintainer.assignments:
        assignments.assign(
            maintainer=maintainer.name,
            package=package,
            role=role,
            share_bp=share_bp,
            from_on=first.first_day,
            by=LEAD,
            now=now,
        )
    if maintainer.works_as == "owner":
        return
    _agree(maintainer, first, now)
    proposed = destinations.propose(
        maintainer.name,
        rail=maintainer.rail,
        iban=maintainer.iban,
        rails=parts().rails,
        keys=parts().keys,
        by=ADMINISTRATOR,
        now=now,
    )
    changes.confirm_destination(proposed.id, by=LEAD, now=now)


def _agree(maintainer: people.DemoMaintainer, first: Month, now: datetime) -> None:
    def amount(text: str | None) -> Money | None:
        return money(text) if text else None

    proposal = Proposal(
        guarantee=amount(maintainer.guarantee),
        growth_bp=maintainer.growth_bp,
        baseline=amount(maintainer.baseline),
        cap=amount(maintainer.cap),
        fund_shares=maintainer.fund_shares,
        fixed_fees={package: money(text) for package, text in maintainer.fixed_fees.items()},
    )
    terms.set_terms(maintainer.name, proposal, from_month=first, by=LEAD, now=now)


def _receive(month: Month, *, until: date) -> None:
    """Record what arrived: each client pays its own number of days after the invoice."""
    days = {client.name: client.days_to_pay for client in people.CLIENTS}
    with reading() as session:
        names = {client.id: client.name for client in client_queries.page(session)}
        found = billing.invoices(session, state="open")
    for invoice in found:
        arrived = invoice.issued_on + timedelta(days=days[names[invoice.client_id]])
        if arrived < until:
            receipts.record(
                invoice.number,
                amount=invoice.open_amount,
                received_on=max(arrived, month.next.first_day),
                reference=f"bank-{invoice.number}",
                by=ADMINISTRATOR,
                now=on(until),
            )


def _pay(day: date) -> Sequence[Payout]:
    now = on(day)
    run = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=now).run
    approvals.propose(run.number, by=ADMINISTRATOR, now=now)
    approvals.approve(run.number, by=LEAD, now=now)
    sending.send(run.number, rails=parts().rails, keys=parts().keys, by=ADMINISTRATOR, now=now)
    _, payouts = sending.run_with_payouts(run.number)
    for payout in payouts:
        settling.settle(payout.id, reference=f"bank-{payout.id[-6:]}", on=day, by=ADMINISTRATOR, now=now)
    return payouts
