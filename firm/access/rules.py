"""The form of a token, and what its scopes allow: told without asking the database."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from collections.abc import Iterable

from firm.errors import Invalid

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_FORM = re.compile(r"chm_([0-9a-hjkmnp-tv-z]{32})([0-9a-f]{8})", re.ASCII)
_SCOPE = re.compile(r"(read|write)(:[a-z][a-z-]{1,40})?", re.ASCII)


class InvalidScope(Invalid):
    """A scope of a form that there is not."""


def new_secret() -> str:
    """A new token: 160 random bits and their checksum."""
    body = "".join(_ALPHABET[byte & 31] for byte in secrets.token_bytes(32))
    return f"chm_{body}{zlib.crc32(body.encode()):08x}"


def well_formed(secret: str) -> bool:
    """A typing error is told from a token that opens nothing by its checksum."""
    match = _FORM.fullmatch(secret)
    return match is not None and f"{zlib.crc32(match[1].encode()):08x}" == match[2]


def digest(secret: str) -> str:
    """What is stored. 160 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def scopes_text(scopes: Iterable[str]) -> str:
    """Scopes as they are stored, sorted. Raises `InvalidScope`."""
    found = sorted(set(scopes))
    for scope in found:
        if _SCOPE.fullmatch(scope) is None:
            raise InvalidScope(
                f"{scope!r} is no scope; use read, write, or one of them for a resource, such as write:receipts.",
                field="scopes",
            )
    text = " ".join(found)
    if not found or len(text) > 400:
        raise InvalidScope("A token has at least one scope, and not more than 400 characters of them.", field="scopes")
    return text


def beyond(scopes: Iterable[str], held: Iterable[str]) -> list[str]:
    """Those of the scopes, sorted, that somebody who holds others cannot give away."""
    return sorted(scope for scope in set(scopes) if not _covers(frozenset(held), scope))


def _covers(held: frozenset[str], scope: str) -> bool:
    verb, _, resource = scope.partition(":")
    return scope_allows(held, resource, writing=verb == "write") if resource else not held.isdisjoint({verb, "write"})


def scope_allows(scopes: Iterable[str], resource: str, *, writing: bool) -> bool:
    """Whether scopes cover reading or writing a resource ("payout-runs"). Who may write may read."""
    wanted = {"write", f"write:{resource}"}
    if not writing:
        wanted |= {"read", f"read:{resource}"}
    return not wanted.isdisjoint(scopes)
