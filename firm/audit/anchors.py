"""Anchors: signed checkpoints of the chain's head, kept outside the database.

Whoever can rewrite the whole database can also compute the whole chain anew. What they cannot do is sign: each
anchor is one line of JSON in a file of its own, best on another machine, signed with a key that the database does
not hold.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firm.audit import sequencer
from firm.db import reading
from firm.errors import Refused


class NothingToAnchor(Refused):
    """The chain has no link yet."""


class AnchorBroken(Refused):
    """A line of the file of anchors is not one of ours."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of the chain at a moment."""

    seq: int
    hash: str
    at: datetime

    def content(self) -> bytes:
        """What is signed."""
        return f"chambers audit anchor v1 {self.seq} {self.hash} {self.at.astimezone(UTC).isoformat()}".encode()


def drop(path: Path, *, key: bytes, now: datetime) -> Anchor:
    """Append an anchor of the present head to the file, durably; `key` is a 32-byte seed. Raises `NothingToAnchor`."""
    with reading() as session:
        seq, head = sequencer.head(session)
    if seq == 0:
        raise NothingToAnchor("The audit chain is empty; there is nothing to anchor yet.")
    anchor = Anchor(seq, head, now)
    private = Ed25519PrivateKey.from_private_bytes(key)
    line = {
        "v": 1,
        "seq": seq,
        "hash": head,
        "at": now.astimezone(UTC).isoformat(),
        "signature": base64.b64encode(private.sign(anchor.content())).decode(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return anchor


def read(path: Path, *, key: bytes) -> Iterator[Anchor]:
    """The anchors of a file, each with its signature checked. Raises `AnchorBroken`, naming the line."""
    public = Ed25519PrivateKey.from_private_bytes(key).public_key()
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield _checked(line, number, public)


def newest(path: Path, *, key: bytes) -> Anchor | None:
    """The anchor of the file that reaches furthest, or None."""
    return max(read(path, key=key), key=lambda anchor: anchor.seq, default=None)


def public_text(key: bytes) -> str:
    """The public half, to check anchors with elsewhere."""
    public = Ed25519PrivateKey.from_private_bytes(key).public_key()
    return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _checked(line: str, number: int, public: Ed25519PublicKey) -> Anchor:
    try:
        values = json.loads(line)
        anchor = Anchor(int(values["seq"]), str(values["hash"]), datetime.fromisoformat(values["at"]))
        public.verify(base64.b64decode(values["signature"], validate=True), anchor.content())
    except (ValueError, KeyError, TypeError, InvalidSignature):
        raise AnchorBroken(f"Line {number} of the file of anchors is damaged, or not signed with our key.") from None
    return anchor
