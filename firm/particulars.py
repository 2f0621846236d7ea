"""Names, countries, addresses, VAT ids and reasons, written in one way through whichever door they come."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from firm.errors import Invalid
from firm.ids import is_id

_VAT_COUNTRY = {"EL": "GR", "XI": "GB"}
_PREFIX_IS_PART = ("CH",)
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ"
    " CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO"
    " FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE"
    " JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO"
    " MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW"
    " PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM"
    " TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
    # Kosovo has no code of ISO 3166 yet; banks and the European Union write this one.
    " XK"
)
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2200, 1, 1)
_COUNTRIES = frozenset(_CODES.split())
"""The countries of ISO 3166-1."""

UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Kinds of characters that are not seen: control, direction of writing, breaks of lines."""

JOINERS = frozenset("\u200c\u200d")
"""Not seen either, and part of how several languages are written."""


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


def checked_words(text: str, ask: str, *, field: str, most: int) -> str:
    """A reason, reference or note without blanks around it.

    Raises `InvalidParticulars`: with the sentence `ask` where nothing is written, and for more than `most` characters.
    """
    words = text.strip()
    if not words:
        raise InvalidParticulars(ask, field=field)
    if len(words) > most:
        raise InvalidParticulars(f"Write at most {most} characters here; these are {len(words)}.", field=field)
    return words


def checked_key(text: str, *, field: str = "name", most: int = 200) -> str:
    """A name that its bearer is also found by: never the form of an id, nor `me`, which stands for whoever asks.

    Raises `InvalidParticulars`.
    """
    name = checked_name(text, field=field, most=most)
    if name == "me" or is_id(name):
        raise InvalidParticulars(f"{name!r} would be taken for somebody else; choose another name.", field=field)
    return name


def checked_name(text: str, *, field: str = "name", most: int = 200) -> str:
    """The name without blanks around it. Raises `InvalidParticulars` for one with characters that nobody sees."""
    name = checked_line(text, field=field)
    return checked_words(name, "Write a name.", field=field, most=most)


def checked_line(text: str, *, field: str) -> str:
    """One line of text, without blanks around it; empty where nothing is written."""
    line = text.strip()
    for char in line:
        if unicodedata.category(char) in UNSEEN and char not in JOINERS:
            raise InvalidParticulars(
                f"Take the character U+{ord(char):04X} out, which nobody sees; write one line.", field=field
            )
    return line


def checked_address(lines: Sequence[str]) -> str:
    """The address as it is kept: its lines, without those that are empty."""
    return "\n".join(line for line in (checked_line(line, field="address") for line in lines) if line)


def checked_country(text: str) -> str:
    if text not in _COUNTRIES:
        sentence = "Write the country as its two capital letters of ISO 3166, such as US or DE."
        raise InvalidParticulars(sentence, field="country")
    return text


def checked_email(text: str) -> str:
    address = checked_line(text, field="email")
    if _EMAIL.fullmatch(address) is None:
        raise InvalidParticulars("Write one e-mail address, such as ada@example.org.", field="email")
    return address


def checked_bic(text: str) -> str:
    """A bank's code of ISO 9362, in capitals."""
    code = text.strip().upper()
    if _BIC.fullmatch(code) is None:
        raise InvalidParticulars("Write the BIC as 8 or 11 letters and digits, such as COBADEFFXXX.", field="bic")
    return code


def folded(name: str) -> str:
    """A name as it is compared with others: two that differ in capitals alone are one."""
    return unicodedata.normalize("NFKC", name).casefold()


def outside_of_books(day: date) -> str:
    """What is wrong with a day of a year that nobody can mean; empty for others."""
    kept = _FIRST_DAY <= day < _LAST_DAY
    return "" if kept else f"{day.isoformat()} lies outside of what books are kept of; mend the year."
