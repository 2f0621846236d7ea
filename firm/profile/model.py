"""The single row of the firm."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from firm.db import Base, CurrencyCode
from firm.month import Month


class Profile(Base):
    """The firm: name and address as papers show them, the books' currency, the zone that makes its months."""

    __tablename__ = "profile"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("self_billing_months BETWEEN 1 AND 60", name="self_billing_months_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(String(200))
    color: Mapped[str] = mapped_column(String(7))
    currency: Mapped[CurrencyCode]
    time_zone: Mapped[str] = mapped_column(String(60))
    first_month: Mapped[Month]
    sole_approval: Mapped[bool] = mapped_column(default=False)
    iban_sealed: Mapped[str | None] = mapped_column(Text)
    iban_last4: Mapped[str | None] = mapped_column(String(4))
    bic: Mapped[str | None] = mapped_column(String(11))
    established_at: Mapped[datetime]
    tax_forms_required: Mapped[bool] = mapped_column(default=False)
    """Whether a payee without a valid US tax form is held: for payers of the United States."""
    vat_id: Mapped[str | None] = mapped_column(String(20))
    self_billing_months: Mapped[int] = mapped_column(default=12)
    """How long a self-billing agreement may run."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def month_at(self, now: datetime) -> Month:
        """The month that is running, by the firm's wall clock."""
        return Month.at(now, self.zone)

    def letterhead(self) -> dict[str, object]:
        """The firm as papers name it."""
        return {
            "name": self.name,
            "address": self.address.splitlines(),
            "email": self.email,
            "color": self.color,
        }
