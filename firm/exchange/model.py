"""The table of rates."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base
from firm.month import Month


class ExchangeRate(Base):
    """One currency's rate for one month, in hundred-millionths of the books' currency."""

    __tablename__ = "exchange_rate"
    __table_args__ = (CheckConstraint("rate > 0 AND rate = CAST(rate AS BIGINT)", name="rate_above_zero"),)

    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    month: Mapped[Month] = mapped_column(primary_key=True)
    rate: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(200))
