"""Issuing statements, and issuing them again with a correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit import queries as audit_queries
from firm.bulk import bulk_insert
from firm.db import AnyRow, transaction, use_case
from firm.errors import Invalid, InvariantBroken, Refused
from firm.ledger import periods
from firm.month import Month
from firm.numbering.operations import take
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles
from firm.profile.model import Profile
from payouts.statements import queries
from payouts.statements.accounts import accounts_of, with_prospects
from payouts.statements.model import statement
from payouts.statements.rules import Account, differences, frozen, lines_of
from staffing.maintainers.model import Maintainer

STEP = "statements"
KIND = "ST"
TEMPLATE = 2
RENDERED = faults.point("statement.rendered", "statements are written out, none of them is stored")

AS_OF_ISSUE = ("unpaid", "advanced")
"""What was under way on the day of issue: a corrected statement says the same of it."""


class NothingDiffers(Refused):
    """A corrected statement says something else than the one before it."""


class InvalidCorrection(Invalid):
    """A correction without a reason, or of a line that is not there."""


@use_case
def issue_month(month: Month, *, by: Actor, now: datetime) -> None:
    """Issue every maintainer's statement of a closed month; the step is done once."""
    with transaction() as session:
        if not periods.claim_step(session, month, STEP, items=0, total_minor=0, by=by, now=now):
            return
        profile = profiles.current(session)
        found = with_prospects(session, accounts_of(session, month, profile.currency), profile.currency)
        rows = _rows(session, month, found, profile, now)
        faults.reached(RENDERED)
        bulk_insert(session, statement, rows)
        closing = sum(account.closing.minor for account in found)
        periods.set_result(session, month, STEP, items=len(found), total_minor=closing)
        facts = {"statements": len(found), "closing_minor": closing}
        audit.record(session, "statements.issued", str(month), facts, by=by, now=now)


@use_case
def correct(
    key: str, *, reason: str, explanations: Mapping[int, str] | None = None, by: Actor, now: datetime
) -> AnyRow:
    """Issue a statement again, as a new version that refers to the first and says what differs.

    Amounts are those of the books at the end of the month, which nothing changes any more; names, addresses and
    references are today's, and lines of earnings get other `explanations` by their number (the first is 1). The first
    stays as it is. Raises `StatementNotFound`, `InvalidCorrection`, `NothingDiffers`.
    """
    if not reason.strip():
        raise InvalidCorrection("Say why the statement is issued again.", field="reason")
    with transaction() as session:
        profile = profiles.current(session)
        found = queries.find(session, key)
        # The number first: its series is locked until the commit, so that versions follow one another.
        number = take(session, KIND, found.month.year)[0]
        versions = queries.versions(session, found.maintainer_id, found.month)
        first, latest = versions[0], versions[-1]
        account = _account_again(session, first, profile, explanations or {})
        figures = _figures(session, first, account, profile, number, now)
        if not differences(queries.figures(latest), figures):
            raise NothingDiffers(f"A new version would say what {latest.number} says; change what was wrong first.")
        corrects = {
            "number": first.number,
            "issued_on": queries.figures(first)["issued_on"],
            "reason": reason,
            "differences": differences(queries.figures(first), figures),
        }
        text, digest = frozen(figures | {"corrects": corrects})
        row = _row(account, ids.new("stm"), number, first.month, now) | {
            "version": latest.version + 1,
            "corrects_id": first.id,
            "reason": reason,
            "figures": text,
            "sha256": digest,
        }
        faults.reached(RENDERED)
        session.execute(insert(statement), row)
        facts = {"number": number, "corrects": first.number, "reason": reason}
        audit.record(session, "statement.corrected", row["id"], facts, after=row, by=by, now=now)
        return queries.find(session, row["id"])


def _account_again(session: Session, first: AnyRow, profile: Profile, explanations: Mapping[int, str]) -> Account:
    """The account as the books have it at the end of the month, with other words where they are given."""
    [account] = accounts_of(session, first.month, profile.currency, maintainer_id=first.maintainer_id)
    again = [account.opening.minor, account.earned.minor, account.adjusted.minor, account.paid.minor]
    if again != [first.opening_minor, first.earned_minor, first.adjusted_minor, first.paid_minor]:
        raise InvariantBroken(f"The books no longer say what {first.number} says.")
    lines = dict(enumerate(account.earnings, 1))
    if unknown := sorted(set(explanations) - set(lines)):
        raise InvalidCorrection(f"{first.number} has no line {unknown[0]} of earnings.", field="explanations")
    changed = lines | {number: replace(lines[number], explanation=text) for number, text in explanations.items()}
    return replace(account, earnings=list(changed.values()))


def _figures(
    session: Session, first: AnyRow, account: Account, profile: Profile, number: str, now: datetime
) -> dict[str, object]:
    [person] = session.execute(
        select(Maintainer.id, Maintainer.name, Maintainer.address).where(Maintainer.id == account.maintainer_id)
    )
    head = _head(session, first.month, profile, now)
    figures = _said(account, head | {"number": number}, person, portfolio.names(session))
    before = queries.figures(first)
    return figures | {name: before[name] for name in AS_OF_ISSUE if name in before}


def _rows(
    session: Session, month: Month, found: Sequence[Account], profile: Profile, now: datetime
) -> list[dict[str, Any]]:
    if not found:
        return []
    people = _people(session)
    packages = portfolio.names(session)
    numbers = take(session, KIND, month.year, len(found))
    identifiers = ids.new_many("stm", len(found))
    head = _head(session, month, profile, now)
    return [
        _row(account, identifier, number, month, now)
        | _paper(account, head | {"number": number}, people[account.maintainer_id], packages)
        for account, identifier, number in zip(found, identifiers, numbers, strict=True)
    ]


def _head(session: Session, month: Month, profile: Profile, now: datetime) -> dict[str, Any]:
    return {
        "kind": "statement",
        "template": TEMPLATE,
        "issued_on": now.astimezone(profile.zone).date().isoformat(),
        "month": str(month),
        "firm": profile.letterhead(),
        "corrects": None,
        "audit": audit_queries.checkpoint(session),
    }


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
        "adjusted_minor": account.adjusted.minor,
        "paid_minor": account.paid.minor,
        "closing_minor": account.closing.minor,
        "issued_at": now,
        "reason": None,
    }


def _paper(account: Account, head: dict[str, Any], person: AnyRow, packages: dict[str, str]) -> dict[str, str]:
    """The frozen figures: names and addresses are those of today, the day of issue."""
    text, digest = frozen(_said(account, head, person, packages))
    return {"figures": text, "sha256": digest}


def _said(account: Account, head: dict[str, Any], person: AnyRow, packages: dict[str, str]) -> dict[str, object]:
    maintainer = {"name": person.name, "address": person.address.splitlines()}
    return head | {"maintainer": maintainer} | lines_of(account, packages)
