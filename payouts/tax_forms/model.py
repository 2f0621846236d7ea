"""The table of tax forms."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

W9, W8BEN, W8BEN_E = "W-9", "W-8BEN", "W-8BEN-E"
KINDS = (W9, W8BEN, W8BEN_E)
STATES = ("on file", "expired", "superseded", "withdrawn")

_live = text("superseded_at IS NULL AND withdrawn_at IS NULL")


class TaxForm(Base):
    """A form as it was signed; the row never changes but for its end."""

    __tablename__ = "tax_form"
    __table_args__ = (
        one_of("kind", KINDS),
        CheckConstraint("(kind = 'W-9') = (expires_on IS NULL)", name="expiry_by_kind"),
        CheckConstraint("expires_on > signed_on", name="expires_after_signing"),
        CheckConstraint("received_on >= signed_on", name="received_after_signing"),
        CheckConstraint("(tin_sealed IS NULL) = (tin_last4 IS NULL)", name="tin_whole"),
        CheckConstraint("kind <> 'W-9' OR tin_sealed IS NOT NULL", name="w9_has_tin"),
        CheckConstraint("(document_sealed IS NULL) = (document_sha256 IS NULL)", name="document_whole"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)", name="withdrawal_whole"),
        Index("uq_tax_form_live", "maintainer_id", unique=True, sqlite_where=_live, postgresql_where=_live),
        Index("ix_tax_form_maintainer", "maintainer_id", "id"),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"))
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    signed_on: Mapped[date]
    received_on: Mapped[date]
    expires_on: Mapped[date | None]
    """The last day on which it may be relied on; a W-9 has none."""
    tin_sealed: Mapped[str | None] = mapped_column(Text)
    tin_last4: Mapped[str | None] = mapped_column(String(4))
    document_sealed: Mapped[str | None] = mapped_column(Text, deferred=True)
    """Megabytes that a list of forms has no use for: read when it is asked for."""
    document_sha256: Mapped[str | None] = mapped_column(String(64))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(200))
    superseded_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str | None] = mapped_column(String(400))
