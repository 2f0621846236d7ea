"""Texts of a bank as we keep them in the clear: in one line, and without the number of any account."""

from __future__ import annotations

import re

_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_LENGTHS = {country: length for length, countries in _COUNTRIES.items() for country in countries.split()}
"""How long an IBAN of each country is (the registry of ISO 13616): by hand, money goes further than SEPA reaches."""

_BEGINNING = re.compile(r"[A-Z]{2}[0-9]{2}", re.ASCII | re.IGNORECASE)


def clean(text: str, *, most: int) -> str:
    """One line of printable characters that names no account, cut to a length."""
    line = "".join(char if char.isprintable() else " " for char in text[:1_000])
    return _without_accounts(" ".join(line.split()))[:most].strip()


def _without_accounts(text: str) -> str:
    kept, position = "", 0
    while (found := _BEGINNING.search(text, position)) is not None:
        end = _end_of_account(text, found.start())
        if end is None:
            # The second letter may be the first of one: "IBANDE89…".
            kept += text[position : found.start() + 1]
            position = found.start() + 1
        else:
            kept += text[position : found.start()] + "(account)"
            position = end
    return kept + text[position:]


def _end_of_account(text: str, start: int) -> int | None:
    """Where an IBAN that begins here ends, written with or without spaces; None if its digits do not check."""
    wanted, number, position = _LENGTHS.get(text[start : start + 2].upper(), 0), "", start
    while len(number) < wanted and position < len(text):
        char = text[position]
        if char.isascii() and char.isalnum():
            number += char.upper()
        elif char not in " -.":
            return None
        position += 1
    whole = wanted > 0 and len(number) == wanted
    return position if whole and _checks(number) else None


def _checks(number: str) -> bool:
    return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 == 1
