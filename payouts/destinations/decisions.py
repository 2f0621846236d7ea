"""Deciding on a proposed destination: confirm, reject, withdraw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.errors import Refused
from firm.particulars import checked_words
from firm.profile import operations as profiles
from payouts.destinations import notices, queries
from payouts.destinations.model import Destination
from payouts.destinations.rules import usable_from
from staffing.maintainers import queries as maintainers


class NotProposed(Refused):
    """The proposal was decided already, or has expired."""


class ConfirmerIsProposer(Refused):
    """Whoever proposes a destination does not confirm it."""


class NotTheProposer(Refused):
    """Only who proposed withdraws; others reject."""


class PayoutUnderWay(Refused):
    """The rail is not switched while a payout to the maintainer is in flight over the old one."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed destination and the one it replaced, whose approvals hold no longer."""

    destination: Destination
    replaced: Destination | None


def confirm_in(session: Session, key: str, *, in_flight: Collection[str] = (), by: Actor, now: datetime) -> Confirmed:
    """Confirm a proposal in the caller's transaction: it is in force, and the one before it is over.

    `in_flight` says what of the maintainer's pay may have left: the rail is not switched under them. Whoever calls
    takes back what was approved for the replaced destination, in the same transaction, as `payouts.runs.changes` does.
    Raises `NotProposed`, `ConfirmerIsProposer` (unless the firm switched on sole approval, which the audit record then
    says), `PayoutUnderWay`.
    """
    proposal = queries.find(session, key)
    profile = profiles.current(session)
    alone = by.name == proposal.proposed_by
    if alone and not profile.sole_approval:
        raise ConfirmerIsProposer(f"This destination was proposed by {by.name}; somebody else has to confirm it.")
    person = maintainers.find(session, proposal.maintainer_id)
    old = queries.in_force(session, person.id)
    _refuse_switch(old, proposal, in_flight)
    first = not queries.was_ever_confirmed(session, person.id)
    before = digest(proposal)
    if old is not None:
        _replace(session, old, proposal, by=by, now=now)
    start = usable_from(now, first=first, cooling_off=profile.cooling_off)
    _decide(session, proposal, "confirmed", usable_from=start, sole_approval=alone, by=by, now=now)
    facts = {
        "maintainer": person.id,
        "last4": proposal.iban_last4,
        "usable_from": start.isoformat(),
        "sole_approval": alone,
        "replaces": None if old is None else old.id,
    }
    audit.record(session, "destination.confirmed", key, facts, before=before, after=proposal, by=by, now=now)
    notices.of_confirmation(session, person, proposal, old, by=by, now=now)
    return Confirmed(proposal, old)


@use_case
def reject(key: str, *, reason: str, by: Actor, now: datetime) -> Destination:
    """Refuse a proposal, with the reason on record; what was in force stays. Raises `NotProposed`."""
    reason = checked_words(reason, "Say why it is rejected: the reason stays on record.", field="reason", most=400)
    with transaction() as session:
        proposal = queries.find(session, key)
        return _end(session, proposal, "rejected", "destination.rejected", reason, by=by, now=now)


@use_case
def withdraw(key: str, *, by: Actor, now: datetime) -> Destination:
    """Take a proposal of one's own back; what was in force stays. Raises `NotProposed`, `NotTheProposer`."""
    with transaction() as session:
        proposal = queries.find(session, key)
        if proposal.proposed_by != by.name:
            raise NotTheProposer("Only who proposed a destination withdraws it; reject it instead.")
        return _end(session, proposal, "withdrawn", "destination.withdrawn", None, by=by, now=now)


def _refuse_switch(old: Destination | None, proposal: Destination, in_flight: Collection[str]) -> None:
    if in_flight and old is not None and old.rail != proposal.rail:
        raise PayoutUnderWay(
            f"A payout is under way over the rail {old.rail} ({', '.join(sorted(in_flight)[:3])}); the rail is switched"
            " once it has settled, failed or been canceled."
        )


def _replace(session: Session, old: Destination, proposal: Destination, *, by: Actor, now: datetime) -> None:
    """End the one in force. Of two confirmations at one moment the second finds it ended, and then nothing to claim."""
    before = digest(old)
    ended = update(Destination).where(Destination.id == old.id, Destination.state == "confirmed")
    if not claim(session, ended.values(state="replaced", replaced_at=now)):
        raise NotProposed("Somebody else confirmed a destination of this maintainer at the same moment; look again.")
    session.refresh(old)
    facts = {"maintainer": old.maintainer_id, "by": proposal.id}
    audit.record(session, "destination.replaced", old.id, facts, before=before, after=old, by=by, now=now)


def _end(
    session: Session, proposal: Destination, state: str, verb: str, reason: str | None, *, by: Actor, now: datetime
) -> Destination:
    before = digest(proposal)
    _decide(session, proposal, state, reason=reason, by=by, now=now)
    facts = {"maintainer": proposal.maintainer_id, "reason": reason}
    audit.record(session, verb, proposal.id, facts, before=before, after=proposal, by=by, now=now)
    return proposal


def _decide(session: Session, proposal: Destination, state: str, *, by: Actor, now: datetime, **more: object) -> None:
    """Move the proposal if it still waits; raises `NotProposed` otherwise."""
    waits = update(Destination).where(
        Destination.id == proposal.id, Destination.state == "proposed", Destination.expires_at > now
    )
    decided = claim(session, waits.values(state=state, decided_by=by.name, decided_at=now, **more))
    session.refresh(proposal)
    if not decided:
        raise NotProposed(f"This destination is {proposal.state_at(now)}, not proposed any more; propose it anew.")
