"""Anchors: signed checkpoints of the chain's head, kept outside the database.

Whoever can rewrite the whole database can also compute the whole chain anew. What they cannot do is sign: each
anchor is one line of JSON in a file of its own, best on another machine, signed with a key that the database does
not hold.

Books that were restored lost the records after the backup. Whoever restores them signs that too: a line that cuts back
to the head that came along, and what was anchored beyond it counts no more. It names how many lines stand before it, so
that it cannot be put elsewhere and used again.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit import sequencer
from firm.audit.model import audit_record
from firm.db import reading, transaction, use_case
from firm.errors import Refused

SUBJECT, KEPT = "audit-chain", "anchor.kept"


class NothingToAnchor(Refused):
    """The chain has no link yet."""


class AnchorBroken(Refused):
    """A line of the file of anchors is not one of ours."""


class AnchorsOutOfReach(AnchorBroken):
    """The file of anchors cannot be read or written; that says nothing against the chain."""


class AnchorsLost(AnchorsOutOfReach):
    """The log says that anchors were kept, and the file has none."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of the chain at a moment."""

    seq: int
    hash: str
    at: datetime
    cut_at: int | None = None
    """For a cut, where restored books begin again behind this link: how many lines stand before it."""

    def content(self) -> bytes:
        """What is signed."""
        kind = "anchor v1" if self.cut_at is None else f"cut v1 {self.cut_at}"
        return f"chambers audit {kind} {self.seq} {self.hash} {self.at.astimezone(UTC).isoformat()}".encode()


class _Line(BaseModel):
    """An anchor with its signature, as a line of the file has it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    v: Literal[1]
    cut_at: Annotated[int, Field(ge=0)] | None = None
    seq: Annotated[int, Field(ge=0)]
    hash: str
    at: str
    signature: str


def drop(path: Path, *, key: bytes, by: Actor, now: datetime) -> Anchor:
    """Append an anchor of the present head to the file, durably; `key` is a 32-byte seed.

    It is on record too, so that a file that is gone is missed. Raises `NothingToAnchor`, `AnchorsLost`.
    """
    if not read(path, key=key):
        _refuse_lost(path)
    return drop_anew(path, key=key, by=by, now=now)


def drop_anew(path: Path, *, key: bytes, by: Actor, now: datetime) -> Anchor:
    """The same, also where the file of before is lost: a new one begins."""
    before = len(read(path, key=key))
    with reading() as session:
        seq, head = sequencer.head(session)
    if seq == 0:
        raise NothingToAnchor("The audit chain is empty; there is nothing to anchor yet.")
    anchor = Anchor(seq, head, now)
    _append(path, anchor, key)
    _put_on_record(anchor, before, by=by, now=now)
    return anchor


def cut(path: Path, seq: int, head: str, *, key: bytes, now: datetime) -> list[Anchor]:
    """Append that the chain goes on behind this link, and return the anchors that count no more for it."""
    before = read(path, key=key)
    lost = [one for one in before if one.seq > seq]
    if lost:
        _append(path, Anchor(seq, head, now, cut_at=len(_lines(path))), key)
    return lost


def read(path: Path, *, key: bytes) -> list[Anchor]:
    """The anchors of a file that count, each with its signature checked. Raises `AnchorBroken`, naming the line."""
    public = Ed25519PrivateKey.from_private_bytes(key).public_key()
    found: list[Anchor] = []
    for number, line in enumerate(_lines(path), 1):
        anchor = _checked(line, number, public)
        if anchor.cut_at is not None:
            if anchor.cut_at != number - 1:
                raise AnchorBroken(f"Line {number} of the file of anchors was signed for another place in it.")
            found = [one for one in found if one.seq <= anchor.seq]
        if anchor.seq > 0:
            found.append(anchor)
    return found


def last_on_record(session: Session) -> int | None:
    """The number of the link that was anchored last, by the log; None when none ever was."""
    kept = select(audit_record.c.facts).where(audit_record.c.subject == SUBJECT, audit_record.c.verb == KEPT)
    facts = session.scalar(kept.order_by(audit_record.c.id.desc()).limit(1))
    return None if facts is None else int(json.loads(facts)["seq"])


def _refuse_lost(path: Path) -> None:
    with reading() as session:
        seq = last_on_record(session)
    if seq is not None:
        raise AnchorsLost(
            f"Link {seq} of the audit chain was anchored, and {path} holds no anchor; put back a copy of the file, or"
            " begin a new one with `chambers audit anchor --anew`."
        )


@use_case
def _put_on_record(anchor: Anchor, before: int, *, by: Actor, now: datetime) -> None:
    facts = {"seq": anchor.seq, "hash": anchor.hash, "before": before}
    with transaction() as session:
        audit.record(session, KEPT, SUBJECT, facts, by=by, now=now)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        raise AnchorBroken(f"{path} is no file of anchors, or is damaged; put back a copy of it.") from None
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise AnchorsOutOfReach(
            f"The anchors in {path} cannot be read: {reason}; mend CHAMBERS_AUDIT_ANCHORS."
        ) from None


def newest(path: Path, *, key: bytes) -> Anchor | None:
    """The anchor of the file that was dropped last, or None."""
    return max(read(path, key=key), key=lambda anchor: anchor.at, default=None)


def public_text(key: bytes) -> str:
    """The public half, to check anchors with elsewhere."""
    public = Ed25519PrivateKey.from_private_bytes(key).public_key()
    return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _append(path: Path, anchor: Anchor, key: bytes) -> None:
    signature = Ed25519PrivateKey.from_private_bytes(key).sign(anchor.content())
    line = _Line(
        v=1,
        cut_at=anchor.cut_at,
        seq=anchor.seq,
        hash=anchor.hash,
        at=anchor.at.astimezone(UTC).isoformat(),
        signature=base64.b64encode(signature).decode(),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line.model_dump(exclude_none=True)) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        raise AnchorsOutOfReach(f"No anchor can be added to {path}: {reason}; mend CHAMBERS_AUDIT_ANCHORS.") from error


def _checked(line: str, number: int, public: Ed25519PublicKey) -> Anchor:
    try:
        said = _Line.model_validate_json(line)
        anchor = Anchor(said.seq, said.hash, datetime.fromisoformat(said.at), said.cut_at)
        public.verify(base64.b64decode(said.signature, validate=True), anchor.content())
    except (ValueError, OverflowError, InvalidSignature):
        raise AnchorBroken(f"Line {number} of the file of anchors is damaged, or not signed with our key.") from None
    return anchor
