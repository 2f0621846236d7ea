"""The tables of maintainers and aliases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

GRADES = ("lead", "associate", "junior")
WORKS_AS = ("owner", "employee", "subcontractor")


class Maintainer(Base):
    """A person who maintains packages."""

    __tablename__ = "maintainer"
    __table_args__ = (one_of("grade", GRADES), one_of("works_as", WORKS_AS))

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    email: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2))
    grade: Mapped[str] = mapped_column(String(20))
    works_as: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]


class Alias(Base):
    """A name or an address under which a maintainer appears, in lower case."""

    __tablename__ = "alias"
    __table_args__ = (one_of("kind", ["name", "email"]), UniqueConstraint("kind", "value"))

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[str] = mapped_column(String(200))
