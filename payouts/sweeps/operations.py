"""Beginning and ending a sweep, and what may not be done without one."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.errors import Busy
from firm.recovery.model import Restoration
from payouts.sweeps.model import PROVIDERS, ProviderSweep

OVERLAP = timedelta(days=1)
"""How far each sweep looks back behind the end of the one before: what was being written then is found now."""

FURTHEST = timedelta(days=30)
"""How long Stripe keeps events; a first sweep, or one after a long silence, begins there at the latest."""


class NotSwept(Busy):
    """The books were restored, and the provider has not been asked since what happened meanwhile."""


def refuse_unswept(session: Session, provider: str) -> None:
    """Raises `NotSwept` while a restoration is newer than the last whole sweep of this provider.

    Rails without a provider's log (a bank file, a person) have nothing to sweep.
    """
    if provider in PROVIDERS and is_due_after_restoration(session, provider):
        raise NotSwept(
            "These books were restored, and Stripe has not been asked yet what happened since: the worker's daily "
            "sweep does it, or `chambers reconcile` does it now. Until then nothing is sent over Stripe."
        )


def is_due_after_restoration(session: Session, provider: str) -> bool:
    """Whether some restoration has no whole sweep after it."""
    swept = exists().where(
        ProviderSweep.provider == provider,
        ProviderSweep.finished_at.is_not(None),
        ProviderSweep.started_at >= Restoration.restored_at,
    )
    return session.scalar(select(Restoration.id).where(~swept).limit(1)) is not None


@use_case
def begin(provider: str, *, by: Actor, now: datetime) -> ProviderSweep:
    """Write down that a sweep begins, and from where: the end of the last whole one, less a day."""
    with transaction() as session:
        whole = (ProviderSweep.provider == provider, ProviderSweep.finished_at.is_not(None))
        last = session.scalar(select(func.max(ProviderSweep.until)).where(*whole))
        since = min(last or now - FURTHEST, now) - OVERLAP
        sweep = ProviderSweep(id=ids.new("swp"), provider=provider, since=since, until=now, started_at=now)
        session.add(sweep)
        session.flush()
        facts = {"provider": provider, "since": since.isoformat()}
        audit.record(session, "provider-sweep.begun", sweep.id, facts, after=sweep, by=by, now=now)
        return sweep


@use_case
def finish(sweep_id: str, *, found: int, mended: int, by: Actor, now: datetime) -> ProviderSweep:
    """Write down that it has seen everything. May be repeated."""
    with transaction() as session:
        sweep = session.get_one(ProviderSweep, sweep_id)
        before = digest(sweep)
        open_one = update(ProviderSweep).where(ProviderSweep.id == sweep_id, ProviderSweep.finished_at.is_(None))
        if claim(session, open_one.values(finished_at=max(now, sweep.started_at), found=found, mended=mended)):
            session.refresh(sweep)
            facts = {"found": found, "mended": mended}
            audit.record(
                session, "provider-sweep.finished", sweep_id, facts, before=before, after=sweep, by=by, now=now
            )
        return sweep
