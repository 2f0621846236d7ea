"""Name, country, e-mail address and VAT id, written in one way through whichever door they come."""

from __future__ import annotations

import re

from firm.errors import Invalid

COUNTRY = "[A-Z]{2}"
_VAT_COUNTRY = {"EL": "GR", "XI": "GB"}
_PREFIX_IS_PART = ("CH",)
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


class InvalidParticulars(Invalid):
    """A name, country or address that is not written as one."""


class InvalidVatId(Invalid):
    """A VAT id that no country gives."""


def checked_vat_id(text: str) -> str:
    """The VAT id in its compact form, its country first, such as DE136695976. Its digits are checked, not its owner.

    Raises `InvalidVatId`.
    """
    from stdnum import get_cc_module  # imported here: few commands look at a VAT id
    from stdnum.exceptions import ValidationError

    compact = "".join(character for character in text.upper() if character.isalnum())
    country, rest = compact[:2], compact[2:]
    module = get_cc_module(_VAT_COUNTRY.get(country, country).lower(), "vat") if country.isalpha() else None
    try:
        if module is None or not compact.isascii():
            raise ValidationError
        # Some countries' modules keep the prefix and some do not; a paper always shows it.
        number = str(module.validate(compact if country in _PREFIX_IS_PART else rest))
    except ValidationError as error:
        sentence = "That is not a valid VAT id; write it with its country, such as DE136695976."
        raise InvalidVatId(sentence, field="vat_id") from error
    return number if number.startswith(country) else country + number


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
