"""Maintainers' accounts at Stripe."""

from __future__ import annotations

import click

from api.commands.maintainers import maintainer
from api.commands.running import Call, command
from api.parts import parts
from payouts.provider_accounts import operations, rules
from payouts.provider_accounts.model import ProviderAccount
from payouts.rails.provider import AccountProvider


@maintainer.command("stripe-account")
@click.argument("who")
@command
def stripe_account(call: Call, who: str) -> None:
    """Open a maintainer's account at Stripe. To finish an interrupted opening, open again."""
    _tell(who, operations.open_account(who, provider=_stripe(), by=call.by, now=call.now))


@maintainer.command("onboarding-link")
@click.argument("who")
@command
def onboarding_link(call: Call, who: str) -> None:
    """Print a fresh link to Stripe's own pages, for the maintainer and nobody else."""
    page = parts().settings.onboarding_page
    made = operations.onboarding_link(who, page=page, provider=_stripe(), by=call.by, now=call.now)
    click.echo(f"It lets in whoever holds it, once, until {made.expires_at:%H:%M} UTC.", err=True)
    click.echo(made.url)


@maintainer.command("stripe-status")
@click.argument("who", required=False)
@command
def stripe_status(call: Call, who: str | None) -> None:
    """Ask Stripe how an account stands, or all of them."""
    if who is not None:
        _tell(who, operations.refresh(who, provider=_stripe(), by=call.by, now=call.now))
        return
    told = operations.refresh_all(provider=_stripe(), by=call.by, now=call.now)
    click.echo(f"Stripe told about {told} accounts.")


@maintainer.command("stripe-close")
@click.argument("who")
@command
def stripe_close(call: Call, who: str) -> None:
    """Have Stripe close a maintainer's account, for good."""
    _tell(who, operations.close(who, provider=_stripe(), by=call.by, now=call.now))


def _stripe() -> AccountProvider:
    return operations.provider_of(parts().providers)


def _tell(who: str, found: ProviderAccount) -> None:
    obstacle = rules.obstacle(found.status, found.payouts_status, found.requirements)
    click.echo(f"{who} {obstacle or 'can be paid over Stripe'} ({found.account_id or found.status}).")
