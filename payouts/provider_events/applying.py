"""Applying an event: find what it is about, bring our rows to its present state, and say what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import update

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, reading, transaction, use_case
from firm.errors import Refused
from firm.faults import point, reached
from firm.jobs.kinds import TryAgain
from payouts.provider_accounts import queries as provider_accounts
from payouts.provider_accounts.model import ProviderAccount
from payouts.provider_events import payee_payouts, payees, queries, transfers
from payouts.provider_events.model import ProviderEvent
from payouts.provider_events.sources import Applied, Ignored, Outcome, Source, Waits, source_of

BROUGHT_UP = point("provider-event.brought_up", "Our rows stand as the provider's thing does; the event is not ended.")
ENDED = ("applied", "ignored")

ACCOUNT = ("account.", "v2.core.account")
"""How the types begin that tell of a payee's account."""


class StillWaits(TryAgain):
    """The event names what is not here yet, or contradicts our books; it stays on the list until it can be applied."""


def apply(event_id: str, *, sources: Mapping[str, Source], by: Actor, now: datetime) -> ProviderEvent:
    """Apply one stored or parked event. May be repeated; what has ended stays as it ended.

    Raises `StillWaits`, and `Busy` when the provider does not answer.
    """
    with reading() as session:
        event = queries.find_event(session, event_id)
    if event.state in ENDED:
        return event
    outcome = _outcome(event, source_of(sources, event.provider), by=by, now=now)
    reached(BROUGHT_UP)
    ended = _end(event.id, outcome, by=by, now=now)
    if isinstance(outcome, Waits):
        raise StillWaits(outcome.reason)
    return ended


def _outcome(event: ProviderEvent, source: Source, *, by: Actor, now: datetime) -> Outcome:
    try:
        return _brought_up(event, source, by=by, now=now)
    except Refused as error:
        # The provider, or a rule of ours, says no for good: trying again alone will not help, a person may.
        return Waits(error.message[:500])


def _brought_up(event: ProviderEvent, source: Source, *, by: Actor, now: datetime) -> Outcome:
    kind = event.type.removeprefix("v1.")
    if kind.startswith("transfer."):
        return _of_transfer(event, source, by=by, now=now)
    if not kind.startswith(("payout.", *ACCOUNT)):
        return Ignored(f"Nothing here follows from {event.type}.")
    account_id = event.account or (event.object_id if kind.startswith(ACCOUNT) else None)
    if account_id is None:
        return _of_no_account(event)
    account = _ours(event.provider, account_id)
    if account is None:
        return Ignored(f"The account {account_id} is none of this firm's payees.", alarm=True)
    if kind.startswith(ACCOUNT):
        return payees.refresh(event, account_id, source=source, by=by, now=now)
    if event.object_id is None:
        return Waits("The event does not say which payout it is about.")
    return payee_payouts.fetch(event.object_id, account=account, source=source, by=by, now=now)


def _of_transfer(event: ProviderEvent, source: Source, *, by: Actor, now: datetime) -> Outcome:
    if event.account is not None:
        return Ignored("A transfer within a payee's own account is none of ours.", alarm=True)
    if event.object_id is None:
        return Waits("The event does not say which transfer it is about.")
    return transfers.fetch(event.object_id, source=source, by=by, now=now)


def _of_no_account(event: ProviderEvent) -> Outcome:
    if event.endpoint == "connect":
        return Ignored("It came as if from a payee's account, and names none.", alarm=True)
    return Ignored("It is about the firm's own account; what moves there is read from the balance.")


def _ours(provider: str, account_id: str) -> ProviderAccount | None:
    with reading() as session:
        return provider_accounts.by_account(session, account_id, provider)


@use_case
def _end(event_id: str, outcome: Outcome, *, by: Actor, now: datetime) -> ProviderEvent:
    """Write down what came of it. Somebody who applied it at the same time has written the same."""
    with transaction() as session:
        event = queries.find_event(session, event_id)
        before, changes = digest(event), _changes(outcome, now)
        as_it_was = update(ProviderEvent).where(ProviderEvent.id == event_id, ProviderEvent.state.not_in(ENDED))
        if not claim(session, as_it_was.values(**changes)):
            return event
        session.refresh(event)
        facts = {"event": event.event_id, "type": event.type, "reason": event.reason, "alarm": event.alarm}
        verb = f"provider-event.{event.state}"
        audit.record(session, verb, event_id, facts, before=before, after=event, by=by, now=now)
        return event


def _changes(outcome: Outcome, now: datetime) -> dict[str, object]:
    match outcome:
        case Applied():
            return {"state": "applied", "reason": None, "alarm": False, "finished_at": now}
        case Ignored(reason, alarm):
            return {"state": "ignored", "reason": reason[:500], "alarm": alarm, "finished_at": now}
        case Waits(reason):
            return {"state": "parked", "reason": reason[:500], "alarm": True, "finished_at": None}
