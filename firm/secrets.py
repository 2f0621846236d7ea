"""Bank details at rest: AES-GCM with key ids, bound to the place they belong to.

A sealed value is `v1.<key id>.<base64 of nonce and ciphertext>`. The place ("destination.iban:<row id>") is
authenticated with it, so that a value copied into another row does not open.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from firm.errors import Misconfigured

_VERSION = "v1"


class SecretUnreadable(Misconfigured):
    """A sealed value does not open: another key has its key's name, or it was moved or changed."""


class SecretKeyMissing(Misconfigured):
    """A value was sealed with a key that is not set here."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values, each bound to its row: `place` holds "{id}" for the row's id, or names the only row.

    Each subject declares its own, so that a rotation of keys finds every one of them.
    """

    table: str
    column: str
    place: str

    def place_of(self, identifier: object) -> str:
        """The place that a row's value is bound to."""
        return self.place.format(id=identifier)

    def subject_of(self, identifier: object) -> str:
        """What audit records call the row: the only row of a table is the firm's."""
        return str(identifier) if "{id}" in self.place else "firm"


class SecretKeys:
    """The keys in use, newest first: the first seals, all open.

    `before_sealing` is asked until it passes once: it may refuse keys that do not belong to the books.
    """

    def __init__(self, keys: dict[str, bytes], *, before_sealing: Callable[[], None] | None = None) -> None:
        self._keys = keys
        self._before_sealing = before_sealing

    def seal(self, text: str, *, place: str) -> str:
        """Raises `Misconfigured` when no key is set, or the keys do not open what is sealed already."""
        name = self.newest
        if self._before_sealing is not None:
            self._before_sealing()
            self._before_sealing = None
        key = self._keys[name]
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), place.encode())
        return f"{_VERSION}.{name}.{base64.b64encode(sealed).decode()}"

    @property
    def newest(self) -> str:
        """The id of the key that seals. Raises `Misconfigured` when no key is set."""
        if not self._keys:
            raise Misconfigured(
                "Set CHAMBERS_SECRET_KEYS before storing secrets; `chambers secret-key` prints a new key."
            )
        return next(iter(self._keys))

    @property
    def prefix(self) -> str:
        """What every value begins with that the newest key has sealed."""
        return f"{_VERSION}.{self.newest}."

    def open(self, sealed: str, *, place: str) -> str:
        """Raises `SecretKeyMissing`, `SecretUnreadable`."""
        version, _, rest = sealed.partition(".")
        name, _, encoded = rest.partition(".")
        key = self._keys.get(name)
        if version != _VERSION:
            raise SecretUnreadable("A sealed value was moved or changed; nothing opens it.")
        if key is None:
            raise SecretKeyMissing(f"The key {name!r} is not among CHAMBERS_SECRET_KEYS; add it back to read this.")
        try:
            raw = base64.b64decode(encoded, validate=True)
            return AESGCM(key).decrypt(raw[:12], raw[12:], place.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable(
                f"The key {name!r} of CHAMBERS_SECRET_KEYS does not open what was sealed under that name: it is another"
                " key, or the sealed value was moved or changed."
            ) from error


def key_of(sealed: str) -> str:
    """The id of the key that a value was sealed with."""
    return sealed.partition(".")[2].partition(".")[0]


def new_key() -> str:
    """A fresh key in the form of the setting."""
    return f"k{os.urandom(2).hex()}:{base64.b64encode(os.urandom(32)).decode()}"
