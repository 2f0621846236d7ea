"""A walk through a real sandbox of Stripe's: what no test on this machine can show is how Stripe itself behaves."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from api.app import standard_stripe
from firm import ids
from firm.errors import ChambersError, Refused
from firm.money import Money
from firm.settings import load
from payouts.rails.provider import AccountRequest, ProviderAccount
from payouts.rails.rail import Order, Payee, Sent
from payouts.rails.stripe import readings, reversals
from payouts.rails.stripe.accounts import StripeAccounts
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.rail import StripeRail

POLL_SECONDS = 5


class SmokeFailed(Refused):
    """The sandbox did not do what the product relies on."""


@click.command("sandbox-smoke")
@click.option("--account", "account_id", help="A payee's account in the sandbox that is onboarded already.")
@click.option("--amount", default="1.00", show_default=True, help="How much to move there and back.")
@click.option("--currency", default="USD", show_default=True)
@click.option("--country", default="US", show_default=True, help="Of the account that is opened.")
@click.option("--page", default="https://example.com/payee", show_default=True, help="Where onboarding comes back to.")
@click.option("--wait", "minutes", type=click.IntRange(0, 120), default=15, show_default=True, help="For onboarding.")
def sandbox_smoke(account_id: str | None, amount: str, currency: str, country: str, page: str, minutes: int) -> None:
    """Walk through a sandbox of Stripe's with a test key: account, link, transfer, look-up, reversal.

    It touches no books. Each step is done twice where the product relies on its being done once.
    """
    try:
        client = _sandbox()
        if account_id is None:
            account_id = _onboarded(client, country=country, page=page, minutes=minutes)
        money = Money.parse(amount, currency.upper())
        _refuse_unfunded(client, money)
        transfer_id = _sent(client, _order(account_id, money, country))
        _taken_back(client, transfer_id, money)
    except ChambersError as error:
        raise click.ClickException(error.message) from error
    click.echo("The sandbox does what Chambers relies on.")


def _sandbox() -> Client:
    settings = load()
    if settings.stripe_is_live:
        raise SmokeFailed("This walk is for a sandbox; set STRIPE_API_KEY to a test key (sk_test_…).")
    client = standard_stripe(settings)
    if client is None:
        raise SmokeFailed("Set STRIPE_API_KEY to a test key (sk_test_…) of a sandbox with Connect.")
    return client


def _onboarded(client: Client, *, country: str, page: str, minutes: int) -> str:
    accounts, tag = StripeAccounts(client), ids.new("smk")
    request = AccountRequest(tag, tag, tag, "Chambers Smoke", "smoke@example.com", country.upper())
    account = accounts.open(request)
    _expect(accounts.open(request).id == account.id, "opening under the same key gave another account")
    click.echo(f"Opened the account {account.id}; asking again under the same key gave it again.")
    link = accounts.onboarding_link(account, return_url=page, refresh_url=page)
    click.echo(f"Onboard it as a test person before {link.expires_at:%H:%M} UTC:\n  {link.url}")
    return _waited_for(lambda: accounts.account(account.id), minutes=minutes)


def _waited_for(ask: Callable[[], ProviderAccount], *, minutes: int) -> str:
    ends = time.monotonic() + minutes * 60
    while True:
        account = ask()
        if account.receives == "active":
            click.echo(f"It may receive transfers; payouts to its bank: {account.pays_out}.")
            return account.id
        if time.monotonic() >= ends:
            missing = "; ".join(one.what for one in account.requirements) or account.receives
            raise SmokeFailed(f"It is not onboarded yet ({missing}); go on with --account {account.id} when it is.")
        time.sleep(POLL_SECONDS)


def _refuse_unfunded(client: Client, money: Money) -> None:
    available = readings.balances(client).get(money.currency, Money.zero(money.currency))
    if available < money:
        raise SmokeFailed(
            f"The sandbox has {available} available and needs {money}: charge the test card 4000 0000 0000 0077, whose"
            " money is available at once, in its dashboard."
        )
    click.echo(f"The sandbox has {available} available.")


def _order(account_id: str, money: Money, country: str) -> Order:
    name = ids.new("smk")
    return Order(f"{name}-1", name, f"{name}-run", money, Payee("Chambers Smoke", country, account=account_id), "smoke")


def _sent(client: Client, order: Order) -> str:
    rail = StripeRail(client)
    first = rail.send(order)
    if not isinstance(first, Sent):
        raise SmokeFailed(f"The transfer was not made: {first}")
    _expect(rail.send(order) == first, "sending under the same key gave another transfer")
    _expect(rail.find(order) == first, "the transfer was not found by its run")
    click.echo(f"Moved {order.amount} with {first.reference}, once for two calls, and found it by its run.")
    return first.reference


def _taken_back(client: Client, transfer_id: str, money: Money) -> None:
    key = ids.new("smk")
    made = reversals.reverse(client, transfer_id, money, key=key)
    if not isinstance(made, Sent):
        raise SmokeFailed(f"The transfer was not taken back: {made}")
    _expect(reversals.find_reversal(client, transfer_id, money, key=key) == made, "the reversal was not found")
    _expect(readings.transfer(client, transfer_id).reversed == money, "the transfer does not say that it was reversed")
    click.echo(f"Took it back with {made.reference}.")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SmokeFailed(f"Do not pay over Stripe with this version: {otherwise}.")
