"""The tables of plans and of what they divided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
)
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, MonthText, one_of, whole_minor
from firm.month import Month


class AllocationPlan(Base):
    """One version of the plan, in force from a month on until a later version begins."""

    __tablename__ = "allocation_plan"
    __table_args__ = (CheckConstraint("overhead_bp BETWEEN 0 AND 10000", name="overhead_bp_range"),)

    id: Mapped[Identifier]
    version: Mapped[int] = mapped_column(unique=True)
    from_month: Mapped[Month]
    overhead_bp: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))


class PlanReserve(Base):
    """A reserve's rate in a plan."""

    __tablename__ = "plan_reserve"
    __table_args__ = (CheckConstraint("rate_bp BETWEEN 0 AND 10000", name="rate_bp_range"),)

    plan_id: Mapped[str] = mapped_column(ForeignKey("allocation_plan.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    rate_bp: Mapped[int]


class PlanWeight(Base):
    """A package's weight in a plan."""

    __tablename__ = "plan_weight"
    __table_args__ = (CheckConstraint("weight BETWEEN 0 AND 1000000", name="weight_range"),)

    plan_id: Mapped[str] = mapped_column(ForeignKey("allocation_plan.id"), primary_key=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("package.id"), primary_key=True)
    weight: Mapped[int]


allocation = Table(
    "allocation",
    Base.metadata,
    Column("month", MonthText, primary_key=True),
    Column("plan_id", String(34), ForeignKey("allocation_plan.id"), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    whole_minor("total_minor", least=0),
)

FUND_KINDS = ("overhead", "reserve", "package")

allocation_share = Table(
    "allocation_share",
    Base.metadata,
    Column("month", MonthText, ForeignKey("allocation.month"), nullable=False),
    Column("engagement_id", String(34), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("target", String(40), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("month", "engagement_id", "kind", "target"),
    one_of("kind", FUND_KINDS),
    whole_minor("amount_minor", least=0),
    Index("ix_allocation_share_target", "month", "kind", "target"),
)
