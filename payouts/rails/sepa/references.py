"""The references that travel with a payment, and the way back from them.

The creditor reference is ISO 11649: "RF", two check digits (ISO 7064, mod 97-10), and up to 21 letters and digits.
"""

from __future__ import annotations

import re

from firm import ids
from firm.errors import InvariantBroken
from payouts.rails.rail import Order

_BODY = re.compile(r"[0-9A-Z]{1,21}", re.ASCII)
_REFERENCE = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}", re.ASCII)
_NOT_OF_A_REFERENCE = re.compile(r"[^0-9A-Z]")


class NoReference(InvariantBroken):
    """Text that no creditor reference can be made of."""


def end_to_end_id(payout_id: str) -> str:
    """The reference that comes back in what the bank answers: at most 35 characters."""
    return payout_id.replace("_", "-")[:35]


def payout_of(reference: str) -> str | None:
    """The payout whose end-to-end id this is; None for what is no id of ours. Banks may change case."""
    prefix, _, number = reference.strip().partition("-")
    identifier = f"{prefix.lower()}_{number.upper()}"
    return identifier if prefix.lower() == "pay" and ids.is_id(identifier) else None


def payment_id(message_id: str) -> str:
    """The id of a file's one group of payments."""
    return f"{message_id}-1"


def message_of(reference: str) -> str:
    """The message id of a file, from its own or its group's id."""
    return reference.strip().removesuffix("-1")


def payment_reference(order: Order) -> str:
    """The payee's reference: the run's number and the end of the payout's id, such as RF62RUN202600010Q9F4T2M8R."""
    run = _NOT_OF_A_REFERENCE.sub("", order.group.upper())[-11:]
    payout = _NOT_OF_A_REFERENCE.sub("", order.payout_id.upper())[-10:]
    return creditor_reference(run + payout)


def creditor_reference(text: str) -> str:
    """The reference with its check digits. Raises `NoReference`."""
    if _BODY.fullmatch(text) is None:
        raise NoReference("A creditor reference is made of 1 to 21 capital letters and digits.")
    return f"RF{98 - _remainder(f'{text}RF00'):02d}{text}"


def is_creditor_reference(text: str) -> bool:
    """Whether the check digits hold."""
    return _REFERENCE.fullmatch(text) is not None and _remainder(text[4:] + text[:4]) == 1


def _remainder(text: str) -> int:
    """Letters count from A = 10, as in an IBAN."""
    return int("".join(str(int(char, 36)) for char in text)) % 97
