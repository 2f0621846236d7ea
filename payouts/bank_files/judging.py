"""From a message to its lines: each status and movement is held against the files and payouts that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm import ids
from firm.money import Money
from payouts.bank_files import reasons, rules
from payouts.bank_files.messages import Movement, Statement, Status, StatusReport
from payouts.bank_files.model import BankLine
from payouts.bank_files.rules import Taken
from payouts.rails.sepa import references
from payouts.runs import queries as runs
from payouts.runs.model import Payout, RailFile
from payouts.runs.model import payout as payouts_table


def lines_of(session: Session, message: StatusReport | Statement, file_id: str) -> list[BankLine]:
    """A message's lines, in its order, not yet applied."""
    if isinstance(message, Statement):
        payouts = _named(session, [one.end_to_end_id for one in message.movements])
        found = [line for one in message.movements for line in _of_movement(session, one, payouts)]
    else:
        found = list(_of_report(session, message))
    for number, line in enumerate(found, 1):
        line.id, line.file_id, line.number = ids.new("bln"), file_id, number
    return found


def _of_report(session: Session, report: StatusReport) -> Iterator[BankLine]:
    """A status of the whole file holds for each of its payments that the report does not name by itself."""
    file = _file(session, [report.original_message_id])
    if file is None:
        unknown = Taken("unmatched", f"No file of ours has the message id {report.original_message_id}.")
        yield from (_status_line(report, one, unknown) for one in report.statuses)
        return
    left = {payout.id: payout for payout in _payouts_of(session, file)}
    single = [one for one in report.statuses if one.level == "transaction"]
    for status in single:
        payout = left.get(references.payout_of(status.end_to_end_id) or "")
        yield _status_line(report, status, rules.taken_status(status, payout))
    for status in single:
        left.pop(references.payout_of(status.end_to_end_id) or "", None)
    for status in sorted((one for one in report.statuses if one.level != "transaction"), key=lambda one: one.level):
        yield from _of_whole(report, status, file, left)


def _of_whole(report: StatusReport, status: Status, file: RailFile, left: dict[str, Payout]) -> Iterator[BankLine]:
    if status.level == "payment" and status.payment_id != references.payment_id(file.message_id):
        strange = Taken("unmatched", "The report is about a group of payments that our file does not have.")
        yield _status_line(report, status, strange)
    elif rules.action_of(status.code) is None:
        yield _status_line(report, status, rules.taken_whole(status))
    else:
        for payout in left.values():
            yield _status_line(report, status, rules.taken_status(status, payout))
        left.clear()


def _of_movement(session: Session, movement: Movement, payouts: dict[str, Payout]) -> Iterator[BankLine]:
    payout = payouts.get(references.payout_of(movement.end_to_end_id) or "")
    booked_debit = movement.direction == "debit" and movement.status == "BOOK"
    if payout is None and booked_debit and not movement.end_to_end_id:
        file = _file(session, [references.message_of(one) for one in movement.file_ids])
        if file is not None:
            payouts_of_file = _payouts_of(session, file)
            taken = rules.taken_collective(movement, payouts_of_file, _came_back(session, payouts_of_file))
            yield from (_movement_line(movement, one) for one in taken)
            return
    yield _movement_line(movement, rules.taken_movement(movement, payout))


def _status_line(report: StatusReport, status: Status, taken: Taken) -> BankLine:
    amount = taken.payout.amount if taken.payout else status.amount
    reason = status.reason or (reasons.sentence("", "") if taken.action == "reject" else None)
    day = status.on or report.created_on if taken.action else status.on
    return _line(taken, amount, booked_on=day, code=status.code, reason=reason, reference=report.message_id)


def _movement_line(movement: Movement, taken: Taken) -> BankLine:
    # Of a whole file that was booked as one sum each payment has its own amount; what is not applied keeps the bank's.
    amount = taken.payout.amount if taken.payout and taken.state != "unmatched" else movement.amount
    reason = movement.returned or (reasons.sentence("", "") if taken.action == "return" else None)
    line = _line(
        taken,
        amount,
        booked_on=movement.booked_on,
        code=movement.status or "?",
        reason=reason,
        reference=movement.reference or "no reference",
    )
    line.direction, line.text = movement.direction, movement.text
    return line


def _line(taken: Taken, amount: Money | None, **facts: object) -> BankLine:
    return BankLine(
        payout_id=taken.payout.id if taken.payout else None,
        action=taken.action,
        amount_minor=amount.minor if amount else None,
        currency=amount.currency if amount else None,
        state=taken.state,
        note=taken.note,
        **facts,
    )


def _file(session: Session, message_ids: Sequence[str]) -> RailFile | None:
    """The first file of ours with one of these message ids."""
    query = select(RailFile).where(RailFile.message_id.in_(message_ids)).order_by(RailFile.id).limit(1)
    return session.scalar(query) if message_ids else None


def _payouts_of(session: Session, file: RailFile) -> list[Payout]:
    """The payments that are in a file: those of its run and rail that were sent."""
    return [
        payout
        for payout in runs.payouts_of(session, file.run_id)
        if payout.rail == file.rail and payout.state in ("sent", "settled", "returned")
    ]


def _came_back(session: Session, payouts: Sequence[Payout]) -> set[str]:
    """Those that the bank says it has given back: they had left, which a rejected one has not."""
    returns = select(BankLine.payout_id).where(
        BankLine.payout_id.in_([one.id for one in payouts]),
        BankLine.action == "return",
        BankLine.state.in_(["returned", "noted", "resolved"]),
    )
    return {payout_id for payout_id in session.scalars(returns) if payout_id}


def _named(session: Session, end_to_end_ids: Sequence[str]) -> dict[str, Payout]:
    """The payouts that these ids name, by their own ids."""
    wanted = sorted({own for one in end_to_end_ids if (own := references.payout_of(one)) is not None})
    found: dict[str, Payout] = {}
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        rows = session.execute(select(payouts_table).where(payouts_table.c.id.in_(some)))
        found |= {row.id: Payout(*row) for row in rows}
    return found
