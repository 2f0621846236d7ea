"""Stripe's log, as the Protocol asks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from firm.money import Money
from payouts.rails.stripe import payloads, readings
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.errors import StripeRefused
from payouts.rails.stripe.payloads import read
from payouts.rails.stripe.values import BalanceTransaction, Event, PayeePayout, Reversal, Transfer

T = TypeVar("T")

ABSENT = "resource_missing"


class StripeLog:
    """Reads and nothing else."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def live(self) -> bool:
        return self._client.live

    def transfer(self, transfer_id: str) -> Transfer | None:
        return _unless_absent(lambda: readings.transfer(self._client, transfer_id))

    def transfers(self, *, since: datetime) -> Iterator[Transfer]:
        return readings.transfers(self._client, since=since)

    def transfers_of(self, group: str) -> Iterator[Transfer]:
        return readings.transfers(self._client, group=group)

    def reversals(self, transfer_id: str) -> Iterator[Reversal]:
        return readings.reversals(self._client, transfer_id)

    def payout(self, payout_id: str, *, account: str) -> PayeePayout | None:
        return _unless_absent(lambda: readings.payout(self._client, payout_id, account=account))

    def payouts(self, account: str, *, since: datetime) -> Iterator[PayeePayout]:
        return readings.payouts(self._client, account=account, since=since)

    def lines(self, *, since: datetime) -> Iterator[BalanceTransaction]:
        return readings.balance_transactions(self._client, since=since)

    def events(self, *, since: datetime) -> Iterator[Event]:
        return readings.events(self._client, since=since)

    def balances(self) -> Mapping[str, Money]:
        answer = self._client.call(lambda sdk: sdk.v1.balance.retrieve())
        sums: dict[str, int] = defaultdict(int)
        for amount in read(payloads.WholeBalancePayload, answer):
            sums[amount.currency] += amount.minor
        return {currency: Money(minor, currency) for currency, minor in sums.items()}


def _unless_absent(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except StripeRefused as error:
        if error.code == ABSENT:
            return None
        raise
