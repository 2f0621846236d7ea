"""What the firm has laid down for its runs: the least worth paying, and how many people approve what."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import Invalid, NotFound
from firm.money import Money
from firm.profile.model import Profile
from payouts.runs.model import PayoutPolicy, PayoutRun, payout
from payouts.runs.rules import NOT_PAID, Policy


class InvalidPolicy(Invalid):
    """A policy that cannot be followed."""


class PolicyNotFound(NotFound):
    """No policy of payout runs has this id."""


@use_case
def lay_down(
    *,
    minimum: Money,
    approvals: int = 1,
    large_above: Money | None = None,
    approvals_when_large: int | None = None,
    window_days: int = 30,
    by: Actor,
    now: datetime,
) -> PayoutPolicy:
    """Set the policy of runs in a currency, from the next run on. Raises `InvalidPolicy`.

    It is dated no earlier than the newest approval in that currency, which did not see it.
    """
    most = approvals_when_large or approvals
    if not 1 <= approvals <= most <= 9:
        raise InvalidPolicy("A run takes 1 to 9 approvals, and a large one no fewer.", field="approvals")
    if not 1 <= window_days <= 366:
        raise InvalidPolicy("The window is 1 to 366 days.", field="window_days")
    if large_above is not None and large_above.currency != minimum.currency:
        raise InvalidPolicy("Both amounts of a policy are in one currency.", field="large_above")
    if minimum.minor < 0 or (large_above is not None and large_above.minor < 0):
        raise InvalidPolicy("The amounts of a policy are not negative.", field="minimum")
    with transaction() as session:
        _hold(session)
        before = newest(session, minimum.currency)
        policy = PayoutPolicy(
            id=ids.new("pol"),
            currency=minimum.currency,
            minimum_minor=minimum.minor,
            approvals=approvals,
            large_above_minor=None if large_above is None else large_above.minor,
            approvals_when_large=most,
            window_days=window_days,
            set_by=by.name,
            set_at=_after_approvals(session, minimum.currency, now),
        )
        session.add(policy)
        session.flush()
        facts = {"currency": policy.currency, "approvals": approvals, "approvals_when_large": most}
        earlier = None if before is None else digest(before)
        audit.record(session, "payout-policy.set", policy.id, facts, before=earlier, after=policy, by=by, now=now)
        return policy


def newest(session: Session, currency: str) -> PayoutPolicy | None:
    """The row in force, or None while the firm has laid down nothing."""
    query = select(PayoutPolicy).where(PayoutPolicy.currency == currency).order_by(PayoutPolicy.id.desc()).limit(1)
    return session.scalar(query)


def find(session: Session, policy_id: str) -> PayoutPolicy:
    """A policy as it was laid down. Raises `PolicyNotFound`."""
    row = session.get(PayoutPolicy, policy_id)
    if row is None:
        raise PolicyNotFound(f"There is no payout policy {policy_id!r}.")
    return row


def in_force(session: Session, currency: str) -> Policy:
    """The policy of runs in a currency; one approval and no minimum where nothing was laid down."""
    row = newest(session, currency)
    if row is None:
        return Policy()
    return Policy(row.minimum_minor, row.approvals, row.large_above_minor, row.approvals_when_large, row.window_days)


def approvals_for(session: Session, run: PayoutRun, total: int, *, now: datetime) -> int:
    """How many approvals a run takes, with what was approved in the window before it.

    Locks the firm's row for the rest of the transaction: of two runs approved at the same moment, the second sees
    the first.
    """
    _hold(session)
    policy = in_force(session, run.currency)
    since = now - timedelta(days=policy.window_days)
    approved = (
        select(func.sum(payout.c.amount_minor))
        .join(PayoutRun, PayoutRun.id == payout.c.run_id)
        .where(PayoutRun.currency == run.currency, PayoutRun.id != run.id, PayoutRun.approved_at > since)
        .where(payout.c.state.not_in([*NOT_PAID, "planned", "canceled"]))
    )
    return policy.approvals_for(total + int(session.scalar(approved) or 0))


def _hold(session: Session) -> None:
    """Lock the firm's row: policies and approvals come one after the other."""
    session.execute(select(Profile.id).with_for_update())


def _after_approvals(session: Session, currency: str, now: datetime) -> datetime:
    """Not before what was approved already: whoever waits for the lock has read the clock before that approval did."""
    approved = select(func.max(PayoutRun.approved_at)).where(PayoutRun.currency == currency)
    return max(now, session.scalar(approved) or now)


def page(session: Session, *, after: str = "", limit: int = 50) -> list[PayoutPolicy]:
    """Every policy that was laid down, in their order, after one of them."""
    return list(
        session.scalars(select(PayoutPolicy).where(PayoutPolicy.id > after).order_by(PayoutPolicy.id).limit(limit))
    )
