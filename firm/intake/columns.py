"""The types of columns: how each is written, in one way only, and the sentence for whoever writes it differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

from firm.csvfile.reading import cut
from firm.errors import Invalid
from firm.money import BASIS
from firm.month import Month
from firm.particulars import checked_country, checked_email

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,4})?", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))? ?%", re.ASCII)
_ITEMS = re.compile(r"[;\r\n]")


def plain_text(text: str, most: int) -> str:
    """Text of one line, without blanks around it. Raises `ValueError`, as all readers of cells here do."""
    text = text.strip()
    if "\n" in text or "\r" in text:
        raise ValueError("Write it in one line.")
    return _clean(text, most)


def _clean(text: str, most: int) -> str:
    if found := _CONTROL.search(text):
        raise ValueError(f"It holds the control character U+{ord(found[0]):04X}; take it out.")
    if len(text) > most:
        raise ValueError(f"It is longer than {most} characters; shorten it.")
    return text


def address_lines(text: str) -> tuple[str, ...]:
    lines = tuple(_clean(line.strip(), 200) for line in text.strip().splitlines() if line.strip())
    if len(lines) > 8:
        raise ValueError("An address has at most 8 lines.")
    return lines


def email(text: str) -> str:
    return _as_everywhere(checked_email, plain_text(text, 200))


def country(text: str) -> str:
    return _as_everywhere(checked_country, text.strip())


def _as_everywhere(checked: Callable[[str], str], text: str) -> str:
    try:
        return checked(text)
    except Invalid as error:
        raise ValueError(error.message) from None


def currency(text: str) -> str:
    if _CURRENCY.fullmatch(text.strip()) is None:
        raise ValueError("Write the currency as its three capital letters of ISO 4217, such as USD or EUR.")
    return text.strip()


def yes_or_no(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("yes", "no"):
        raise ValueError("Write yes or no.")
    return word == "yes"


def day(text: str) -> date:
    text = text.strip()
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        raise ValueError("There is no such day; write one of the calendar, such as 2026-10-31.") from None
    raise ValueError("Write the day as year, month and day, such as 2026-10-31.")


def month(text: str) -> Month:
    try:
        return Month.parse(text.strip())
    except Invalid as error:
        raise ValueError(error.message) from None


def whole(text: str) -> int:
    """A number without a sign; the pattern comes first, as `int` alone takes other scripts' digits and 1_000."""
    if _WHOLE.fullmatch(text.strip()) is None:
        raise ValueError("Write a whole number in the digits 0 to 9, such as 90.")
    return int(text.strip())


def amount(text: str) -> str:
    """An amount's decimal text; the currency stands in a column of its own."""
    text = text.strip()
    if _AMOUNT.fullmatch(text) is None:
        raise ValueError(f"{_hint(text)} Write an amount as digits with a decimal point, such as 10000.00.")
    return text


def _hint(text: str) -> str:
    for pattern, sentence in (
        (r"[0-9.]*,[0-9]{2}", "Use a point for the decimals, not a comma."),
        (r"[0-9]{1,3}(?:[, '’\u00a0\u202f_][0-9]{3})+(?:\.[0-9]+)?", "Leave out the signs between thousands."),
        (r"[0-9.]+[eE][+-]?[0-9]+", "Write all digits; an exponent is not read."),
        (r"-.*", "An amount here is not negative."),
        (r".*[A-Za-z$€£¥].*", "The currency stands in its own column."),
    ):
        if re.compile(pattern, re.ASCII).fullmatch(text[:100]):
            return sentence
    return "This is no amount."


def percent(text: str) -> int:
    """Basis points of a percentage, which has its sign: a bare 0.4 could be meant either way."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise ValueError("Write a share as a percentage with its sign, such as 12.5%, with two decimals at most.")
    basis_points = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if basis_points > BASIS:
        raise ValueError("A share is at most 100%.")
    return basis_points


def items(text: str) -> list[str]:
    """The items of a list in one cell, between semicolons or in lines of their own."""
    return [item.strip() for item in _ITEMS.split(text) if item.strip()]


def pairs(text: str, reader: Callable[[str], Any], example: str) -> dict[str, Any]:
    """Items such as `ssh=40%`, each name once."""
    found: dict[str, Any] = {}
    for item in items(text):
        name, equals, value = item.rpartition("=")
        if not equals or not name.strip():
            raise ValueError(f"Write {cut(item)!r} as a name, an equals sign and a value: {example}.")
        if (name := plain_text(name, 200)) in found:
            raise ValueError(f"{name} is there twice; name it once.")
        found[name] = reader(value)
    return found


def one_of(words: Sequence[str]) -> BeforeValidator:
    """One of these words, as it stands."""

    def read(text: Any) -> str:
        if str(text).strip() not in words:
            raise ValueError(f"Write one of {', '.join(words)}.")
        return str(text).strip()

    return BeforeValidator(read)


def text_of(most: int) -> BeforeValidator:
    return BeforeValidator(lambda text: plain_text(text, most))


def read_by(reader: Callable[[str], Any]) -> BeforeValidator:
    return BeforeValidator(reader)


Name = Annotated[str, text_of(200)]
Email = Annotated[str, read_by(email)]
Address = Annotated[tuple[str, ...], read_by(address_lines)]
Country = Annotated[str, read_by(country)]
Currency = Annotated[str, read_by(currency)]
YesNo = Annotated[bool, read_by(yes_or_no)]
Day = Annotated[date, read_by(day)]
MonthOf = Annotated[Month, read_by(month)]
Whole = Annotated[int, read_by(whole)]
Amount = Annotated[str, read_by(amount)]
Percent = Annotated[int, read_by(percent)]
