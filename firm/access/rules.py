"""The form of a token: a typing error is told from a token that opens nothing, without asking the database."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_FORM = re.compile(r"chm_([0-9a-hjkmnp-tv-z]{32})([0-9a-f]{8})", re.ASCII)


def new_secret() -> str:
    """A new token: 160 random bits and their checksum."""
    body = "".join(_ALPHABET[byte & 31] for byte in secrets.token_bytes(32))
    return f"chm_{body}{zlib.crc32(body.encode()):08x}"


def well_formed(secret: str) -> bool:
    match = _FORM.fullmatch(secret)
    return match is not None and f"{zlib.crc32(match[1].encode()):08x}" == match[2]


def digest(secret: str) -> str:
    """What is stored. 160 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
