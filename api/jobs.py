"""The kinds of jobs there are, and what a worker does for each: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from api import evidence, policy
from api.errors import Forbidden
from api.operations import ENDPOINTS
from api.parts import parts
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
from payouts.remittance import operations as remittance
from payouts.runs import sending

FORGET = "house.forget"
ADVISE = "remittance.issue"

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
    sending.send(run_id, rails=parts().rails, keys=parts().keys, by=task.by, now=task.now, progress=task.progress)
    return {"href": f"/v1/payout-runs/{run_id}"}


def deliver(task: Task) -> None:
    """Try a webhook delivery."""
    found = task.payload["delivery_id"]
    deliveries.deliver(
        found, last_try=task.last_try, sender=parts().sender, keys=parts().keys, by=task.by, now=task.now
    )


def advise(task: Task) -> None:
    """Issue the remittance advice of every payout that was sent and has none yet."""
    remittance.issue_waiting(by=task.by, now=task.now, progress=task.progress)


def forget(task: Task) -> None:
    """Delete what nobody looks up any more."""
    jobs.forget(now=task.now)
    deliveries.forget(now=task.now)


KINDS: Mapping[str, Kind] = {
    "months.close": Kind(close_month),
    "payout-runs.release": Kind(release_run, leaves_the_house=True),
    DELIVER: Kind(deliver, DELAYS, leaves_the_house=True),
    FORGET: Kind(forget),
    ADVISE: Kind(advise),
}

SCHEDULES: Mapping[str, Schedule] = {
    "forget": Schedule(FORGET, timedelta(days=1)),
    "advise": Schedule(ADVISE, timedelta(minutes=10)),
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
