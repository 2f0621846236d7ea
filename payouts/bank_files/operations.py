"""Taking in a bank's file: stored whole with its lines in one commit, then applied line by line."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.driver_errors import violated
from firm.errors import Busy, Invalid, Misconfigured, Refused
from firm.money import Money
from firm.particulars import checked_words
from firm.profile import operations as profiles
from firm.secrets import SealedColumn, SecretKeys
from payouts.bank_files import applying, judging, queries, reading
from payouts.bank_files.messages import Statement, StatusReport
from payouts.bank_files.model import BankFile, BankLine
from payouts.destinations import opening
from payouts.runs import queries as runs
from payouts.runs import settling

Progress = Callable[[int, int], None]


SEALED = SealedColumn("bank_file", "content_sealed", "bank_file.content:{id}")


class WrongAccount(Invalid):
    """A statement of an account that is not the firm's."""


class WrongCurrency(Invalid):
    """A statement in a currency that the books' bank account is not kept in."""


class BeingReceived(Busy):
    """The same file is being taken in by somebody else."""


class NothingToResolve(Refused):
    """The line is not one that waits for a person."""


class NotThatFee(Invalid):
    """The line is no payment that came back less this fee."""


def receive(
    raw: bytes, *, keys: SecretKeys, by: Actor, now: datetime, progress: Progress = lambda done, total: None
) -> BankFile:
    """Store a file and apply its lines. May be repeated, and repeated after a crash: the same file changes nothing.

    Raises `InvalidBankFile`, `WrongAccount`, `WrongCurrency`, `DayAhead`.
    """
    message = reading.read(raw)
    file = _store(raw, message, keys=keys, by=by, now=now)
    applying.apply_all(file.id, by=by, now=now, progress=progress)
    return file


@use_case
def resolve(line_id: str, *, note: str, fee: Money | None = None, by: Actor, now: datetime) -> BankLine:
    """Say what an unmatched line is; it moves nothing, unless it is a payment that came back less the bank's `fee`.

    Then the whole payment is payable again, and the firm bears the fee. Raises `LineNotFound`, `NothingToResolve`,
    `NotThatFee`, and `PayoutNotInState` when the payment has come back already.
    """
    note = checked_words(note, "Say what it is: the note stays on record.", field="note", most=500)
    with transaction() as session:
        line = queries.find_line(session, line_id)
        before = digest(line)
        unmatched = update(BankLine).where(BankLine.id == line.id, BankLine.state == "unmatched")
        values = {"state": "resolved", "resolution": note, "resolved_at": now, "resolved_by": by.name}
        if not claim(session, unmatched.values(**values)):
            raise NothingToResolve(f"The line is {line.state}; only an unmatched one is resolved.")
        session.refresh(line)
        facts = {"note": line.resolution} | ({} if fee is None else {"fee": str(fee), "payout": line.payout_id})
        audit.record(session, "bank-line.resolved", line.id, facts, before=before, after=line, by=by, now=now)
        if fee is not None:
            _give_back_less(session, line, fee, by=by, now=now)
        return line


def _give_back_less(session: Session, line: BankLine, fee: Money, *, by: Actor, now: datetime) -> None:
    """Return the payment that the line was suggested for, when the fee is what it lacks to the cent."""
    back = line.amount
    if line.action != "return" or line.payout_id is None or back is None or fee.minor <= 0:
        raise NotThatFee("The line is no payment that came back; resolve it without a fee.", field="fee")
    payout = runs.find_payout(session, line.payout_id)
    if fee.currency != back.currency or back + fee != payout.amount:
        raise NotThatFee(f"The bank gave back {back} of {payout.amount}: the fee is the difference.", field="fee")
    if payout.state == "sent":
        raise NotThatFee(
            "The books do not have yet that this payment left the bank; read the statement of that day first.",
            field="fee",
        )
    reason, on = f"{applying.left_behind(line)}{applying.LESS}{fee}", applying.open_day(session, line)
    settling.give_back_in(session, payout, reason=reason, fee=fee, on=on, by=by, now=now)


@use_case
def _store(raw: bytes, message: StatusReport | Statement, *, keys: SecretKeys, by: Actor, now: datetime) -> BankFile:
    """The file with its lines, or the one that was stored before."""
    sha256 = hashlib.sha256(raw).hexdigest()
    try:
        with transaction() as session:
            known = session.scalar(select(BankFile).where(BankFile.sha256 == sha256))
            if known is not None:
                return known
            _refuse_strange(session, message, keys, by=by, now=now)
            file = _file(raw, sha256, message, keys, by=by, now=now)
            session.add(file)
            session.flush()
            lines = judging.lines_of(session, message, file.id)
            session.add_all(lines)
            facts = {"kind": file.kind, "message_id": file.message_id, "sha256": sha256, "lines": len(lines)}
            audit.record(session, "bank-file.received", file.id, facts, after=_state(file), by=by, now=now)
            return file
    except IntegrityError as error:
        if violated(error, "uq_bank_file_sha256"):
            raise BeingReceived("The same file is being taken in just now; try again in a moment.") from error
        raise


def _refuse_strange(
    session: Session, message: StatusReport | Statement, keys: SecretKeys, *, by: Actor, now: datetime
) -> None:
    """Raises what speaks against a message that is well-formed by itself."""
    if message.latest is not None:
        profiles.refuse_far_ahead(session, message.latest, now, field="")
    if not isinstance(message, Statement):
        return
    payer = opening.payer(session, keys, why="a bank's statement", by=by, now=now)
    if payer is None:
        raise Misconfigured(
            "A statement is held against the firm's account; set it with `chambers firm bank-account --iban …`."
        )
    if message.iban != payer.iban:
        raise WrongAccount(
            f"The statement is of an account ending in {message.iban[-4:]}; the firm's ends in {payer.iban[-4:]}."
        )
    currency = profiles.current(session).currency
    if message.opening.currency != currency:
        raise WrongCurrency(f"The statement is in {message.opening.currency}; the books are kept in {currency}.")


def _file(
    raw: bytes, sha256: str, message: StatusReport | Statement, keys: SecretKeys, *, by: Actor, now: datetime
) -> BankFile:
    identifier = ids.new("bfl")
    file = BankFile(
        id=identifier,
        sha256=sha256,
        kind="camt.053" if isinstance(message, Statement) else "pain.002",
        version=message.version,
        message_id=message.message_id,
        content_sealed=keys.seal(base64.b64encode(raw).decode(), place=SEALED.place_of(identifier)),
        received_at=now,
        received_by=by.name,
    )
    if isinstance(message, StatusReport):
        file.original_message_id = message.original_message_id
        return file
    file.statement_number, file.account_last4 = message.number, message.iban[-4:]
    file.currency, file.opening_minor, file.closing_minor = (
        message.opening.currency,
        message.opening.minor,
        message.closing.minor,
    )
    return file


def _state(file: BankFile) -> dict[str, object]:
    """What the audit digest holds: everything but the sealed bytes, which differ whenever they are sealed anew."""
    columns = [column.key for column in BankFile.__table__.columns if column.key != "content_sealed"]
    return {name: getattr(file, name) for name in columns}
