"""What a line is taken as: pure functions on what the bank says and what the books have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from firm.money import Money
from payouts.bank_files.messages import Movement, Status
from payouts.runs.model import Payout

DONE = frozenset({"ACSC", "ACCC"})
"""Statuses that say the money has left the firm's account."""
REFUSED = frozenset({"RJCT", "CANC"})
UNDER_WAY = frozenset({"ACCP", "ACFC", "ACSP", "ACTC", "ACWC", "ACWP", "PART", "PATC", "PDNG", "PRES", "RCVD"})
SENTENCES = {
    "ACCP": "The bank has checked it and goes on.",
    "ACSP": "The bank is about to pay it.",
    "ACTC": "The bank has read it and found it well-formed.",
    "ACWC": "The bank has accepted it with a change; look at its reason.",
    "PART": "Some payments are accepted and some are not; they follow one by one.",
    "PDNG": "The bank has not decided yet.",
    "RCVD": "The bank has it.",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a line is at first: an action that waits to be applied, or a state that needs none."""

    state: str
    note: str
    action: str | None = None
    payout: Payout | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a line's action: the state it ends in, and why."""

    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a bank's movement is known again in another file; a status report tells of none, and has no day here."""

    file_id: str
    booked_on: date | None
    amount_minor: int | None
    reference: str


def taken_status(status: Status, payout: Payout | None) -> Taken:
    """A status of one payment; `payout` is the one it names, if it is in the file that the report is about."""
    if payout is None:
        return Taken("unmatched", "No payment of that file has this end-to-end id.")
    if status.amount is not None and status.amount != payout.amount:
        return Taken("unmatched", f"The bank names {status.amount} where the payment is over {payout.amount}.")
    action = action_of(status.code)
    if action is None:
        return _unmoved(status.code, payout)
    return Taken("waiting", "", action, payout)


def taken_whole(status: Status) -> Taken:
    """A status of a whole file that does not move it."""
    return _unmoved(status.code, None)


def action_of(code: str) -> str | None:
    return "settle" if code in DONE else "reject" if code in REFUSED else None


def taken_movement(movement: Movement, payout: Payout | None) -> Taken:
    """A movement that names one payment, or none that we know."""
    if movement.status != "BOOK":
        return Taken("ignored", "The bank has not booked it yet.")
    if payout is None:
        what = "returned payment" if movement.returned else "movement"
        return Taken("unmatched", f"The {what} names no payment of ours.")
    fee = fee_kept(movement, payout)
    if fee is not None:
        return Taken(
            "unmatched",
            f"The bank gave back {movement.amount} of {payout.amount}. If it kept {fee} as its fee, resolve the line"
            " with that fee: the payment is then returned.",
            "return",
            payout,
        )
    if movement.amount != payout.amount:
        return Taken("unmatched", f"The bank moved {movement.amount} where the payment is over {payout.amount}.")
    return Taken("waiting", "", "settle" if movement.direction == "debit" else "return", payout)


def fee_kept(movement: Movement, payout: Payout) -> Money | None:
    """What a bank kept for itself of a payment that it gave back; only a person can say that it was a fee."""
    back = movement.direction == "credit" and payout.state in ("sent", "settled")
    if not back or movement.amount.currency != payout.currency or movement.amount.minor >= payout.amount_minor:
        return None
    return payout.amount - movement.amount if movement.amount.minor else None


def taken_collective(movement: Movement, payouts: Sequence[Payout], came_back: Collection[str]) -> list[Taken]:
    """A debit that names a whole file of ours: each of its payments, if they come to the amount.

    What `came_back` had left with the others, where the statement of the later day was read first.
    """
    left = [payout for payout in payouts if payout.state in ("sent", "settled")]
    back = [payout for payout in payouts if payout.state == "returned" and payout.id in came_back]
    if back and sum(payout.amount_minor for payout in (*left, *back)) == movement.amount.minor:
        left += back
    total = sum(payout.amount_minor for payout in left)
    if total != movement.amount.minor or any(payout.currency != movement.amount.currency for payout in left):
        return [Taken("unmatched", "The bank booked the file as one sum, which is not that of its open payments.")]
    return [_left(payout) for payout in left]


def _left(payout: Payout) -> Taken:
    if payout.state == "returned":
        return Taken("noted", "It left with its file, and had come back when this was read.", "settle", payout)
    return Taken("waiting", "", "settle", payout)


def verdict(action: str, payout: Payout, ours: str, mark: Mark, others: Sequence[Mark]) -> Applied | None:
    """What an action comes to under the payout's present state; None when it is to be done now.

    `ours` is the reference or reason it would leave on the payout; `others` are the movements of the same direction
    that other lines have already brought to this payout.
    """
    if action == "settle":
        return _settling(payout, ours, mark, others)
    if payout.state == "sent" or (payout.state == "settled" and action == "return"):
        return None
    if payout.state == "returned":
        if others:
            return _again(mark, others)
        if (payout.reason or "").startswith(ours):
            return Applied("rejected" if action == "reject" else "returned", "Payable again.")
        return Applied("noted", "It was entered as returned already.")
    if payout.state in ("refused", "canceled"):
        return Applied("noted", f"It is {payout.state} in the books already.")
    return Applied("unmatched", f"It is {payout.state} in the books; find out at the bank which is true.")


def _settling(payout: Payout, ours: str, mark: Mark, others: Sequence[Mark]) -> Applied | None:
    if payout.state == "sent":
        return None
    if payout.settled_on is None:
        return Applied(
            "unmatched", f"The bank booked it, and it is {payout.state} in the books; find out which is true."
        )
    if others:
        return _again(mark, others)
    if (payout.reference or "").startswith(ours):
        return Applied("settled", "The money has left.")
    return Applied("noted", "It was entered as settled already.")


def _again(mark: Mark, others: Sequence[Mark]) -> Applied:
    movements = [one for one in others if one.booked_on is not None]
    if mark.booked_on is None or not movements:
        return Applied("noted", "Known from another file.")
    if any(one.file_id != mark.file_id and replace(one, file_id=mark.file_id) == mark for one in movements):
        return Applied("noted", "Known from another statement.")
    return Applied("unmatched", "The bank booked the same payment a second time; ask it to explain.")


def _unmoved(code: str, payout: Payout | None) -> Taken:
    if code in UNDER_WAY:
        return Taken("noted", SENTENCES.get(code, "The bank goes on with it."), payout=payout)
    return Taken("unmatched", "We do not know this status; look it up at the bank.", payout=payout)
