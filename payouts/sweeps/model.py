"""The table of sweeps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier

PROVIDERS = ("stripe",)
"""The rails behind which a provider keeps a log that can be swept."""


class ProviderSweep(Base):
    """One reading of a provider's log, from one moment to another; never changed but for its end."""

    __tablename__ = "provider_sweep"
    __table_args__ = (
        CheckConstraint("since < until", name="forward"),
        CheckConstraint("finished_at IS NULL OR finished_at >= started_at", name="ends_after_start"),
        Index("ix_provider_sweep_provider_until", "provider", "until"),
    )

    id: Mapped[Identifier]
    provider: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime]
    until: Mapped[datetime]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    found: Mapped[int] = mapped_column(default=0)
    """How many things the provider told of."""
    mended: Mapped[int] = mapped_column(default=0)
    """How many of them were not known here."""
