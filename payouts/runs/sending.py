"""Sending a run and learning what became of it.

For each payout: commit the attempt with its key, call the rail with no transaction open, commit the outcome. To go
on after a crash, send again: what was under way is looked up first, and what is done is not touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from sqlalchemy import or_, select, update

from firm import faults
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, leaving_the_house, reading, transaction, use_case
from firm.errors import Busy, ChambersError, Misconfigured
from firm.recovery import operations as recovery
from firm.secrets import SecretKeys
from payouts.rails.rail import Absent, Later, NoAnswer, OutOfFunds, Rail, Refused, Sent, Unknown
from payouts.runs import attempts, files, queries
from payouts.runs.attempts import CLEAN_LOOKS, LEASE, Outcome, UnderWay
from payouts.runs.model import Payout, PayoutAttempt, PayoutRun
from payouts.runs.model import payout as payouts_table
from payouts.runs.moves import RunNotInState
from payouts.runs.settling import SentAfterAll

Progress = Callable[[int, int], None]
Clock = Callable[[], datetime]

BEFORE_SENDING = faults.point("payout.before_send", "the attempt is committed, the call has not left")
ANSWERED = faults.point("payout.answered", "the rail has answered, the answer is not stored")
STORED = faults.point("payout.outcome_committed", "outcome and journal entry are committed, the next payout waits")

TO_SEND = ("reserved", "sending", "unknown", "waiting-for-funds")


class StillSending(Busy):
    """Another sender has a payout under way, or died with it less than a lease ago."""


class RailNotNow(Busy):
    """A rail takes nothing at the moment; nothing was paid, and the same call may succeed later."""


def send(
    key: str,
    *,
    rails: Mapping[str, Rail],
    keys: SecretKeys,
    by: Actor,
    now: datetime,
    clock: Clock | None = None,
    progress: Progress = lambda done, total: None,
) -> PayoutRun:
    """Send every payout of an approved run over its rail, then write the files of file rails.

    May be repeated, and repeated after a crash: nothing is sent twice. `clock` is asked before each payout, so that
    leases are right in runs that take longer than one, and right before each call, so that nobody sends what has been
    taken over meanwhile; without it, it is `now` all the time. Where a rail is out of funds, the rest of the run on it
    waits for the next time. What another sender has under way is left to it, and `StillSending` says so at the end;
    `RailNotNow` when a rail took nothing, and `Misconfigured` when one is not set up, after the others were sent on.
    Raises `RunNotInState`, `NotReconciled` in restored books, and `SentAfterAll` when a rail has paid what is given up
    in our books.
    """
    ask = clock or (lambda: now)
    waiting = _begin(key, by=by, now=now)
    unready = _unready(waiting, rails, keys=keys, by=by, now=ask())
    stopped: dict[str, Outcome] = {}
    for done, payout in enumerate(waiting, 1):
        if payout.rail not in stopped and payout.rail not in unready:
            outcome = _send_one(payout, rails[payout.rail], keys=keys, by=by, clock=ask)
            if isinstance(outcome, (OutOfFunds, Later)):
                stopped[payout.rail] = outcome
        progress(done, len(waiting))
    run = files.write_all(key, rails=rails, keys=keys, by=by, now=ask())
    _refuse_unready(run, unready)
    _refuse_unfinished(run, stopped)
    return run


def resume(
    *, rails: Mapping[str, Rail], keys: SecretKeys, by: Actor, now: datetime, clock: Clock | None = None
) -> list[str]:
    """Go on with every released run that is not at its end, and say which: look up what nobody knows, take over from
    senders that died, try again what waited for funds, write the file that is missing. May be repeated at any time.

    A run that fails keeps none of the others from being gone on with; the first failure is raised at the end.
    """
    with reading() as session:
        to_send = select(payouts_table.c.run_id).where(payouts_table.c.state.in_(TO_SEND))
        waiting = or_(PayoutRun.id.in_(to_send), PayoutRun.id.in_(files.lacking(rails)))
        releasing = select(PayoutRun.number).where(PayoutRun.state == "releasing", waiting)
        numbers = list(session.scalars(releasing.order_by(PayoutRun.number)))
    failures: list[ChambersError] = []
    for number in numbers:
        try:
            send(number, rails=rails, keys=keys, by=by, now=now, clock=clock)
        except Busy:
            # Somebody is at it, or the rail is not to be had: the next time will do.
            continue
        except ChambersError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    return numbers


def refuse_unapproved(key: str) -> PayoutRun:
    """The run, if it was approved. Raises `RunNotInState`."""
    with reading() as session:
        recovery.refuse_unreconciled(session)
        run = queries.find(session, key)
        _refuse_not_approved(run)
        return run


def run_with_payouts(key: str) -> tuple[PayoutRun, list[Payout]]:
    """A run and its payouts as of one moment."""
    with reading() as session:
        run = queries.find(session, key)
        return run, queries.payouts_of(session, run.id)


@use_case
def _begin(key: str, *, by: Actor, now: datetime) -> list[Payout]:
    """Move the run to releasing and list the payouts that still have to be sent or looked up."""
    with transaction() as session:
        recovery.refuse_unreconciled(session)
        run = queries.find(session, key)
        before = digest(run)
        approved = update(PayoutRun).where(PayoutRun.id == run.id, PayoutRun.state == "approved")
        released = claim(session, approved.values(state="releasing"))
        session.refresh(run)
        if released:
            audit.record(session, "run.released", run.id, {}, before=before, after=run, by=by, now=now)
        else:
            _refuse_not_approved(run)
        return [payout for payout in queries.payouts_of(session, run.id) if payout.state in TO_SEND]


def _refuse_not_approved(run: PayoutRun) -> None:
    if run.state not in ("approved", "releasing", "settled", "partly-settled"):
        raise RunNotInState(f"{run.number} is {run.state}; it can be sent once it is approved.")


def _unready(
    waiting: Iterable[Payout], rails: Mapping[str, Rail], *, keys: SecretKeys, by: Actor, now: datetime
) -> dict[str, str]:
    """The rails over which nothing of this can be sent as the firm is set up, each with a sentence that says why."""
    unready: dict[str, str] = {}
    for name, count in sorted(Counter(payout.rail for payout in waiting).items()):
        if name not in rails:
            unready[name] = (
                f"The rail {name} is not set up here, and payouts wait for it ({count}): set it up, or withdraw them."
            )
        elif rails[name].describe().writes_files:
            try:
                files.refuse_without_payer(rails[name], keys=keys, by=by, now=now)
            except Misconfigured as error:
                unready[name] = error.message
    return unready


def _refuse_unready(run: PayoutRun, unready: Mapping[str, str]) -> None:
    if unready:
        raise Misconfigured(f"{run.number} is not sent whole. {' '.join(unready.values())}")


def _send_one(payout: Payout, rail: Rail, *, keys: SecretKeys, by: Actor, clock: Clock) -> Outcome | None:
    about = rail.describe()
    under_way = attempts.begin(payout.id, rail=about, keys=keys, by=by, now=clock())
    if under_way is None:
        return None
    faults.reached(BEFORE_SENDING)
    leaving_the_house()
    outcome = _paid(under_way, rail, clock) if under_way.fresh else _looked_up(under_way, rail, clock)
    if outcome is None:
        return None
    faults.reached(ANSWERED)
    attempt = attempts.store(under_way, outcome, rail=about, by=by, now=clock())
    faults.reached(STORED)
    if isinstance(outcome, Sent):
        _refuse_sent_after_all(payout, attempt, outcome)
    return outcome


def _paid(under_way: UnderWay, rail: Rail, clock: Clock) -> Outcome | None:
    """Call the rail, as long as the attempt is ours. None once the lease is over: a sender that slept for so long may
    have been taken over from, and its payout given up and paid by another run.
    """
    return rail.send(under_way.order) if clock() < under_way.leased_until else None


def _refuse_sent_after_all(payout: Payout, attempt: PayoutAttempt, outcome: Sent) -> None:
    """Raise `SentAfterAll` where the rail has paid what whoever took over has ended in another way."""
    if (attempt.state, attempt.detail) != ("sent", outcome.reference[:500]):
        raise SentAfterAll(
            f"The rail has paid {outcome.reference} for the payout {payout.id}, whose attempt {attempt.key} is"
            f" {attempt.state} in our books: its answer came too late. Look at the rail before anything more is paid to"
            " this payee."
        )


def _looked_up(under_way: UnderWay, rail: Rail, clock: Clock) -> Outcome | None:
    """What became of an order that somebody may have sent: looked up, and sent only where that cannot pay twice."""
    found = rail.find(under_way.order)
    kept = rail.describe().keeps_keys_for
    guarded = kept is None or clock() - under_way.started_at < kept
    if isinstance(found, NoAnswer):
        # Nothing is lost by waiting where the same key may still be sent: a rail that cannot be reached at all has to
        # leave its payouts as they are, and not all of them unknown.
        return Later(found.detail) if guarded and not under_way.lost else Unknown(found.detail)
    if not isinstance(found, Absent):
        return found
    if guarded and not under_way.lost:
        # Nobody heard an answer and the rail has nothing: the committed key makes this the only payment.
        return _paid(under_way, rail, clock)
    if attempts.count_clean_look(under_way, now=clock()) >= CLEAN_LOOKS:
        return Refused("The rail was asked again and again and never carried it out.")
    return Unknown("The rail does not have it yet; it is looked up once more in an hour.")


def _refuse_unfinished(run: PayoutRun, stopped: Mapping[str, Outcome]) -> None:
    not_now = [f"{rail}: {outcome.detail}" for rail, outcome in stopped.items() if isinstance(outcome, Later)]
    if not_now:
        raise RailNotNow(f"{run.number} is not sent whole; send again later. {'; '.join(not_now)}")
    with reading() as session:
        under_way = [payout for payout in queries.payouts_of(session, run.id) if payout.state == "sending"]
    if under_way:
        raise StillSending(
            f"{len(under_way)} payouts of {run.number} are under way by another sender, or were when it stopped;"
            f" send again in {LEASE.seconds // 60} minutes."
        )
