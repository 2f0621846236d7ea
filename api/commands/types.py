"""Values on the command line: money, months, days, percentages, and pairs of a name and a value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import click

from firm.errors import Invalid
from firm.money import Money
from firm.month import Month as MonthValue

T = TypeVar("T")

_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?", re.ASCII)


class MoneyType(click.ParamType[Money]):
    """ "10000.00 USD" """

    name = "money"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Money:
        if isinstance(value, Money):
            return value
        amount, _, currency = str(value).strip().partition(" ")
        try:
            return Money.parse(amount.replace(",", ""), currency.strip())
        except Invalid as error:
            self.fail(f'{error.message} Write it like "10000.00 USD".', param, ctx)


class MonthType(click.ParamType[MonthValue]):
    """2026-10"""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> MonthValue:
        if isinstance(value, MonthValue):
            return value
        try:
            return MonthValue.parse(str(value))
        except Invalid as error:
            self.fail(error.message, param, ctx)


class DayType(click.ParamType[date]):
    """2026-10-31"""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail("Write a day like 2026-10-31.", param, ctx)


class MomentType(click.ParamType[datetime]):
    """2026-10-31T12:00:00Z"""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
            if moment.tzinfo is None:
                self.fail("Write the moment with its zone, like 2026-10-31T12:00:00Z.", param, ctx)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("Write a moment like 2026-10-31T12:00:00Z.", param, ctx)


class PercentType(click.ParamType[int]):
    """20 or 12.5, as basis points"""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _PERCENT.fullmatch(str(value).removesuffix("%").strip())
        if match is None:
            self.fail("Write a percentage like 20 or 12.5.", param, ctx)
        return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


class PairType(click.ParamType[tuple[str, Any]]):
    """NAME=VALUE, the value of another type"""

    def __init__(self, inner: click.ParamType[Any]) -> None:
        self.inner = inner
        self.name = f"name={inner.name}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).rpartition("=")
        if not equals or not name:
            self.fail(f"Write it like {self.name.upper()}.", param, ctx)
        return name, self.inner.convert(text, param, ctx)


def by_name(pairs: Iterable[tuple[str, T]], option: str) -> dict[str, T]:
    """What an option was given for each name. Fails for a name that was given twice."""
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise click.BadParameter(f"{name} is given twice; say once what it gets.", param_hint=option)
        found[name] = value
    return found


MONEY, MONTH, DAY, MOMENT, PERCENT = MoneyType(), MonthType(), DayType(), MomentType(), PercentType()
