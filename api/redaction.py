"""The last line of defense of the logs: what looks like a secret or a bank account never leaves.

Nothing should bring such a thing here in the first place. What does is cut out of the finished line, by its shape.
"""

from __future__ import annotations

import re

REMOVED = "[removed]"

_SHAPES = (
    # Tokens of this API, also cut short or with a typing error in them.
    re.compile(r"chm_[0-9A-Za-z]{4,}", re.ASCII),
    # What stands behind a bearer token's scheme, whoever issued it.
    re.compile(r"(?<=[Bb]earer )[^\s\"',]{4,}"),
    # Keys and signing secrets that name themselves.
    re.compile(r"(?<![0-9A-Za-z])(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z_*]+", re.ASCII),
    re.compile(r"(?<![0-9A-Za-z])whsec_[0-9A-Za-z+/=_*-]+", re.ASCII),
    # Links to a payment provider's own pages let in whoever holds them.
    re.compile(r"https://[a-z]{1,20}\.stripe\.com/[^\s\"'<>\\]+", re.ASCII),
    re.compile(r"AGE-SECRET-KEY-1[0-9A-Za-z]+", re.ASCII),
    # 32 bytes in base64: a key of CHAMBERS_SECRET_KEYS.
    re.compile(r"(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{43}=", re.ASCII),
    # The user and password of a database address.
    re.compile(r"(?<=://)[^\s/@\"']{1,200}(?=@)"),
    # An IBAN as printed or as stored; two letters, two digits, then 11 to 30 more.
    re.compile(r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]{4}){2,7}(?:[ -]?[0-9A-Za-z]{1,3})?\b", re.ASCII),
)


def redact(text: str) -> str:
    """The text without anything of those shapes. What replaces them keeps JSON valid."""
    for shape in _SHAPES:
        text = shape.sub(REMOVED, text)
    return text
