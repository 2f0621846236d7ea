"""The tables of tokens and of the answers that were given to keyed requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, PrimaryKeyConstraint, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from firm.actor import Role
from firm.db import Base, Identifier, UtcMoment, one_of

_ROLES = [str(role) for role in Role if role is not Role.SYSTEM]


class ApiToken(Base):
    """One bearer token; `subject_id` is the maintainer or client it stands for."""

    __tablename__ = "api_token"
    __table_args__ = (
        one_of("role", _ROLES),
        CheckConstraint("(role IN ('maintainer', 'client')) = (subject_id IS NOT NULL)", name="own_roles_have_subject"),
    )

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str | None] = mapped_column(String(34))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    revoked_at: Mapped[datetime | None]


# What a keyed request was answered; `status` is null while it is running.
keyed_answer = Table(
    "keyed_answer",
    Base.metadata,
    Column("principal", String(100), nullable=False),
    Column("route", String(300), nullable=False),
    Column("key", String(255), nullable=False),
    Column("request_sha256", String(64), nullable=False),
    Column("started_at", UtcMoment, nullable=False),
    Column("status", Integer),
    Column("content_type", String(100)),
    Column("body", LargeBinary),
    PrimaryKeyConstraint("principal", "route", "key"),
)
