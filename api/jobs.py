"""The kinds of jobs there are, and what a worker does for each: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from api import evidence, policy
from api.errors import Forbidden
from api.operations import ENDPOINTS
from api.parts import parts
from api.sources import sources
from firm import clock
from firm.access import tokens
from firm.access.tokens import Admission
from firm.db import reading
from firm.jobs import operations as jobs
from firm.jobs.kinds import Kind, Task
from firm.jobs.schedules import Schedule
from firm.month import Month
from firm.webhooks import deliveries
from firm.webhooks.dispatch import DELIVER
from firm.webhooks.rules import DELAYS
from payouts import month_end
from payouts.provider_events import applying, sweeping
from payouts.provider_events.receiving import APPLY
from payouts.provider_events.sweeping import SWEEP
from payouts.reconciliation import comparing
from payouts.reconciliation import operations as reconciliation
from payouts.reconciliation.model import ReconciliationDifference
from payouts.runs import sending

FORGET = "house.forget"
RESUME = "payout-runs.resume"

Result = dict[str, str]


def close_month(task: Task) -> Result:
    """Close a month, as the one who asked for it."""
    _refuse_who_may_no_longer(task)
    month, total = Month.parse(task.payload["month"]), len(month_end.STEPS) + 1
    done: list[str] = []

    def step(name: str) -> None:
        done.append(name)
        task.progress(len(done), total)

    task.progress(0, total)
    evidence.keep(now=task.now)
    month_end.close(month, by=task.by, now=task.now, progress=step)
    task.progress(total, total)
    return {"href": f"/v1/months/{month}"}


def release_run(task: Task) -> Result:
    """Send a payout run, as the one who asked for it."""
    _refuse_who_may_no_longer(task)
    run_id = task.payload["run_id"]
    sending.send(
        run_id,
        rails=parts().rails,
        keys=parts().keys,
        by=task.by,
        now=clock.now(),
        clock=clock.now,
        progress=task.progress,
    )
    return {"href": f"/v1/payout-runs/{run_id}"}


def resume_runs(task: Task) -> None:
    """Go on with released runs: look up what nobody knows, take over from the dead, try again what had no funds."""
    sending.resume(rails=parts().rails, keys=parts().keys, by=task.by, now=clock.now(), clock=clock.now)


def deliver(task: Task) -> None:
    """Try a webhook delivery."""
    found = task.payload["delivery_id"]
    deliveries.deliver(
        found, last_try=task.last_try, sender=parts().sender, keys=parts().keys, by=task.by, now=task.now
    )


def apply_event(task: Task) -> None:
    """Apply what a provider told. It sends nothing, so it also brings restored books up to the present."""
    applying.apply(task.payload["event_id"], sources=sources(), by=task.by, now=task.now)


def sweep(task: Task) -> None:
    """Read the providers' logs for what no event has told, and then compare the books with every rail."""
    for provider, source in sorted(sources().items()):
        sweeping.sweep(provider, source=source, by=task.by, now=task.now, progress=task.progress)
    compare(now=task.now)


def compare(*, now: datetime, since: datetime | None = None) -> list[ReconciliationDifference]:
    """Compare the books with every rail, and keep what differs. Returns all differences that are open then."""
    found = comparing.with_time(parts().rails, now=now)
    for provider, source in sorted(sources().items()):
        found += comparing.with_provider(provider, source=source, now=now, since=since)
    return reconciliation.keep(found, now=now)


def forget(task: Task) -> None:
    """Delete what nobody looks up any more."""
    jobs.forget(now=task.now)
    deliveries.forget(now=task.now)


KINDS: Mapping[str, Kind] = {
    "months.close": Kind(close_month),
    "payout-runs.release": Kind(release_run, leaves_the_house=True),
    RESUME: Kind(resume_runs, leaves_the_house=True),
    DELIVER: Kind(deliver, DELAYS, leaves_the_house=True),
    # Neither leaves the house in the sense of sending something: both also run in books that wait to be reconciled.
    APPLY: Kind(apply_event),
    SWEEP: Kind(sweep),
    FORGET: Kind(forget),
}

SCHEDULES: Mapping[str, Schedule] = {
    "forget": Schedule(FORGET, timedelta(days=1)),
    "sweep": Schedule(SWEEP, timedelta(days=1)),
    "resume-runs": Schedule(RESUME, timedelta(minutes=30)),
}


def _refuse_who_may_no_longer(task: Task) -> None:
    """Raises `Forbidden` when the token was revoked, or the role or scopes changed, since the work was asked for.

    Somebody at the shell had no token, and could reach the database anyway.
    """
    if task.by.token_id is None:
        return
    with reading() as session:
        try:
            token, principal = tokens.find(session, task.by.token_id, now=task.now)
        except tokens.TokenNotFound:
            raise Forbidden("The token that asked for this opens nothing any more; ask again with another.") from None
    if principal.disabled_at is not None or principal.role != str(task.by.role):
        raise Forbidden("Whoever asked for this may no longer do so; somebody else has to ask again.")
    scopes = frozenset(token.scopes.split())
    admission = Admission(task.by, principal.id, scopes, principal.may_approve, token.proved_at, token.expires_at)
    policy.refuse(admission, ENDPOINTS[task.kind], writing=True, now=task.now)
