"""What a bank's file says, as values: no XML any more, and nothing of ours yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from firm.money import Money


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a whole file of ours ("group", "payment"), or of one payment ("transaction")."""

    level: str
    code: str
    end_to_end_id: str = ""
    payment_id: str = ""
    amount: Money | None = None
    reason: str | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A pain.002."""

    message_id: str
    version: str
    original_message_id: str
    created_on: date
    statuses: Sequence[Status]

    @property
    def latest(self) -> date:
        return max([self.created_on, *(one.on for one in self.statuses if one.on)])


@dataclass(frozen=True, slots=True)
class Movement:
    """One payment of an entry, or an entry as a whole; `returned` is the bank's reason where it sends money back."""

    direction: str
    amount: Money
    status: str
    booked_on: date | None
    reference: str
    end_to_end_id: str = ""
    file_ids: Sequence[str] = ()
    returned: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A camt.053: one account, from one balance to another."""

    message_id: str
    version: str
    number: str
    iban: str
    opening: Money
    closing: Money
    movements: Sequence[Movement]

    @property
    def latest(self) -> date | None:
        return max((one.booked_on for one in self.movements if one.booked_on), default=None)
