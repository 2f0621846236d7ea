"""The tables of clients and contacts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

CONTACT_ROLES = ("champion", "budget-holder", "procurement", "legal", "accounts-payable")


class Client(Base):
    """A client company, as its papers name it."""

    __tablename__ = "client"

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    address: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2))
    requires_po: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class ClientContact(Base):
    """A person at a client."""

    __tablename__ = "client_contact"
    __table_args__ = (one_of("role", CONTACT_ROLES), UniqueConstraint("client_id", "email", "role"))

    id: Mapped[Identifier]
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
