"""Name, country and e-mail address of a client or a maintainer, written in one way through whichever door they come."""

from __future__ import annotations

import re

from firm.errors import Invalid

COUNTRY = "[A-Z]{2}"
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


class InvalidParticulars(Invalid):
    """A name, country or address that is not written as one."""


def checked_name(text: str) -> str:
    if not text.strip():
        raise InvalidParticulars("Write a name.", field="name")
    return text


def checked_country(text: str) -> str:
    if re.fullmatch(COUNTRY, text) is None:
        sentence = "Write the country as its two capital letters of ISO 3166, such as US or DE."
        raise InvalidParticulars(sentence, field="country")
    return text


def checked_email(text: str) -> str:
    if _EMAIL.fullmatch(text) is None:
        raise InvalidParticulars("Write one e-mail address, such as ada@example.org.", field="email")
    return text
