"""Issuing remittance advices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit import queries as audit_queries
from firm.db import AnyRow, reading, transaction, use_case
from firm.documents.figures import frozen, shown
from firm.errors import Refused
from firm.ledger import queries as ledger
from firm.month import Month
from firm.numbering.operations import take
from firm.profile import operations as profiles
from firm.profile.model import Profile
from payouts.destinations.model import Destination
from payouts.remittance import queries
from payouts.remittance.model import remittance_advice
from payouts.remittance.rules import EARNINGS, Cover, Part
from payouts.runs import queries as runs
from payouts.runs.model import Payout, PayoutRun
from payouts.runs.model import payout as payouts_table
from staffing.maintainers.model import Maintainer

SERIES = "RA"
KIND = "remittance-advice"
TEMPLATE = 1

RENDERED = faults.point("remittance-advice.rendered", "an advice is written out, and not stored")

Progress = Callable[[int, int], None]


class NotSent(Refused):
    """Only what was sent has paid for something."""


@use_case
def issue(payout_id: str, *, by: Actor, now: datetime) -> AnyRow:
    """Issue the advice of a payout that was sent, once: asked for again, it is the same one. Raises `NotSent`."""
    with transaction() as session:
        # Locked before the look: of two at the same moment, the second finds the first one's advice.
        session.execute(select(payouts_table.c.id).where(payouts_table.c.id == payout_id).with_for_update())
        paid = runs.find_payout(session, payout_id)
        before = queries.of_payout(session, paid.id)
        if before is not None:
            return before
        if paid.state not in queries.PAID:
            raise NotSent(f"The payout to {paid.payee_name} is {paid.state}; an advice is issued once it is sent.")
        return _issue(session, paid, by=by, now=now)


def issue_waiting(
    run: str | None = None, *, by: Actor, now: datetime, progress: Progress = lambda done, total: None
) -> int:
    """Issue every advice that is missing, of one run or of all; how many were issued. May be stopped and repeated."""
    issued = 0
    with reading() as session:
        run_id = None if run is None else runs.find(session, run).id
        found = queries.waiting(session, run_id=run_id)
    while found:
        for payout_id in found:
            issue(payout_id, by=by, now=now)
            issued += 1
            progress(issued, issued)
        with reading() as session:
            found = queries.waiting(session, run_id=run_id, after=found[-1])
    return issued


def _issue(session: Session, paid: Payout, *, by: Actor, now: datetime) -> AnyRow:
    profile = profiles.current(session)
    number = take(session, SERIES, now.astimezone(profile.zone).year)[0]
    identifier = ids.new("rma")
    text, sha256 = frozen(_figures(session, paid, number, profile, now))
    faults.reached(RENDERED)
    row = {
        "id": identifier,
        "number": number,
        "payout_id": paid.id,
        "maintainer_id": paid.maintainer_id,
        "currency": paid.currency,
        "amount_minor": paid.amount_minor,
        "figures": text,
        "sha256": sha256,
        "issued_at": now,
    }
    session.execute(insert(remittance_advice), row)
    facts = {"number": number, "payout": paid.id, "amount_minor": paid.amount_minor}
    audit.record(session, "remittance-advice.issued", identifier, facts, after=row, by=by, now=now)
    return queries.find(session, identifier)


def _figures(session: Session, paid: Payout, number: str, profile: Profile, now: datetime) -> dict[str, Any]:
    """All that the advice says: names and addresses are those of today, the day of issue."""
    person = session.get_one(Maintainer, paid.maintainer_id)
    destination = session.get_one(Destination, paid.destination_id)
    sent_at = queries.sent_at(session, paid.id) or now
    cover = queries.cover_of(session, paid)
    return {
        "kind": KIND,
        "template": TEMPLATE,
        "number": number,
        "issued_on": now.astimezone(profile.zone).date().isoformat(),
        "sent_on": sent_at.astimezone(profile.zone).date().isoformat(),
        "firm": profile.letterhead(),
        "maintainer": {"name": person.name, "address": person.address.splitlines()},
        "payee": paid.payee_name,
        "run": session.get_one(PayoutRun, paid.run_id).number,
        "rail": paid.rail,
        "reference": paid.reference or "",
        "account_last4": destination.iban_last4,
        "audit": audit_queries.checkpoint(session),
    } | _lines(session, cover, paid)


def _lines(session: Session, cover: Cover, paid: Payout) -> dict[str, Any]:
    return {
        "currency": paid.currency,
        "lines": [_line(session, part) for part in cover.parts],
        "total": shown(paid.amount),
        "remaining": shown(cover.remaining),
    }


def _line(session: Session, part: Part) -> dict[str, Any]:
    """A month's earnings, or what else was owed or set off, in the words of its entry in the books."""
    earned = part.source.startswith(EARNINGS)
    entry = None if earned else ledger.entry_of(session, part.source)
    adjusts = None if entry is None or entry.adjusts is None else str(entry.adjusts)
    return {
        "kind": "earnings" if earned else "other",
        "month": str(Month.of(part.on)),
        "text": "" if entry is None else entry.narration,
        "adjusts": adjusts,
        "whole": shown(part.whole),
        "amount": shown(part.amount),
    }
