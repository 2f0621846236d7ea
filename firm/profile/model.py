"""The single row of the firm."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, CheckConstraint, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, CurrencyCode, whole_minor
from firm.money import Money
from firm.month import Month

MOST_COOLING_OFF_HOURS = 720


class Profile(Base):
    """The firm: name and address as papers show them, the books' currency, the zone that makes its months."""

    __tablename__ = "profile"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint(f"cooling_off_hours BETWEEN 0 AND {MOST_COOLING_OFF_HOURS}", name="cooling_off_in_range"),
        whole_minor("adjustment_limit_minor", least=0),
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
    adjustment_limit_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """What others than the lead may adjust for one maintainer in one month; zero leaves all of it to the lead."""
    iban_sealed: Mapped[str | None] = mapped_column(Text)
    iban_last4: Mapped[str | None] = mapped_column(String(4))
    bic: Mapped[str | None] = mapped_column(String(11))
    established_at: Mapped[datetime]
    cooling_off_hours: Mapped[int] = mapped_column(Integer, default=72, server_default="72")
    """For how long nobody is paid to a changed destination."""
    tax_forms_required: Mapped[bool] = mapped_column(default=False)
    """Whether a payee without a valid US tax form is held: for payers of the United States."""
    backup_withholding: Mapped[bool] = mapped_column(default=False)
    """Whether people of the United States among them are paid all the same, less what the law withholds."""
    vat_id: Mapped[str | None] = mapped_column(String(20))
    self_billing_months: Mapped[int] = mapped_column(default=12)
    """How long a self-billing agreement may run."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def cooling_off(self) -> timedelta:
        return timedelta(hours=self.cooling_off_hours)

    @property
    def adjustment_limit(self) -> Money:
        return Money(self.adjustment_limit_minor, self.currency)

    @property
    def tax_forms(self) -> str:
        """The switch in one word: off, on or withhold."""
        return "withhold" if self.backup_withholding else "on" if self.tax_forms_required else "off"

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
