"""Adding and opening proofs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import reading, transaction, use_case
from firm.driver_errors import violated
from firm.errors import Busy, Invalid, NotFound, Refused
from firm.secrets import SealedColumn, SecretKeys
from payouts.proofs.model import MOST_BYTES, PaymentProof
from payouts.runs import queries as runs

_BEGINNINGS = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
SEALED = SealedColumn("payment_proof", "content_sealed", "payment_proof.content:{id}")
PROVABLE = ("sent", "settled", "returned")


class NoProof(NotFound):
    """The payout has no proof yet."""


class InvalidProof(Invalid):
    """A document that no proof may be."""


class NotPaid(Refused):
    """A payment that was not made has no proof."""


class AnotherProof(Busy):
    """Somebody else is adding a proof to the payout."""


@dataclass(frozen=True, slots=True)
class Document:
    """A proof with its bytes."""

    content_type: str
    sha256: str
    content: bytes


@use_case
def add(payout_id: str, content: bytes, *, keys: SecretKeys, by: Actor, now: datetime) -> PaymentProof:
    """Store a document as the newest proof of a payout; the same document again changes nothing.

    Raises `InvalidProof`, `PayoutNotFound`, `NotPaid`.
    """
    kind, sha256 = kind_of(content), hashlib.sha256(content).hexdigest()
    try:
        with transaction() as session:
            payout = runs.find_payout(session, payout_id)
            newest = _newest(session, payout.id)
            if newest is not None and newest.sha256 == sha256:
                return newest
            if payout.state not in PROVABLE:
                raise NotPaid(f"The payout to {payout.payee_name} is {payout.state}; a proof is of one that was sent.")
            identifier = ids.new("prf")
            proof = PaymentProof(
                id=identifier,
                payout_id=payout.id,
                version=1 if newest is None else newest.version + 1,
                content_type=kind,
                size=len(content),
                sha256=sha256,
                content_sealed=keys.seal(base64.b64encode(content).decode(), place=SEALED.place_of(identifier)),
                added_at=now,
                added_by=by.name,
            )
            session.add(proof)
            session.flush()
            facts = {"payout": payout.id, "version": proof.version, "sha256": sha256}
            audit.record(session, "payment-proof.added", identifier, facts, after=_state(proof), by=by, now=now)
            return proof
    except IntegrityError as error:
        if violated(error, "uq_payment_proof_payout_id_version"):
            raise AnotherProof("Somebody else is adding a proof to this payout; try again in a moment.") from error
        raise


def newest_of(payout_id: str) -> PaymentProof:
    """What is known of a payout's proof. Raises `PayoutNotFound`, `NoProof`."""
    with reading() as session:
        return _find(session, payout_id)


def newest_in(session: Session, payout_ids: Collection[str]) -> dict[str, PaymentProof]:
    """The newest proof of each of these payouts that has one, by payout id."""
    found: dict[str, PaymentProof] = {}
    wanted = sorted(payout_ids)
    for start in range(0, len(wanted), 500):
        some = PaymentProof.payout_id.in_(wanted[start : start + 500])
        for proof in session.scalars(select(PaymentProof).where(some).order_by(PaymentProof.version)):
            found[proof.payout_id] = proof
    return found


def versions_of(session: Session, payout_id: str) -> list[str]:
    """The ids of all proofs of a payout, in the order of their versions."""
    query = select(PaymentProof.id).where(PaymentProof.payout_id == payout_id)
    return list(session.scalars(query.order_by(PaymentProof.version)))


@use_case
def open_document(payout_id: str, *, keys: SecretKeys, by: Actor, now: datetime) -> Document:
    """The document itself; each opening is audited. Raises `PayoutNotFound`, `NoProof`."""
    with transaction() as session:
        proof = _find(session, payout_id)
        facts = {"payout": proof.payout_id, "version": proof.version}
        audit.record(session, "payment-proof.opened", proof.id, facts, by=by, now=now)
        content = base64.b64decode(keys.open(proof.content_sealed, place=SEALED.place_of(proof.id)))
        return Document(proof.content_type, proof.sha256, content)


def kind_of(content: bytes) -> str:
    """The media type by a document's own first bytes. Raises `InvalidProof`."""
    if len(content) > MOST_BYTES:
        raise InvalidProof(f"The document is larger than {MOST_BYTES // 1_000_000} MB; make a smaller copy.")
    for kind, beginning in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    raise InvalidProof("The document is no PDF, PNG or JPEG; save the bank's confirmation as one of these.")


def _find(session: Session, payout_id: str) -> PaymentProof:
    payout = runs.find_payout(session, payout_id)
    found = _newest(session, payout.id)
    if found is None:
        raise NoProof(f"The payout to {payout.payee_name} has no proof yet.")
    return found


def _newest(session: Session, payout_id: str) -> PaymentProof | None:
    mine = select(PaymentProof).where(PaymentProof.payout_id == payout_id)
    return session.scalar(mine.order_by(PaymentProof.version.desc()).limit(1))


def _state(proof: PaymentProof) -> dict[str, object]:
    """What the audit digest holds: everything but the sealed bytes."""
    columns = [column.key for column in PaymentProof.__table__.columns if column.key != "content_sealed"]
    return {name: getattr(proof, name) for name in columns}
