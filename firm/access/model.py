"""The tables of principals, their tokens, what tokens were used, and the answers given to keyed requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from firm.actor import Role
from firm.columns import Base, Identifier, Reference, UtcMoment, one_of

_ROLES = [str(role) for role in Role if role is not Role.SYSTEM]


class Principal(Base):
    """Somebody, or a program, that may come in; `subject_id` is the maintainer or client it stands for."""

    __tablename__ = "principal"
    __table_args__ = (
        one_of("kind", ["person", "service"]),
        one_of("role", _ROLES),
        CheckConstraint("(role IN ('maintainer', 'client')) = (subject_id IS NOT NULL)", name="own_roles_have_subject"),
    )

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    role: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str | None] = mapped_column(String(34))
    may_approve: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    disabled_at: Mapped[datetime | None]
    totp_sealed: Mapped[str | None] = mapped_column(Text, info={"apart": True})
    totp_step: Mapped[int | None] = mapped_column(BigInteger, info={"apart": True})
    """The time step of the last code that was taken: a code opens once.

    Both stand apart from what the audit log holds of a principal: archives leave them out.
    """


class ApiToken(Base):
    """One bearer token of a principal; `proved_at` is when its holder last proved presence."""

    __tablename__ = "api_token"
    __table_args__ = (Index("ix_api_token_principal_id", "principal_id", "id"),)

    id: Mapped[Identifier]
    principal_id: Mapped[Reference] = mapped_column(ForeignKey("principal.id"))
    label: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[str] = mapped_column(String(400))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    proved_at: Mapped[datetime | None] = mapped_column(info={"apart": True})
    """A proof is on record as the principal's, and changes nothing else of the token."""


# Apart from the tokens, so that reading with one changes nothing of the firm's.
token_use = Table(
    "token_use",
    Base.metadata,
    Column("token_id", String(34), ForeignKey("api_token.id"), primary_key=True),
    Column("last_used_at", UtcMoment, nullable=False),
)

# How much of its allowance a token, an address or a principal has used in a window of time.
allowance = Table(
    "allowance",
    Base.metadata,
    Column("subject", String(100), nullable=False),
    Column("window_at", UtcMoment, nullable=False),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("subject"),
    CheckConstraint("used >= 0", name="used_not_negative"),
)

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
    Column("headers", Text),
    Column("body", LargeBinary),
    PrimaryKeyConstraint("principal", "route", "key"),
    Index("ix_keyed_answer_started_at", "started_at"),
)
