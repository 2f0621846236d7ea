"""The table of payees' accounts at providers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

STATUSES = ("opening", "pending", "active", "restricted", "rejected", "unsupported", "closed", "refused")
"""`opening` until the provider has answered; `refused` when it would not open the account."""
PAYOUT_STATUSES = ("pending", "active", "restricted", "rejected", "unsupported")
OVER = ("closed", "refused")
"""What an account never comes back from; another one may then be opened."""

_live = text(f"status NOT IN ({', '.join(repr(status) for status in OVER)})")


class ProviderAccount(Base):
    """One account of one maintainer at one provider."""

    __tablename__ = "provider_account"
    __table_args__ = (
        one_of("status", STATUSES),
        one_of("payouts_status", PAYOUT_STATUSES),
        CheckConstraint("(account_id IS NULL) = (status IN ('opening', 'refused'))", name="account_known"),
        CheckConstraint("(checked_at IS NULL) = (account_id IS NULL)", name="account_checked"),
        UniqueConstraint("provider", "account_id"),
        Index(
            "uq_provider_account_live",
            "maintainer_id",
            "provider",
            unique=True,
            sqlite_where=_live,
            postgresql_where=_live,
        ),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"))
    provider: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(100), unique=True)
    """The idempotency key of the opening."""
    request: Mapped[str] = mapped_column(Text)
    """What the provider is asked to open, as JSON: the same at every try."""
    country: Mapped[str] = mapped_column(String(2))
    account_id: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20))
    payouts_status: Mapped[str] = mapped_column(String(20))
    """Whether the provider sends the payee's money on to a bank."""
    requirements: Mapped[str] = mapped_column(String(1000))
    """What the provider still asks for, in its words; empty when nothing."""
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    """As of when the provider said so."""
