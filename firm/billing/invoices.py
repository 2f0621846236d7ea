"""Issuing invoices."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.billing.model import Invoice, invoiced_month, recognition
from firm.billing.rules import Party, ServiceMonth, invoice_lines, months_to_invoice
from firm.bulk import bulk_insert
from firm.clients.model import Client
from firm.db import AnyRow, transaction, use_case
from firm.engagements.model import Engagement
from firm.engagements.rules import Term
from firm.errors import Refused
from firm.ledger import journal, periods
from firm.ledger.entry import Entry
from firm.money import Money
from firm.month import Month
from firm.numbering.operations import take
from firm.profile import operations as profiles
from firm.profile.model import Profile

DAYS_TO_PAY = 30


class MonthNotBegun(Refused):
    """A month is invoiced from its first day on; an engagement's cycle bills what lies ahead by itself."""


@dataclass(frozen=True, slots=True)
class Invoicing:
    """What a month's invoicing made, and the clients it could not bill, each with the reason."""

    issued: int
    held_back: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Due:
    """An invoice to be: the engagement's row and the months it bills."""

    row: AnyRow
    months: Sequence[ServiceMonth]
    earned: Collection[Month]
    """Its months that are in the books already, unbilled."""


@use_case
def issue_month(month: Month, *, by: Actor, now: datetime) -> Invoicing:
    """Issue the invoices of every engagement whose billing cycle covers the month and is not billed yet.

    May be repeated: a service month is invoiced once. Engagements of clients that require a PO number and
    gave none are held back and named. Raises `BeforeTheBooks`, `MonthNotBegun`, `MonthClosed`.
    """
    with transaction() as session:
        profile = profiles.current(session)
        _refuse_wrong_month(profile, month, now)
        periods.refuse_if_closed(session, month, instead="its close has issued what could be; invoice an open month")
        periods.hold(session, month)
        due, held_back = _due(session, month, profile)
        if due:
            _issue(session, due, on=_issue_day(profile, month, now), profile=profile, by=by, now=now)
            facts = {"issued": len(due), "held_back": len(held_back)}
            audit.record(session, "invoices.issued", str(month), facts, by=by, now=now)
    return Invoicing(len(due), tuple(held_back))


def held_back(session: Session, month: Month) -> Sequence[str]:
    """The clients that cannot be billed up to the month, each with the reason."""
    waits = Client.requires_po & (func.coalesce(Engagement.po_number, "") == "")
    query = select(Engagement.id).join(Client, Client.id == Engagement.client_id).where(waits).limit(1)
    if session.scalar(query) is None:
        return []
    return _due(session, month, profiles.current(session))[1]


def _refuse_wrong_month(profile: Profile, month: Month, now: datetime) -> None:
    profiles.refuse_before_books(profile, month)
    if profile.month_at(now) < month:
        raise MonthNotBegun(f"{month.name} has not begun; invoice it from its first day on.")


def _due(session: Session, month: Month, profile: Profile) -> tuple[list[_Due], list[str]]:
    invoiced = _months_by_engagement(session, invoiced_month, since=profile.first_month)
    earned = _months_by_engagement(session, recognition, since=profile.first_month)
    due: list[_Due] = []
    held_back: list[str] = []
    for row in _engagements_begun(session, month):
        term = Term(Money(row.fee_minor, row.currency), row.starts_on, row.ends_on)
        months = months_to_invoice(
            term,
            row.cycle_months,
            month,
            not_before=profile.first_month,
            invoiced=invoiced.get(row.id, ()),
            earned=earned.get(row.id, ()),
        )
        if not months:
            continue
        if row.requires_po and not row.po_number:
            held_back.append(
                f"{row.client_name} requires a purchase order number; enter it with"
                f" `chambers engagement po-number {row.id} NUMBER` and invoice again."
            )
        else:
            due.append(_Due(row, months, earned.get(row.id, set())))
    return due, held_back


def _engagements_begun(session: Session, month: Month) -> Sequence[AnyRow]:
    return session.execute(
        select(
            Engagement.id,
            Engagement.client_id,
            Engagement.fee_minor,
            Engagement.currency,
            Engagement.cycle_months,
            Engagement.starts_on,
            Engagement.ends_on,
            Engagement.po_number,
            Client.name.label("client_name"),
            Client.address.label("client_address"),
            Client.requires_po,
        )
        .join(Client, Client.id == Engagement.client_id)
        .where(Engagement.state != "draft", Engagement.starts_on < month.next.first_day)
        .order_by(Engagement.id)
    ).all()


def _issue(session: Session, due: Sequence[_Due], *, on: date, profile: Profile, by: Actor, now: datetime) -> None:
    numbers = take(session, "INV", on.year, len(due))
    identifiers = ids.new_many("inv", len(due))
    invoices, months, entries = [], [], []
    for item, number, identifier in zip(due, numbers, identifiers, strict=True):
        row, services = item.row, item.months
        total = Money(sum(service.amount.minor for service in services), row.currency)
        invoices.append(_invoice_row(item, number, identifier, total, on=on, profile=profile, now=now))
        months += [
            {
                "engagement_id": row.id,
                "month": service.month,
                "invoice_id": identifier,
                "amount_minor": service.amount.minor,
            }
            for service in services
        ]
        lines = invoice_lines(Party(row.client_id, row.id), services, item.earned)
        entries.append(Entry(f"invoice:{identifier}", on, f"Invoice {number}", tuple(lines)))
    bulk_insert(session, Invoice.__table__, invoices)  # type: ignore[arg-type]
    bulk_insert(session, invoiced_month, months)
    journal.post_many(session, entries, by=by, now=now)


def _invoice_row(
    due: _Due, number: str, identifier: str, total: Money, *, on: date, profile: Profile, now: datetime
) -> dict[str, object]:
    row = due.row
    return {
        "id": identifier,
        "number": number,
        "client_id": row.client_id,
        "engagement_id": row.id,
        "issued_on": on,
        "due_on": on + timedelta(days=DAYS_TO_PAY),
        "from_month": due.months[0].month,
        "until_month": due.months[-1].month.next,
        "total_minor": total.minor,
        "received_minor": 0,
        "currency": total.currency,
        "state": "open",
        "figures": _figures(due, number, total, on=on, profile=profile),
        "issued_at": now,
    }


def _figures(due: _Due, number: str, total: Money, *, on: date, profile: Profile) -> str:
    """What the invoice says, frozen at its issue. It names service months and never how the fee is split."""
    figures: Mapping[str, object] = {
        "kind": "invoice",
        "template": 1,
        "number": number,
        "issued_on": on.isoformat(),
        "due_on": (on + timedelta(days=DAYS_TO_PAY)).isoformat(),
        "firm": profile.letterhead(),
        "client": {"name": due.row.client_name, "address": str(due.row.client_address).splitlines()},
        "po_number": due.row.po_number,
        "months": [{"month": str(s.month), "amount": s.amount.decimal} for s in due.months],
        "total": {"amount": total.decimal, "currency": total.currency},
    }
    return json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _issue_day(profile: Profile, month: Month, now: datetime) -> date:
    """Today where it lies in the month; otherwise the month's last day, for a month billed late."""
    today = now.astimezone(profile.zone).date()
    return min(today, month.last_day)


def _months_by_engagement(session: Session, table: Table, *, since: Month) -> dict[str, set[Month]]:
    found: dict[str, set[Month]] = defaultdict(set)
    columns = table.c
    query = select(columns.engagement_id, columns.month).where(columns.month >= since)
    for engagement_id, month in session.execute(query):
        found[engagement_id].add(month)
    return found
