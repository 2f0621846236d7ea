"""Asking Stripe what is there. Nothing here changes anything; all may be repeated.

Each raises `StripeLater` or `StripeUnclear` when there is no answer, and `StripeRefused` when what is asked for is
not there. The lists are asked for page by page while they are walked, newest first, with no transaction open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from firm.money import Money
from payouts.rails.stripe import payloads
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.payloads import read
from payouts.rails.stripe.values import BalanceTransaction, Event, PayeePayout, Reversal, Transfer


def transfer(client: Client, transfer_id: str) -> Transfer:
    """One transfer as it is now."""
    answer = client.call(lambda sdk: sdk.v1.transfers.retrieve(transfer_id))
    return read(payloads.TransferPayload, answer)


def transfers(
    client: Client,
    *,
    group: str | None = None,
    destination: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Transfer]:
    """The transfers of a run, to an account, or created in a half-open span of time."""
    params = _given(transfer_group=group, destination=destination, created=_span(since, until))
    for answer in client.every(lambda sdk, asked: sdk.v1.transfers.list(asked), params):  # type: ignore[arg-type]
        yield read(payloads.TransferPayload, answer)


def reversals(client: Client, transfer_id: str) -> Iterator[Reversal]:
    """What has been taken back of a transfer."""
    for answer in client.every(
        lambda sdk, asked: sdk.v1.transfers.reversals.list(transfer_id, asked),  # type: ignore[arg-type]
        {},
    ):
        yield read(payloads.ReversalPayload, answer)


def payout(client: Client, payout_id: str, *, account: str | None = None) -> PayeePayout:
    """One payout of a payee's account as it is now; without an account, of the firm's own."""
    answer = client.call(lambda sdk: sdk.v1.payouts.retrieve(payout_id, None, _within(account)))  # type: ignore[arg-type]
    return read(payloads.PayoutPayload, answer)


def payouts(
    client: Client, *, account: str | None = None, since: datetime | None = None, until: datetime | None = None
) -> Iterator[PayeePayout]:
    """What a payee's account, or the firm's own, sent on to its bank."""
    params = _given(created=_span(since, until))
    for answer in client.every(
        lambda sdk, asked: sdk.v1.payouts.list(asked, _within(account)),  # type: ignore[arg-type]
        params,
    ):
        yield read(payloads.PayoutPayload, answer)


def balances(client: Client, *, account: str | None = None) -> Mapping[str, Money]:
    """What is available now, by currency; a payee's may be negative. What is still pending cannot be paid out."""
    answer = client.call(lambda sdk: sdk.v1.balance.retrieve(None, _within(account)))  # type: ignore[arg-type]
    return read(payloads.BalancePayload, answer)


def balance_transactions(
    client: Client,
    *,
    account: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    payout_id: str | None = None,
) -> Iterator[BalanceTransaction]:
    """The lines of the firm's balance, or of a payee's; of one automatic payout when it is named."""
    params = _given(created=_span(since, until), payout=payout_id)
    for answer in client.every(
        lambda sdk, asked: sdk.v1.balance_transactions.list(asked, _within(account)),  # type: ignore[arg-type]
        params,
    ):
        yield read(payloads.BalanceTransactionPayload, answer)


def balance_transaction(client: Client, line_id: str, *, account: str | None = None) -> BalanceTransaction:
    """One line of a balance."""
    answer = client.call(
        lambda sdk: sdk.v1.balance_transactions.retrieve(line_id, None, _within(account))  # type: ignore[arg-type]
    )
    return read(payloads.BalanceTransactionPayload, answer)


def event(client: Client, event_id: str, *, account: str | None = None) -> Event:
    """One event of the last thirty days."""
    answer = client.call(lambda sdk: sdk.v1.events.retrieve(event_id, None, _within(account)))  # type: ignore[arg-type]
    return read(payloads.EventPayload, answer)


def events(
    client: Client,
    *,
    account: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Sequence[str] = (),
) -> Iterator[Event]:
    """The events of the last thirty days, newest first; at most twenty kinds can be asked for at once."""
    params = _given(created=_span(since, until), types=list(kinds) or None)
    for answer in client.every(
        lambda sdk, asked: sdk.v1.events.list(asked, _within(account)),  # type: ignore[arg-type]
        params,
    ):
        yield read(payloads.EventPayload, answer)


def _within(account: str | None) -> dict[str, str] | None:
    """The option that makes a call one inside a payee's account."""
    return None if account is None else {"stripe_account": account}


def _span(since: datetime | None, until: datetime | None) -> dict[str, int] | None:
    bounds = {"gte": since, "lt": until}
    return {name: int(moment.timestamp()) for name, moment in bounds.items() if moment is not None} or None


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
