"""The single steps that runs and payouts take, each claimed in the database and put on record with its state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim
from firm.errors import Refused
from firm.profile import operations as profiles
from payouts.runs import queries
from payouts.runs.model import Payout, PayoutRun
from payouts.runs.model import payout as payouts_table
from payouts.runs.rules import state_of_run


class RunNotInState(Refused):
    """The run is not where this step begins."""


class PayoutNotInState(Refused):
    """The payout is not where this step begins."""


def move_run(session: Session, run: PayoutRun, before: str, **changes: object) -> None:
    """Change the run's row if it is still in the state; raises `RunNotInState` otherwise."""
    in_state = update(PayoutRun).where(PayoutRun.id == run.id, PayoutRun.state == before)
    moved = claim(session, in_state.values(**changes))
    session.refresh(run)
    if not moved:
        raise RunNotInState(f"{run.number} is {run.state}, not {before}; this step is for a {before} run.")


def move(session: Session, one: Payout, before: tuple[str, ...], **changes: object) -> None:
    """Change the payout's row if it is still in one of the states; raises `PayoutNotInState` otherwise."""
    in_state = update(payouts_table).where(payouts_table.c.id == one.id, payouts_table.c.state.in_(before))
    if not claim(session, in_state.values(**changes)):
        found = queries.find_payout(session, one.id)
        raise PayoutNotInState(f"The payout to {one.payee_name} is {found.state}; this step is for a {before[0]} one.")


def record_move(
    session: Session, verb: str, before: Payout, facts: Mapping[str, Any], *, by: Actor, now: datetime
) -> Payout:
    """The audit record of a payout that has moved on, and the payout as it stands now."""
    after = queries.find_payout(session, before.id)
    audit.record(session, verb, before.id, facts, before=digest(before), after=after, by=by, now=now)
    return after


def finish_run(session: Session, run_id: str) -> None:
    """Bring a run that was approved to the state that its payouts make it.

    Behind a lock on the run: of two that end its last payouts at the same moment, each would see the other's as it was
    before, and nobody would end the run.
    """
    session.execute(select(PayoutRun.id).where(PayoutRun.id == run_id).with_for_update())
    states = queries.states_of(session, run_id)
    following = state_of_run(states)
    # An approved run is released by whoever sends it; only when nothing is left to send does it end without that.
    waiting = ("releasing", "settled", "partly-settled", *(("approved",) if following == "partly-settled" else ()))
    in_state = update(PayoutRun).where(PayoutRun.id == run_id, PayoutRun.state.in_(waiting))
    session.execute(in_state.values(state=following).execution_options(synchronize_session=False))


def today(session: Session, now: datetime) -> date:
    """The firm's day."""
    return now.astimezone(profiles.current(session).zone).date()
