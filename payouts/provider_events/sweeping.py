"""The sweep: everything that a provider's log holds since the last one, brought into our rows.

It finds what no event has told of: endpoints that were down for days, deliveries with a wrong secret, books that were
restored. Each thing is applied by itself and may be applied again, so that a sweep that dies is begun anew; only one
that has seen everything moves the place from which the next one begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from firm.actor import Actor
from firm.db import leaving_the_house, reading
from firm.errors import Busy, Refused
from firm.faults import point, reached
from firm.jobs.kinds import Progress
from payouts.provider_accounts import operations as account_operations
from payouts.provider_accounts import queries as provider_accounts
from payouts.provider_events import applying, movements, payee_payouts, queries, receiving, transfers
from payouts.provider_events.applying import StillWaits
from payouts.provider_events.sources import Applied, Outcome, Source
from payouts.sweeps import operations as sweeps
from payouts.sweeps.model import ProviderSweep

SWEEP = "provider-events.sweep"

TAKEN_BACK_WITHIN = timedelta(days=14)
"""For how long a bank may take back what it has paid to a payee, with a margin: such payouts are looked at again."""

SILENT_AT_MOST = 3
"""Each that does not answer costs a minute of waiting and trying."""

SWEPT = point("provider-sweep.swept", "A sweep has seen everything; its end is not committed.")


def sweep(
    provider: str,
    *,
    source: Source,
    by: Actor,
    now: datetime,
    progress: Progress = lambda done, total: None,
) -> ProviderSweep:
    """Read the log from the end of the last whole sweep, less a day, and mend what differs. May be repeated.

    Raises `Busy` when the provider does not answer, or not for every account: what was done stays done, and the next
    sweep begins where this one did.
    """
    begun = sweeps.begin(provider, by=by, now=now)
    found = mended = 0
    for changed in _everything(provider, begun.since, source, by=by, now=now):
        found += 1
        mended += changed
        progress(found, None)
    reached(SWEPT)
    return sweeps.finish(begun.id, found=found, mended=mended, by=by, now=now)


def _everything(provider: str, since: datetime, source: Source, *, by: Actor, now: datetime) -> Iterator[bool]:
    """Whether each thing of the log was news. Transfers come first: what else there is may speak of them."""
    leaving_the_house()
    for transfer in source.log.transfers(since=since):
        yield _is_news(transfers.bring_up(transfer, source=source, by=by, now=now))
    for line in source.log.lines(since=since):
        yield movements.note(line, provider=provider, pays_from=source.rail.pays_from, by=by, now=now)
    silent: list[Busy] = []
    yield from _accounts(provider, since, source, silent, by=by, now=now)
    for event in source.log.events(since=since):
        yield receiving.store(event, provider=provider, endpoint="sweep", by=by, now=now)
    yield from _parked(provider, source, by=by, now=now)
    if silent:
        raise Busy(f"{len(silent)} of the accounts did not answer; the next sweep asks again.") from silent[0]


def _accounts(
    provider: str, since: datetime, source: Source, silent: list[Busy], *, by: Actor, now: datetime
) -> Iterator[bool]:
    """How each payee's account stands, what it sent on to a bank, and what happened in it.

    An account that does not answer keeps no other from its turn; after `SILENT_AT_MOST` it is the provider that does
    not, and `Busy` ends the sweep.
    """
    with reading() as session:
        account_ids = provider_accounts.to_check(session, provider)
    for account_id in account_ids:
        try:
            yield from _account(provider, account_id, since, source, by=by, now=now)
        except Refused:
            # An account that was taken away from the firm answers nothing; the event that says so is applied apart.
            yield False
        except Busy as error:
            silent.append(error)
            if len(silent) == SILENT_AT_MOST:
                raise


def _account(
    provider: str, account_id: str, since: datetime, source: Source, *, by: Actor, now: datetime
) -> Iterator[bool]:
    account_operations.refresh_account(account_id, provider=source.accounts, by=by, now=now)
    with reading() as session:
        account = provider_accounts.by_account(session, account_id, provider)
    if account is None:
        return
    leaving_the_house()
    for payout in source.log.payouts(account_id, since=since - TAKEN_BACK_WITHIN):
        yield _is_news(payee_payouts.bring_up(payout, account=account, by=by, now=now))


def _parked(provider: str, source: Source, *, by: Actor, now: datetime) -> Iterator[bool]:
    """Events that waited for something: whether it is here now."""
    with reading() as session:
        waiting = queries.parked(session, provider)
    for event_id in waiting:
        try:
            applying.apply(event_id, sources={provider: source}, by=by, now=now)
            yield True
        except StillWaits:
            yield False


def _is_news(outcome: Outcome) -> bool:
    return isinstance(outcome, Applied) and outcome.changed
