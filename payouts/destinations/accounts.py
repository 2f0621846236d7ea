"""Account numbers of the world: IBAN and BIC, checked before anything is written, and never repeated in an error."""

from __future__ import annotations

from firm.errors import Invalid

_SAME_BANKS = {
    "FI": ("AX",),
    "FR": ("BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT"),
    "GB": ("GG", "IM", "JE"),
}
"""Territories whose banks have BICs of their own (ISO 9362), and IBANs of the country they belong to (ISO 13616)."""


class InvalidIban(Invalid):
    """An account number that cannot be."""


class InvalidBic(Invalid):
    """A bank's code that cannot be, or of a bank in another country than the account."""


def checked_iban(text: str) -> str:
    """The IBAN in its compact form. Raises `InvalidIban`; the message never repeats the number."""
    from schwifty import IBAN  # imported here: its bank registry takes a third of a second
    from schwifty.exceptions import SchwiftyException

    try:
        return str(IBAN(text).compact)
    except SchwiftyException as error:
        raise InvalidIban("That is not a valid IBAN; check it against the paper it came from.", field="iban") from error


def checked_bic(text: str, *, iban: str | None) -> str:
    """The BIC in its compact form, for a bank of the IBAN's country where there is an IBAN. Raises `InvalidBic`."""
    from schwifty import BIC
    from schwifty.exceptions import SchwiftyException

    try:
        bic = BIC(text)
    except SchwiftyException as error:
        raise InvalidBic(
            "That is not a valid BIC; it has 8 or 11 characters, such as DEUTDEFF.", field="bic"
        ) from error
    country = str(bic.country_code)
    if iban is not None and country != iban[:2] and country not in _SAME_BANKS.get(iban[:2], ()):
        raise InvalidBic(
            f"The BIC is of a bank in {country} and the IBAN of an account in {iban[:2]}; one of them is wrong.",
            field="bic",
        )
    return str(bic.compact)
