"""The table of packages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

STATES = ("adopted", "staffed", "orphaned", "handed-over", "archived")


class Package(Base):
    """A package; `folder` is where it lives inside its repository, empty for all of it."""

    __tablename__ = "package"
    __table_args__ = (one_of("state", STATES),)

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    ecosystem: Mapped[str] = mapped_column(String(40))
    repository: Mapped[str] = mapped_column(String(300), default="")
    folder: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(20), default="adopted")
    created_at: Mapped[datetime]
