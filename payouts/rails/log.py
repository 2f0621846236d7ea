"""What a provider says has happened: the Protocol of its log.

A rail sends and finds orders; the log tells of everything that moved at the provider, whoever moved it. It changes
nothing, and is read with no transaction open. The values are those of the one provider that there is; a second one
with other words would bring values of its own here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from firm.money import Money
from payouts.rails.stripe.values import BalanceTransaction, Event, PayeePayout, Reversal, Transfer


class ProviderLog(Protocol):
    """Reading a provider. Each raises `Busy` when there is no answer; lists are asked for page by page while walked.

    What is asked for by id and is not there is None.
    """

    @property
    def live(self) -> bool:
        """Whether the money of this log is real."""
        ...

    def transfer(self, transfer_id: str) -> Transfer | None: ...

    def transfers(self, *, since: datetime) -> Iterator[Transfer]: ...

    def transfers_of(self, group: str) -> Iterator[Transfer]:
        """Those of one run, whenever they were made."""
        ...

    def reversals(self, transfer_id: str) -> Iterator[Reversal]: ...

    def payout(self, payout_id: str, *, account: str) -> PayeePayout | None: ...

    def payouts(self, account: str, *, since: datetime) -> Iterator[PayeePayout]: ...

    def lines(self, *, since: datetime) -> Iterator[BalanceTransaction]:
        """The lines of the firm's own balance."""
        ...

    def events(self, *, since: datetime) -> Iterator[Event]: ...

    def balances(self) -> Mapping[str, Money]:
        """What the firm has there in each currency, whether it is available already or not."""
        ...
