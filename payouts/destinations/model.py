"""The table of destinations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

STATES = ("proposed", "confirmed", "replaced", "rejected", "withdrawn", "expired")
EDGES = {
    "proposed": ("confirmed", "rejected", "withdrawn", "expired"),
    "confirmed": ("replaced",),
}
"""The only ways a destination may go; a trigger holds every writer to them."""
SHOWN_STATES = ("proposed", "confirmed", "live", "replaced", "rejected", "withdrawn", "expired")
"""A confirmed destination is shown as live from the moment on from which it may be used."""

_in_force = text("state = 'confirmed'")
_pending = text("state = 'proposed'")


class Destination(Base):
    """A way to one maintainer, proposed by one person and confirmed by another. `account` is the one at a provider."""

    __tablename__ = "destination"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("(iban_sealed IS NULL) = (iban_last4 IS NULL)", name="iban_whole"),
        CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL) AND (state = 'proposed') = (decided_at IS NULL)",
            name="decided_whole",
        ),
        CheckConstraint(
            "(state IN ('confirmed', 'replaced')) = (usable_from IS NOT NULL)"
            " AND (usable_from IS NULL OR usable_from >= decided_at)",
            name="usable_once_confirmed",
        ),
        CheckConstraint("(state = 'replaced') = (replaced_at IS NOT NULL)", name="replaced_whole"),
        CheckConstraint(
            "state NOT IN ('confirmed', 'replaced') OR decided_by <> proposed_by OR sole_approval",
            name="confirmed_by_another",
        ),
        Index(
            "uq_destination_live",
            "maintainer_id",
            unique=True,
            sqlite_where=_in_force,
            postgresql_where=_in_force,
        ),
        Index(
            "uq_destination_pending",
            "maintainer_id",
            unique=True,
            sqlite_where=_pending,
            postgresql_where=_pending,
        ),
        Index("ix_destination_maintainer_id", "maintainer_id", "id"),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"))
    rail: Mapped[str] = mapped_column(String(20))
    holder: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    iban_sealed: Mapped[str | None] = mapped_column(Text)
    iban_last4: Mapped[str | None] = mapped_column(String(4))
    bic: Mapped[str | None] = mapped_column(String(11))
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    account: Mapped[str | None] = mapped_column(String(100))
    contact: Mapped[str] = mapped_column(String(200))
    """The maintainer's e-mail address when it was proposed: notices of it, and of its end, go there too."""
    state: Mapped[str] = mapped_column(String(12))
    proposed_by: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime]
    """From when on nobody can confirm it any more."""
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(400))
    sole_approval: Mapped[bool] = mapped_column(default=False)
    usable_from: Mapped[datetime | None]

    def state_at(self, now: datetime) -> str:
        """The state as people are told it: confirmed while it cools off, then live; expired also before it is noted."""
        if self.state == "confirmed" and self.usable_from is not None and self.usable_from <= now:
            return "live"
        if self.state == "proposed" and self.expires_at <= now:
            return "expired"
        return self.state
