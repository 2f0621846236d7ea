"""The kinds of jobs there are, and what a worker does for each: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from api import evidence, policy
from api.errors import DENIED, Forbidden
from api.operations import ENDPOINTS
from api.parts import parts
from api.sources import sources
from firm import clock
from firm.access import denials, tokens
from firm.access.tokens import Admission
from firm.db import reading
from firm.errors import Busy, ChambersError
from firm.jobs import operations as jobs
from firm.jobs.kinds import Kind, Task
from firm.jobs.schedules import Schedule
from firm.month import Month
from firm.notices import operations as notices
from firm.webhooks import deliveries
from firm.webhooks.dispatch import DELIVER
from firm.webhooks.rules import DELAYS
from payouts import month_end
from payouts.destinations import operations as destinations
from payouts.differences.model import ReconciliationDifference
from payouts.provider_accounts import operations as provider_accounts
from payouts.provider_events import applying, sweeping
from payouts.provider_events.applying import StillWaits
from payouts.provider_events.receiving import APPLY
from payouts.provider_events.sweeping import SWEEP
from payouts.reconciliation import comparing
from payouts.reconciliation import operations as reconciliation
from payouts.remittance import operations as remittance
from payouts.runs import sending
from payouts.runs.attempts import ADVISE
from payouts.statements import papers

EXPIRE = "destinations.expire"
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


def render_statements(task: Task) -> Result:
    """Write a month's statements as PDF, as the one who asked for it; what an earlier try has made is kept."""
    _refuse_who_may_no_longer(task)
    month = Month.parse(task.payload["month"])
    papers.render_month(month, parts().settings.papers / str(month), progress=task.progress)
    return {"href": f"/v1/statements?month={month}"}


def deliver(task: Task) -> None:
    """Try a webhook delivery."""
    found = task.payload["delivery_id"]
    deliveries.deliver(
        found, last_try=task.last_try, sender=parts().sender, keys=parts().keys, by=task.by, now=task.now
    )


def send_notice(task: Task) -> None:
    """Try to send a notice."""
    found = task.payload["notice_id"]
    notices.send(found, post=parts().post, last_try=task.last_try, by=task.by, now=task.now)


def sweep_notices(task: Task) -> None:
    """Promise anew what is still queued."""
    notices.sweep(post=parts().post, older_than=timedelta(hours=1), by=task.by, now=task.now)


def expire_destinations(task: Task) -> None:
    """End proposals of destinations that nobody confirmed in time."""
    destinations.expire(now=task.now)


def apply_event(task: Task) -> None:
    """Apply what a provider told. It sends nothing, so it also brings restored books up to the present.

    Whom an event that waits shows as paid already is held at once, and not from the next comparison on.
    """
    event_id = task.payload["event_id"]
    try:
        applying.apply(event_id, sources=sources(), by=task.by, now=task.now)
    except StillWaits:
        reconciliation.add(comparing.of_event(event_id, sources=sources()), now=task.now)
        raise


def sweep(task: Task) -> None:
    """Read the providers' logs for what no event has told, and then compare the books with every rail."""
    for provider, source in sorted(sources().items()):
        sweeping.sweep(provider, source=source, by=task.by, now=task.now, progress=task.progress)
    compare(now=task.now)


def refresh_accounts(task: Task) -> None:
    """Ask the providers how payees' accounts stand, so that who may not be paid any more is known before a run is sent.

    The sweep asks too, among much else; this one does not wait for the rest of it. A provider that fails does not keep
    the others from being asked; what went wrong is raised at the end.
    """
    failures: list[ChambersError] = []
    for _, provider in sorted(parts().providers.items()):
        try:
            provider_accounts.refresh_all(provider=provider, by=task.by, now=task.now, progress=task.progress)
        except ChambersError as failure:
            failures.append(failure)
    if failures:
        # One failure that passes by itself is enough to ask again.
        raise next((one for one in failures if isinstance(one, Busy)), failures[0])


def compare(*, now: datetime, since: datetime | None = None) -> list[ReconciliationDifference]:
    """Compare the books with every rail, and keep what differs. Returns all differences that are open then."""
    found = comparing.with_time(parts().rails, now=now)
    for provider, source in sorted(sources().items()):
        found += comparing.with_provider(provider, source=source, now=now, since=since)
    return reconciliation.keep(found, now=now)


def advise(task: Task) -> None:
    """Issue the remittance advice of the payout that was just sent; of every one that lacks it, when none is named."""
    payout_id = task.payload.get("payout_id")
    if payout_id is None:
        remittance.issue_waiting(by=task.by, now=task.now, progress=task.progress)
        return
    with suppress(remittance.NotSent):
        # It has come back meanwhile.
        remittance.issue(payout_id, by=task.by, now=task.now)


def forget(task: Task) -> None:
    """Delete what nobody looks up any more."""
    jobs.forget(now=task.now)
    deliveries.forget(now=task.now)


KINDS: Mapping[str, Kind] = {
    "months.close": Kind(close_month),
    "payout-runs.release": Kind(release_run, leaves_the_house=True),
    RESUME: Kind(resume_runs, leaves_the_house=True),
    "statements.render": Kind(render_statements),
    DELIVER: Kind(deliver, DELAYS, leaves_the_house=True),
    notices.SEND: Kind(send_notice, leaves_the_house=True),
    notices.SWEEP: Kind(sweep_notices),
    EXPIRE: Kind(expire_destinations),
    # None of these leaves the house in the sense of sending something: all run in books that wait to be reconciled.
    APPLY: Kind(apply_event),
    SWEEP: Kind(sweep),
    provider_accounts.REFRESH: Kind(refresh_accounts),
    FORGET: Kind(forget),
    ADVISE: Kind(advise),
}

SCHEDULES: Mapping[str, Schedule] = {
    "destinations": Schedule(EXPIRE, timedelta(hours=1)),
    "forget": Schedule(FORGET, timedelta(days=1)),
    "sweep": Schedule(SWEEP, timedelta(days=1)),
    "provider-accounts": Schedule(provider_accounts.REFRESH, timedelta(days=1)),
    "resume-runs": Schedule(RESUME, timedelta(minutes=30)),
    "notices": Schedule(notices.SWEEP, timedelta(hours=1)),
    "advise": Schedule(ADVISE, timedelta(minutes=10)),
}


def _refuse_who_may_no_longer(task: Task) -> None:
    """Raises `Forbidden` when the token was revoked, or the role or scopes changed, since the work was asked for.

    Somebody at the shell had no token, and could reach the database anyway.
    """
    if task.by.token_id is None:
        return
    try:
        _refuse_unless_as_then(task, task.by.token_id)
    except DENIED as error:
        denials.note(task.by, f"job {task.kind}", error.message, now=task.now)
        raise


def _refuse_unless_as_then(task: Task, token_id: str) -> None:
    """Raises `Forbidden` unless the token still opens, for the same role, what the work needs."""
    with reading() as session:
        try:
            token, principal = tokens.find(session, token_id, now=task.now)
        except tokens.TokenNotFound:
            raise Forbidden("The token that asked for this opens nothing any more; ask again with another.") from None
    if principal.disabled_at is not None or principal.role != str(task.by.role):
        raise Forbidden("Whoever asked for this may no longer do so; somebody else has to ask again.")
    scopes = frozenset(token.scopes.split())
    admission = Admission(task.by, principal.id, scopes, principal.may_approve, token.proved_at, token.expires_at)
    policy.refuse(admission, ENDPOINTS[task.kind], writing=True, now=task.now)
