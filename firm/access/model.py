"""The table of tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from firm.actor import Role
from firm.db import Base, Identifier, one_of

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
