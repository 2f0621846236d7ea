"""Texts of a bank as we keep them in the clear: in one line, and without the number of any account."""

from __future__ import annotations

import re

_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "EE", "LT", "LU"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "DE", "GB", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("GI",), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "RO", "SE", "SK"), 24),
    **dict.fromkeys(("PT",), 25),
    **dict.fromkeys(("IS",), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "SM"), 27),
    **dict.fromkeys(("AL", "CY", "HU", "PL"), 28),
    **dict.fromkeys(("MT",), 31),
}
"""How long an IBAN of each country is that SEPA reaches."""

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
