"""Comparing: reading the provider first, with no transaction open, and then our books as of one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from firm.db import leaving_the_house, reading
from payouts.differences import queries as incidents
from payouts.differences.model import INCIDENTS
from payouts.provider_events import queries as events
from payouts.provider_events.sources import Source, source_of
from payouts.rails.stripe.values import Transfer
from payouts.reconciliation import queries, rules
from payouts.reconciliation.rules import Comparison, Finding

LOOK_BACK = timedelta(days=35)
"""How far back transfers are compared unless the caller says otherwise: a month's run, and a few days."""

UNKNOWN_FOR = timedelta(days=1)
UNSETTLED_FOR = timedelta(days=5)
"""How long a bank may take, weekends included, before somebody should ask."""

OF_LOG = (
    "transfer-without-payout",
    "payout-without-transfer",
    "paid-twice",
    "amount-differs",
    "destination-differs",
    "reversal-differs",
)
OF_EVENTS = ("movement-unknown", "event-waits", "event-foreign", "not-paid-to-bank")
OF_TIME = ("outcome-unknown", "not-settled")


def with_provider(provider: str, *, source: Source, now: datetime, since: datetime | None = None) -> list[Comparison]:
    """Compare a provider's log and our books in both directions. Raises `Busy` when the provider does not answer."""
    with reading() as session:
        since = _since(session, since or now - LOOK_BACK)
    leaving_the_house()
    transfers = {one.id: one for one in source.log.transfers(since=since)}
    with reading() as session:
        unseen = [one.reference for one in queries.left_since(session, provider, since)]
    transfers |= _asked_for({name for name in unseen if name} - set(transfers), source)
    balances = source.log.balances()
    with reading() as session:
        found = [
            Comparison(provider, OF_LOG, list(_of_log(session, provider, transfers, since))),
            Comparison(provider, OF_EVENTS, list(_of_events(session, provider, now))),
        ]
        if not queries.is_sending(session, provider):
            held = queries.held_at(session, source.rail.pays_from)
            found.append(Comparison(provider, ("balance-differs",), list(rules.of_balances(provider, held, balances))))
        return found


def with_time(rails: Mapping[str, object], *, now: datetime) -> list[Comparison]:
    """What should have come to an end long ago, on every rail."""
    with reading() as session:
        found = list(_of_time(session, now))
    return [Comparison(rail, OF_TIME, [one for one in found if one.rail == rail]) for rail in sorted(rails)]


def _since(session: Session, since: datetime) -> datetime:
    """Never later than what led to an incident that is still open: not looked at is not found no longer."""
    oldest = incidents.oldest_incident(session)
    return since if oldest is None else min(since, oldest - LOOK_BACK)


def _asked_for(references: set[str], source: Source) -> dict[str, Transfer]:
    """Transfers that lie at the edge of what was listed, one by one: most of them are there."""
    found = (source.log.transfer(reference) for reference in sorted(references))
    return {one.id: one for one in found if one is not None}


def _of_log(session: Session, provider: str, transfers: Mapping[str, Transfer], since: datetime) -> Iterator[Finding]:
    named = {one.payout_id for one in transfers.values() if one.payout_id}
    yield from rules.of_transfers(provider, transfers.values(), queries.by_id(session, provider, named))
    yield from rules.of_payouts(provider, queries.left_since(session, provider, since), transfers)


def of_event(event_id: str, *, sources: Mapping[str, Source]) -> list[Finding]:
    """The incidents in what a parked event tells of a transfer; nothing for other events. Raises `Busy`.

    A comparison of everything comes once a day, and a run may be sent before it.
    """
    with reading() as session:
        event = events.find_event(session, event_id)
    if not event.type.removeprefix("v1.").startswith("transfer.") or event.object_id is None:
        return []
    source = source_of(sources, event.provider)
    leaving_the_house()
    told = source.log.transfer(event.object_id)
    if told is None or told.payout_id is None:
        return []
    beside = list(source.log.transfers_of(told.group)) if told.group else []
    of_payout = {one.id: one for one in (told, *beside) if one.payout_id == told.payout_id}
    with reading() as session:
        ours = queries.by_id(session, event.provider, {told.payout_id})
    found = rules.of_transfers(event.provider, of_payout.values(), ours)
    return [one for one in found if one.kind in INCIDENTS]


def _of_events(session: Session, provider: str, now: datetime) -> Iterator[Finding]:
    for event in events.alarming(session, since=now - LOOK_BACK):
        kind = "event-waits" if event.state == "parked" else "event-foreign"
        what = event.reason or "Its reason is not known."
        yield Finding(provider, kind, event.event_id, what, event.state, event.type)
    for line in events.unknown_movements(session, provider):
        what = f"The balance moved by {line.type}, which nobody has told this version how to book."
        yield Finding(
            provider, "movement-unknown", line.reference, what, rules.NOTHING, f"{line.net_minor} minor units"
        )
    for payout in events.not_paid_to_bank(session):
        what = "A payee's bank did not take the money; it is in the payee's account. Ask for other bank details."
        theirs = f"{payout.amount}, {payout.failure or payout.state}"
        yield Finding(provider, "not-paid-to-bank", payout.reference, what, "settled", theirs)


def _of_time(session: Session, now: datetime) -> Iterator[Finding]:
    for one, started_at in queries.unknown_since(session, now - UNKNOWN_FOR):
        what = f"Nobody knows whether the payout to {one.payee_name} left; it was begun on {started_at:%Y-%m-%d}."
        yield Finding(one.rail, "outcome-unknown", one.id, what, str(one.amount), "unknown")
    for one, started_at in queries.unsettled_since(session, now - UNSETTLED_FOR):
        what = f"The payout to {one.payee_name} left on {started_at:%Y-%m-%d}; no proof that it arrived was entered."
        yield Finding(one.rail, "not-settled", one.id, what, str(one.amount), rules.NOTHING)
