"""Taking numbers."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm.numbering.model import number_series


def take(session: Session, kind: str, year: int, count: int = 1) -> list[str]:
    """The next `count` numbers of a series, for example ["INV-2026-0007"]. They are gone once committed."""
    name = f"{kind}-{year}"
    engine = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    first = engine.insert(number_series).values(name=name, last=count)
    following = first.on_conflict_do_update(
        index_elements=["name"], set_={"last": number_series.c.last + count}
    ).returning(number_series.c.last)
    last = session.scalars(following).one()
    return [f"{name}-{number:04d}" for number in range(last - count + 1, last + 1)]
