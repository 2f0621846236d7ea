"""Fields for what JSON has no type for, and strict ones for what it has: "12", 12.0 and true are no integer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import marshmallow as ma

from firm.clock import rfc3339
from firm.errors import Invalid
from firm.money import Money
from firm.month import Month


class MoneyField(ma.fields.Field[Money]):
    """{"amount": "10000.00", "currency": "USD"}: a decimal string with the currency's own number of digits."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else {"amount": value.decimal, "currency": value.currency}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Money:
        if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
            raise ma.ValidationError('Write money as {"amount": "10000.00", "currency": "USD"}.')
        if not all(isinstance(part, str) for part in value.values()):
            raise ma.ValidationError("Amount and currency are strings.")
        try:
            return Money.parse(value["amount"], value["currency"])
        except Invalid as error:
            raise ma.ValidationError(error.message) from error


class MonthField(ma.fields.Field[Month]):
    """A month, "2026-10"."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Month:
        if not isinstance(value, str):
            raise ma.ValidationError('A month is a string such as "2026-10".')
        try:
            return Month.parse(value)
        except Invalid as error:
            raise ma.ValidationError(error.message) from error


class DateField(ma.fields.Field[date]):
    """A date, "2026-10-31", in this one form."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.isoformat()

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        if isinstance(value, str) and len(value) == 10:
            try:
                day = date.fromisoformat(value)
                if day.isoformat() == value:
                    return day
            except ValueError:
                pass
        raise ma.ValidationError('A date is a string such as "2026-10-31".')


class MomentField(ma.fields.Field[datetime]):
    """A moment for reading, RFC 3339 in UTC."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else rfc3339(value.astimezone(UTC))


class MomentInput(MomentField):
    """A moment that callers send: RFC 3339 with its zone."""

    _FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or self._FORM.fullmatch(value) is None:
            raise ma.ValidationError("Write a moment such as 2026-10-31T12:00:00Z.")
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ma.ValidationError("There is no such moment.") from None


class Text(ma.fields.String):
    """A string of 1 to `most` characters that is not only white space."""

    def __init__(self, *, most: int = 200, least: int = 1, **kwargs: Any) -> None:
        super().__init__(validate=ma.validate.Length(min=least, max=most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if self.required and not str(text).strip():
            raise ma.ValidationError("Write something here.")
        return str(text)


class Country(Text):
    """A country's two capital letters of ISO 3166."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=2, most=2, metadata={"description": "ISO 3166 code, such as US."}, **kwargs)
        self.validators.append(ma.validate.Regexp("^[A-Z]{2}$", error="Write two capital letters, such as US or DE."))


class Lines(ma.fields.Field[str]):
    """A text that is kept with line breaks, shown as the list of its lines."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return str(value).splitlines()


class Whole(ma.fields.Integer):
    """An integer, and nothing that could be read as one."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=ma.validate.Range(min=least, max=most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return int(super()._deserialize(value, attr, data, **kwargs))


class Flag(ma.fields.Boolean):
    """true or false, and no other word for them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Schema(ma.Schema):
    """All bodies: unknown fields are refused, and fields keep the order they are written in."""

    class Meta:
        unknown = ma.RAISE
