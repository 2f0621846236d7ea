"""The worked firm paying Grace and Ada over the tests' own Stripe, and everything that Stripe then tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from api.parts import parts
from firm.actor import Actor, Role
from firm.db import reading
from payouts.destinations import operations as destinations
from payouts.provider_accounts import operations as provider_accounts
from payouts.provider_accounts import queries as account_queries
from payouts.provider_events import applying, notices, receiving
from payouts.provider_events.applying import StillWaits
from payouts.provider_events.model import PayeePayout, ProviderEvent
from payouts.provider_events.sources import Source
from payouts.rails.rail import Batch, Description, Found, Order, Outcome, Payer, Unknown
from payouts.rails.stripe.accounts import StripeAccounts
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.log import StripeLog
from payouts.rails.stripe.rail import StripeRail
from payouts.runs import approvals, changes, preparation, sending
from payouts.runs.model import Payout, PayoutRun
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD
from tests.stripe import accounts, balances, transfers
from tests.stripe.answers import Request
from tests.stripe.server import Server
from tests.stripe.webhooks import Delivery

WORKER = Actor("worker", Role.SYSTEM)


@dataclass
class Deaf:
    """The Stripe rail, over a line that may be cut before the answer comes back."""

    rail: StripeRail
    accounts: dict[str, str]
    cut_for: set[str] = field(default_factory=set)

    def describe(self) -> Description:
        return self.rail.describe()

    def send(self, order: Order) -> Outcome:
        answer = self.rail.send(order)
        return Unknown("The line was cut before the answer.") if order.payee.name in self.cut_for else answer

    def find(self, order: Order) -> Found:
        return self.rail.find(order)

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        return None


@dataclass
class OverStripe:
    """The firm, its Stripe, and what is between them."""

    server: Server
    source: Source
    rail: Deaf
    run: str = ""

    @property
    def accounts(self) -> dict[str, str]:
        return self.rail.accounts

    def send(self, *, cut_for: Iterable[str] = ()) -> None:
        """Approve a run of what is payable, and send it."""
        self.approve()
        self.rail.cut_for = set(cut_for)
        self.send_again()

    def approve(self) -> None:
        """Draft, propose and approve a run of what is payable."""
        self.run = preparation.draft(rails={"stripe": self.rail}, by=ADMINISTRATOR, now=AFTER).run.number
        approvals.propose(self.run, by=ADMINISTRATOR, now=AFTER)
        approvals.approve(self.run, by=LEAD, now=AFTER)

    def send_again(self) -> PayoutRun:
        """Send what is approved."""
        return sending.send(self.run, rails={"stripe": self.rail}, keys=parts().keys, by=ADMINISTRATOR, now=AFTER)

    def payout_to(self, payee: str) -> Payout:
        return next(one for one in sending.run_with_payouts(self.run)[1] if one.payee_name == payee)

    def states(self) -> dict[str, str]:
        return {one.payee_name: one.state for one in sending.run_with_payouts(self.run)[1]}

    def transfer_to(self, payee: str) -> dict[str, Any]:
        """The transfer as Stripe has it."""
        account = self.accounts[payee]
        return next(one for one in self.server.state.of("transfer") if one["destination"] == account)

    def paid_again(self, payee: str) -> dict[str, Any]:
        """A second transfer for the same payout, as no sender of ours makes it."""
        like = self.transfer_to(payee)
        asked = {name: like[name] for name in ("amount", "currency", "destination", "metadata", "transfer_group")}
        balances.top_up(self.server.state, like["amount"], like["currency"])
        request = Request("req_again", "POST /v1/transfers", "/v1/transfers", (), asked, None, None)
        return transfers.create(self.server.state, request)

    def news(self) -> list[Delivery]:
        """What Stripe would tell now and has not told yet."""
        return self.server.webhooks.fresh()

    def tell(self, deliveries: Iterable[Delivery], *, now: datetime = AFTER) -> None:
        """Each delivery comes in and is applied."""
        for delivery in deliveries:
            receiving.store(
                notices.read(delivery.body), provider="stripe", endpoint=delivery.endpoint, by=WORKER, now=now
            )
            self.apply(delivery.id, now=now)

    def apply(self, name: str, *, now: datetime = AFTER) -> str:
        """Apply an event by Stripe's id; the state it is in then."""
        with suppress(StillWaits):
            applying.apply(event(name).id, sources={"stripe": self.source}, by=WORKER, now=now)
        return event(name).state


def event(name: str) -> ProviderEvent:
    """An event by Stripe's id."""
    with reading() as session:
        return session.scalars(select(ProviderEvent).where(ProviderEvent.event_id == name)).one()


def events() -> list[tuple[str, str]]:
    """The types of the events that are here, and their states."""
    with reading() as session:
        return [(one.type, one.state) for one in session.scalars(select(ProviderEvent).order_by(ProviderEvent.id))]


def payee_payouts() -> list[tuple[str, str, str | None]]:
    """What went to banks: how much, its state, and why not."""
    with reading() as session:
        rows = session.scalars(select(PayeePayout).order_by(PayeePayout.id))
        return [(str(one.amount), one.state, one.failure) for one in rows]


@contextmanager
def paying(server: Server) -> Iterator[OverStripe]:
    """Grace and Ada with accounts that can be paid, and money to pay them with; in the application that is running."""
    server.clock.set(AFTER)
    client = Client([server.api_key], base=server.url, calls_a_second=1000)
    held = StripeAccounts(client)
    rail = Deaf(StripeRail(client), {})
    balances.top_up(server.state, 1_000_000, "usd")
    for name in ("Grace", "Ada"):
        provider_accounts.open_account(name, provider=held, by=LEAD, now=BEFORE)
        with reading() as session:
            person = account_queries.to_check(session)[-1]
        rail.accounts[name] = person
        accounts.set_capability(server.state, person)
        provider_accounts.refresh(name, provider=held, by=LEAD, now=BEFORE)
        rails = {"stripe": rail}
        proposed = destinations.propose(
            name, rail="stripe", rails=rails, keys=parts().keys, by=ADMINISTRATOR, now=BEFORE
        )
        changes.confirm_destination(proposed.id, by=LEAD, now=BEFORE)
    yield OverStripe(server, Source(StripeLog(client), held, rail.describe()), rail)
