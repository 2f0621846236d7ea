"""The tables of bank files and their lines."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, Minor, one_of, whole_minor
from firm.money import Money

KINDS = ("pain.002", "camt.053")
STATES = ("waiting", "settled", "returned", "rejected", "noted", "ignored", "unmatched", "resolved")
ACTIONS = ("settle", "return", "reject")
DIRECTIONS = ("debit", "credit")

_settled = text("state = 'settled'")
_returned = text("state IN ('returned', 'rejected')")


class BankFile(Base):
    """A file that the bank sent, sealed because it names accounts; never changed once stored."""

    __tablename__ = "bank_file"
    __table_args__ = (
        one_of("kind", KINDS),
        whole_minor("opening_minor"),
        whole_minor("closing_minor"),
        CheckConstraint(
            "(kind = 'camt.053') = (opening_minor IS NOT NULL)"
            " AND (opening_minor IS NULL) = (closing_minor IS NULL)"
            " AND (opening_minor IS NULL) = (currency IS NULL)"
            " AND (opening_minor IS NULL) = (account_last4 IS NULL)",
            name="statement_whole",
        ),
    )

    id: Mapped[Identifier]
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(10))
    message_id: Mapped[str] = mapped_column(String(35))
    original_message_id: Mapped[str | None] = mapped_column(String(35))
    """The file of ours that a status report is about."""
    statement_number: Mapped[str | None] = mapped_column(String(35))
    account_last4: Mapped[str | None] = mapped_column(String(4))
    currency: Mapped[str | None] = mapped_column(String(3))
    opening_minor: Mapped[Minor | None]
    closing_minor: Mapped[Minor | None]
    content_sealed: Mapped[str] = mapped_column(Text, deferred=True)
    received_at: Mapped[datetime]
    received_by: Mapped[str] = mapped_column(String(200))

    @property
    def opening(self) -> Money | None:
        return _money(self.opening_minor, self.currency)

    @property
    def closing(self) -> Money | None:
        return _money(self.closing_minor, self.currency)


class BankLine(Base):
    """One status or movement of a file, and what it was taken as."""

    __tablename__ = "bank_line"
    __table_args__ = (
        UniqueConstraint("file_id", "number"),
        one_of("action", ACTIONS),
        one_of("direction", DIRECTIONS),
        one_of("state", STATES),
        whole_minor("amount_minor", least=0),
        CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="amount_whole"),
        CheckConstraint("action IS NULL OR payout_id IS NOT NULL", name="action_has_payout"),
        CheckConstraint("state <> 'waiting' OR action IS NOT NULL", name="waiting_has_action"),
        CheckConstraint(
            "state NOT IN ('settled', 'returned', 'rejected') OR action IS NOT NULL", name="movement_has_action"
        ),
        CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL) AND (resolved_at IS NULL) = (resolved_by IS NULL)"
            " AND (resolved_at IS NULL) = (resolution IS NULL)",
            name="resolved_whole",
        ),
        Index("uq_bank_line_settled", "payout_id", unique=True, sqlite_where=_settled, postgresql_where=_settled),
        Index("uq_bank_line_returned", "payout_id", unique=True, sqlite_where=_returned, postgresql_where=_returned),
        Index("ix_bank_line_payout_id", "payout_id"),
        Index("ix_bank_line_state", "state"),
    )

    id: Mapped[Identifier]
    file_id: Mapped[str] = mapped_column(ForeignKey("bank_file.id"))
    number: Mapped[int]
    payout_id: Mapped[str | None] = mapped_column(ForeignKey("payout.id"))
    action: Mapped[str | None] = mapped_column(String(10))
    direction: Mapped[str | None] = mapped_column(String(10))
    amount_minor: Mapped[Minor | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    booked_on: Mapped[date | None]
    code: Mapped[str] = mapped_column(String(35))
    """The bank's word: a status such as RJCT, or BOOK for a booked entry."""
    reason: Mapped[str | None] = mapped_column(String(300))
    reference: Mapped[str] = mapped_column(String(100))
    text: Mapped[str | None] = mapped_column(String(140))
    state: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(500))
    """Why it was taken so, as a sentence."""
    resolution: Mapped[str | None] = mapped_column(String(500))
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(200))

    @property
    def amount(self) -> Money | None:
        return _money(self.amount_minor, self.currency)


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor, currency)
