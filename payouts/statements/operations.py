"""Issuing statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit import queries as audit_queries
from firm.bulk import bulk_insert
from firm.db import AnyRow, transaction, use_case
from firm.ledger import periods
from firm.month import Month
from firm.numbering.operations import take
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles
from firm.profile.model import Profile
from payouts.statements import queries
from payouts.statements.model import statement
from payouts.statements.rules import Account, frozen, lines_of
from staffing.maintainers.model import Maintainer

STEP = "statements"
KIND = "ST"
TEMPLATE = 1


@use_case
def issue_month(month: Month, *, by: Actor, now: datetime) -> None:
    """Issue every maintainer's statement of a closed month; the step is done once."""
    with transaction() as session:
        if not periods.claim_step(session, month, STEP, items=0, total_minor=0, by=by, now=now):
            return
        profile = profiles.current(session)
        found = queries.accounts_of(session, month, profile.currency)
        bulk_insert(session, statement, _rows(session, month, found, profile, now))
        closing = sum(account.closing.minor for account in found)
        periods.set_result(session, month, STEP, items=len(found), total_minor=closing)
        facts = {"statements": len(found), "closing_minor": closing}
        audit.record(session, "statements.issued", str(month), facts, by=by, now=now)


def _rows(
    session: Session, month: Month, found: Sequence[Account], profile: Profile, now: datetime
) -> list[dict[str, Any]]:
    if not found:
        return []
    people = _people(session)
    packages = portfolio.names(session)
    issued_on = now.astimezone(profile.zone).date()
    numbers = take(session, KIND, month.year, len(found))
    identifiers = ids.new_many("stm", len(found))
    head = {
        "kind": "statement",
        "template": TEMPLATE,
        "issued_on": issued_on.isoformat(),
        "month": str(month),
        "firm": profile.letterhead(),
        "corrects": None,
        "audit": audit_queries.checkpoint(session),
    }
    return [
        _row(account, identifier, number, month, now)
        | _paper(account, head | {"number": number}, people[account.maintainer_id], packages)
        for account, identifier, number in zip(found, identifiers, numbers, strict=True)
    ]


def _people(session: Session) -> dict[str, AnyRow]:
    rows = session.execute(select(Maintainer.id, Maintainer.name, Maintainer.address))
    return {row.id: row for row in rows}


def _row(account: Account, identifier: str, number: str, month: Month, now: datetime) -> dict[str, Any]:
    return {
        "id": identifier,
        "number": number,
        "maintainer_id": account.maintainer_id,
        "month": month,
        "version": 1,
        "corrects_id": None,
        "currency": account.opening.currency,
        "opening_minor": account.opening.minor,
        "earned_minor": account.earned.minor,
        "paid_minor": account.paid.minor,
        "closing_minor": account.closing.minor,
        "issued_at": now,
    }


def _paper(account: Account, head: dict[str, Any], person: AnyRow, packages: dict[str, str]) -> dict[str, str]:
    """The frozen figures: names and addresses are those of today, the day of issue."""
    maintainer = {"name": person.name, "address": person.address.splitlines()}
    text, digest = frozen(head | {"maintainer": maintainer} | lines_of(account, packages))
    return {"figures": text, "sha256": digest}
