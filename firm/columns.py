"""What tables are made of: the base of all models, the types of their columns, and the CHECKs that recur."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, MetaData, String
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from firm.errors import InvariantBroken
from firm.money import LIMIT_MINOR
from firm.month import Month


class UtcMoment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC on both databases. A naive one is refused: nobody knows when it was."""

    impl = DateTime
    cache_ok = True

    def __init__(self, timezone: bool = True) -> None:
        super().__init__(timezone=timezone)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise InvariantBroken("A moment without a time zone reached the database.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


class MonthText(TypeDecorator[Month]):
    """A month as its text, "2026-10", which sorts as the months do."""

    impl = String
    cache_ok = True

    def __init__(self, length: int = 7) -> None:
        super().__init__(length=length)

    def process_bind_param(self, value: Month | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Month | None:
        return None if value is None else Month.parse(value)


Identifier = Annotated[str, mapped_column(String(34), primary_key=True)]
Reference = Annotated[str, mapped_column(String(34))]
CurrencyCode = Annotated[str, mapped_column(String(3))]
Minor = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    registry = registry(
        type_annotation_map={datetime: UtcMoment, Month: MonthText},
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
    )


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """A CHECK that a text column holds one of the words of a state or kind."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def whole_minor(column: str, *, least: int = -LIMIT_MINOR) -> CheckConstraint:
    """A CHECK that an amount is a whole number in range.

    SQLite would keep 0.5 or '12abc' in an integer column; comparing with the cast refuses both, and the same
    text is valid on PostgreSQL.
    """
    return CheckConstraint(
        f"{column} = CAST({column} AS BIGINT) AND {column} BETWEEN {least} AND {LIMIT_MINOR}",
        name=f"{column}_whole",
    )
