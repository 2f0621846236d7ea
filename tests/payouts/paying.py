"""Taking a run from what is payable to the bank's proof, from wherever it stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select

from api.parts import parts
from firm.db import reading
from payouts.runs import approvals, preparation, sending, settling
from payouts.runs.model import Payout, PayoutRun
from payouts.runs.preparation import Drafted
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD
from tests.payouts.bank import Bank

LATER = AFTER + timedelta(hours=1)
"""When somebody comes back to a run that was interrupted: by then nobody can still be at it."""
SETTLED_ON = date(2026, 11, 2)


def draft(bank: Bank | None = None) -> Drafted:
    return preparation.draft(rails={"manual": bank or Bank()}, by=ADMINISTRATOR, now=AFTER)


def approved(bank: Bank | None = None) -> str:
    """The number of a run that is drafted, proposed and approved."""
    number = draft(bank).run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    return number


def send(number: str, bank: Bank, *, now: datetime = AFTER) -> PayoutRun:
    return sending.send(number, rails={"manual": bank}, keys=parts().keys, by=ADMINISTRATOR, now=now)


def settle(payout_id: str, *, reference: str = "wire") -> Payout:
    return settling.settle(payout_id, reference=reference, on=SETTLED_ON, by=ADMINISTRATOR, now=AFTER)


def give_back(payout_id: str, *, reason: str = "the account is closed") -> Payout:
    return settling.give_back(payout_id, reason=reason, on=SETTLED_ON, by=ADMINISTRATOR, now=AFTER)


def pay(bank: Bank, *, now: datetime = AFTER) -> None:
    """What a person does who comes back to the desk: look where the run stands, and go on from there."""
    run = _latest_run()
    if run is None:
        run = preparation.draft(rails={"manual": bank}, by=ADMINISTRATOR, now=now).run
    if run.state == "draft":
        run = approvals.propose(run.number, by=ADMINISTRATOR, now=now)
    if run.state == "proposed":
        run = approvals.approve(run.number, by=LEAD, now=now)
    if run.state in ("approved", "releasing"):
        send(run.number, bank, now=now)
    for payout in sending.run_with_payouts(run.number)[1]:
        if payout.state == "sent":
            settling.settle(payout.id, reference="wire", on=SETTLED_ON, by=ADMINISTRATOR, now=now)


def pay_run(number: str, bank: Bank | None = None) -> None:
    """Send an approved run and enter the proof of every payment."""
    send(number, bank or Bank())
    for payout in sending.run_with_payouts(number)[1]:
        if payout.state == "sent":
            settle(payout.id)


def states(number: str) -> dict[str, str]:
    """Payee to the state of the payout."""
    return {payout.payee_name: payout.state for payout in sending.run_with_payouts(number)[1]}


def payout_to(number: str, payee: str) -> Payout:
    return next(payout for payout in sending.run_with_payouts(number)[1] if payout.payee_name == payee)


def _latest_run() -> PayoutRun | None:
    with reading() as session:
        return session.scalar(select(PayoutRun).order_by(PayoutRun.id.desc()).limit(1))
