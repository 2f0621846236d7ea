"""Whether the keys of this process open what is sealed in the database.

A wrong key goes unnoticed until somebody is to be paid; a value sealed under it meanwhile opens with that key alone.
So readiness and verification try what is there, and nothing new is sealed until it opens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from firm.db import db
from firm.errors import Misconfigured
from firm.invariant import Walk
from firm.secrets import SecretKeyMissing, SecretKeys, SecretUnreadable, key_of

NEWEST = 20
"""How many of each are tried before something new is sealed; verification tries all."""


class KeysOpenNothing(Misconfigured):
    """The keys are not those that the books were sealed with."""


def walk(keys: SecretKeys, lost: Collection[str]) -> Walk:
    """The check that everything sealed opens here."""
    return Walk(
        "sealed-opens",
        "CHAMBERS_SECRET_KEYS opens every bank detail, authenticator and webhook secret that is sealed.",
        lambda session: _closed(session, keys, lost),
    )


def refuse_wrong(connection: Connection | Session, keys: SecretKeys, lost: Collection[str]) -> None:
    """Raises `KeysOpenNothing` where something is sealed that the keys do not open."""
    for breach in _closed(connection, keys, lost, most=NEWEST):
        raise KeysOpenNothing(
            f"CHAMBERS_SECRET_KEYS does not open what is sealed in {breach['what']}; set the key it was sealed with"
            " beside the new one. A key that is lost for good is named in CHAMBERS_LOST_SECRET_KEYS."
        )


def guarded(keys: dict[str, bytes], lost: Collection[str]) -> SecretKeys:
    """Keys that seal nothing until they open what is sealed already; they are tried once."""
    plain = SecretKeys(keys)

    def before_sealing() -> None:
        # A connection of its own: whoever seals is inside a transaction, or in none.
        options: dict[str, Any] = {"sqlite_begin": "DEFERRED"} if db.engine.dialect.name == "sqlite" else {}
        with db.engine.connect().execution_options(**options) as connection:
            refuse_wrong(connection, plain, lost)

    return SecretKeys(keys, before_sealing=before_sealing)


def _closed(
    session: Session | Connection, keys: SecretKeys, lost: Collection[str], most: int | None = None
) -> Iterator[dict[str, Any]]:
    """Each column with the first value that does not open."""
    from api.sealed_columns import SEALED  # imported here: it knows every subject, and most commands seal nothing

    for one in SEALED:
        query = f"SELECT id, {one.column} FROM {one.table} WHERE {one.column} IS NOT NULL ORDER BY id DESC"  # noqa: S608
        for identifier, sealed in session.execute(text(query if most is None else f"{query} LIMIT {most}")):
            if key_of(sealed) in lost:
                continue
            try:
                keys.open(sealed, place=one.place_of(identifier))
            except (SecretKeyMissing, SecretUnreadable) as error:
                yield {"what": f"{one.table}.{one.column}", "which": identifier, "wrong": error.message}
                break
