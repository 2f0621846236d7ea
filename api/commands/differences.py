"""Comparing the books with every rail, and looking after what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy.orm import Session

from api.commands.running import Call, command, json_option, show
from api.jobs import KINDS, RESUME, compare
from api.sources import sources
from firm.access import tokens
from firm.db import reading
from firm.jobs import queries as jobs
from firm.money import Money
from firm.notices import queries as notices
from firm.notices.operations import SEND
from firm.recovery import operations as recovery
from firm.recovery.model import Restoration
from payouts.bank_files import queries as bank_files
from payouts.differences.model import ReconciliationDifference
from payouts.provider_events import sweeping
from payouts.reconciliation import operations, queries
from payouts.runs import queries as runs

_SOURCES = {"backup": "a backup", "archive": "an archive"}


@click.command()
@click.option("--note", help="After a restore: how it was checked. With it the books send again.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Compare transfers from this day on (UTC).")
@json_option
@command
def reconcile(call: Call, note: str | None, since: datetime | None, as_json: bool) -> None:
    """Compare the books with what every rail says, in both directions. After a restore, also say that they agree."""
    if note is not None:
        _refuse_nothing_to_reconcile()
    for provider, source in sorted(sources().items()):
        swept = sweeping.sweep(provider, source=source, by=call.by, now=call.now)
        click.echo(f"{provider}: {swept.found} things since {swept.since:%Y-%m-%d}, {swept.mended} new.", err=True)
    found = compare(now=call.now, since=since.replace(tzinfo=UTC) if since else None)
    if as_json:
        show(found, "reconciliation_differences:DifferenceSchema", many=True)
    else:
        click.echo("\n".join([*_told(found, call.now), *_of_the_bank(call.now)]))
    _say(call, note, as_json=as_json)


@click.group()
def difference() -> None:
    """Where the books and a rail say different things."""


@difference.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are resolved.")
@json_option
@command
def list_(call: Call, everything: bool, as_json: bool) -> None:
    """List differences, the oldest first, with their age and owner."""
    with reading() as session:
        found = queries.page(session) if everything else queries.all_open(session)
    if as_json:
        show(found, "reconciliation_differences:DifferenceSchema", many=True)
    else:
        click.echo("\n".join(_told(found, call.now)))


@difference.command()
@click.argument("key")
@click.option("--owner", required=True, help="The name of a lead's or an administrator's principal.")
@command
def assign(call: Call, key: str, owner: str) -> None:
    """Say who looks after a difference."""
    found = operations.assign(key, owner=owner, by=call.by, now=call.now)
    click.echo(f"{found.owner} looks after {found.id}.")


@difference.command()
@click.argument("key")
@click.option("--note", required=True, help="How it was resolved: this stays on record.")
@command
def resolve(call: Call, key: str, note: str) -> None:
    """Explain a difference, and close it."""
    found = operations.resolve(key, note=note, by=call.by, now=call.now)
    click.echo(f"{found.id} is resolved.")


def _refuse_nothing_to_reconcile() -> None:
    with reading() as session:
        if recovery.waiting(session) is None:
            raise recovery.NothingToReconcile("There is no restoration that waits to be reconciled.")


def _say(call: Call, note: str | None, *, as_json: bool) -> None:
    """After a restore: what else to compare, or that it is done."""
    if note is not None:
        # What was compared a moment ago stands above; a note about it that was written before is no explanation.
        with reading() as session:
            operations.refuse_unexplained(session)
        recovery.reconcile(note=note, by=call.by, now=call.now)
        click.echo("Reconciled: these books send again.", err=as_json)
        return
    with reading() as session:
        found = recovery.waiting(session)
        if found is not None:
            click.echo("\n".join(_to_compare(session, found, call)), err=as_json)


def _told(found: Sequence[ReconciliationDifference], now: datetime) -> Iterator[str]:
    if not found:
        yield "The books and the rails agree, as far as they can be asked."
    for one in found:
        state = f"resolved: {one.note}" if one.resolved_at else f"{_age(now - one.opened_at)}, {one.owner or 'nobody'}"
        yield f"{one.id}  {one.rail} {one.kind}, {state}\n  {one.what} Ours: {one.our_side}. Theirs: {one.their_side}."


def _of_the_bank(now: datetime) -> Iterator[str]:
    """What the bank's files brought that no payment of ours explains: a bank is heard of by its files only."""
    with reading() as session:
        lines = bank_files.lines_page(session, state="unmatched")
    if lines:
        age = _age(now - min(line.received_at for line in lines))
        yield (
            f"Lines of the bank that wait for a person: {len(lines)}, the oldest for {age}; see"
            " `chambers bank-file unmatched`."
        )


def _age(age: timedelta) -> str:
    return f"{age.days} days" if age.days else f"{age.seconds // 3600} hours"


def _to_compare(session: Session, found: Restoration, call: Call) -> Iterator[str]:
    yield f"These books are as of {found.taken_at:%Y-%m-%d %H:%M} UTC, read in from {_SOURCES[found.source]}."
    yield "Payouts that wait to be sent here, and may have been sent since then:"
    yield from _by_run(runs.totals_in(session, ("reserved", "sending", "waiting-for-funds", "unknown")))
    yield "Payouts that were sent, and not settled here:"
    yield from _by_run(runs.totals_in(session, ("sent",)))
    yield "Whoever was paid since then from a run that is not here has to be entered before the next run."
    names = tokens.owners_of_live(session, now=call.now)
    yield f"Tokens open these books to {', '.join(names) or 'nobody'}. Revoke again what was revoked since then."
    # Going on with runs is no work of its own: theirs are listed above.
    kinds = [name for name, kind in KINDS.items() if kind.leaves_the_house and name not in (RESUME, SEND)]
    waiting = jobs.number_waiting(session, kinds)
    yield f"Releases and messages that begin by themselves as soon as you say so: {waiting}."
    queued = notices.count(session, "queued")
    yield f"Notices to payees that go out then: {queued}."
    yield "When the bank's statements and these books agree: chambers reconcile --note 'how it was checked'"


def _by_run(found: Iterable[tuple[str, int, Money]]) -> Iterator[str]:
    lines = [f"  {number}: {count} of {total} in all" for number, count, total in found]
    yield from lines or ["  none"]
