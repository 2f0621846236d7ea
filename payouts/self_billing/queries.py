"""Finding agreements and invoices."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from firm.db import AnyRow
from firm.errors import NotFound, Refused
from firm.listing import WHOLE, Slice, where_given
from firm.month import Month
from payouts.self_billing.model import CREDIT_NOTE, INVOICE, SelfBillingAgreement, self_billed_invoice
from staffing.maintainers.model import Maintainer

AGREEMENT_END = func.coalesce(SelfBillingAgreement.ended_on, SelfBillingAgreement.until_on)


class AgreementNotFound(NotFound):
    """No self-billing agreement has this id."""


class SelfBilledInvoiceNotFound(NotFound):
    """No self-billed invoice has this id or number."""


class NumberAmbiguous(Refused):
    """Numbers are unique for each supplier, and two suppliers may use the same."""


def agreement(session: Session, agreement_id: str) -> SelfBillingAgreement:
    """Raises `AgreementNotFound`."""
    found = session.get(SelfBillingAgreement, agreement_id)
    if found is None:
        raise AgreementNotFound(f"There is no self-billing agreement {agreement_id!r}.")
    return found


def agreements(
    session: Session, part: Slice = WHOLE, *, maintainer_id: str | None = None
) -> list[SelfBillingAgreement]:
    """Agreements in the order of their ids."""
    query = where_given(select(SelfBillingAgreement), (SelfBillingAgreement.maintainer_id, maintainer_id))
    return list(session.scalars(part.of(query, SelfBillingAgreement.id)))


def in_force(session: Session, maintainer_id: str, on: date) -> SelfBillingAgreement | None:
    """The agreement that holds on a day; no two do, and one that was ended before it began never does."""
    return session.scalar(
        select(SelfBillingAgreement)
        .where(SelfBillingAgreement.maintainer_id == maintainer_id)
        .where(SelfBillingAgreement.from_on <= on, on < AGREEMENT_END)
    )


def overlapping(session: Session, maintainer_id: str, from_on: date, until_on: date) -> SelfBillingAgreement | None:
    """An agreement of the same supplier that holds on one of these days."""
    return session.scalar(
        select(SelfBillingAgreement)
        .where(SelfBillingAgreement.maintainer_id == maintainer_id)
        .where(SelfBillingAgreement.from_on < until_on, from_on < AGREEMENT_END)
        .where(SelfBillingAgreement.from_on < AGREEMENT_END)
        .limit(1)
    )


def nearest(session: Session, maintainer_id: str, on: date) -> SelfBillingAgreement | None:
    """The agreement to name when none holds on a day: the last one that had begun, or else the first to come."""
    mine = select(SelfBillingAgreement).where(SelfBillingAgreement.maintainer_id == maintainer_id)
    begun = mine.where(SelfBillingAgreement.from_on <= on).order_by(SelfBillingAgreement.from_on.desc())
    to_come = mine.order_by(SelfBillingAgreement.from_on)
    return session.scalar(begun.limit(1)) or session.scalar(to_come.limit(1))


def suppliers(session: Session) -> list[str]:
    """Names of the maintainers who ever agreed, in their order."""
    agreed = select(SelfBillingAgreement.maintainer_id)
    return list(session.scalars(select(Maintainer.name).where(Maintainer.id.in_(agreed)).order_by(Maintainer.name)))


def find(session: Session, key: str, *, maintainer_id: str | None = None) -> AnyRow:
    """An invoice or credit note by id or number, of one supplier or of any. Raises `SelfBilledInvoiceNotFound`."""
    table = self_billed_invoice
    query = select(table).where(or_(table.c.id == key, table.c.number == key))
    if maintainer_id is not None:
        query = query.where(table.c.maintainer_id == maintainer_id)
    rows = session.execute(query.limit(2)).all()
    if not rows:
        raise SelfBilledInvoiceNotFound(f"There is no self-billed invoice {key!r}.")
    if len(rows) > 1:
        raise NumberAmbiguous(f"Two suppliers have a self-billed invoice {key}; use the id of the one you mean.")
    return rows[0]


def page(
    session: Session, part: Slice = WHOLE, *, maintainer_id: str | None = None, month: Month | None = None
) -> list[AnyRow]:
    """Invoices and credit notes in the order of their ids."""
    table = self_billed_invoice.c
    query = where_given(select(self_billed_invoice), (table.maintainer_id, maintainer_id), (table.month, month))
    return list(session.execute(part.of(query, table.id)))


def latest_invoice(session: Session, maintainer_id: str, month: Month) -> AnyRow | None:
    """The last invoice of a month, credited or not."""
    table = self_billed_invoice
    return session.execute(
        select(table)
        .where(table.c.maintainer_id == maintainer_id, table.c.month == month, table.c.kind == INVOICE)
        .order_by(table.c.version.desc())
        .limit(1)
    ).one_or_none()


def credit_notes_of(session: Session, invoice_ids: Collection[str]) -> dict[str, str]:
    """Which of these invoices are taken back, each with the id of the credit note that does."""
    table = self_billed_invoice.c
    query = select(table.credits_id, table.id).where(table.credits_id.in_(invoice_ids), table.kind == CREDIT_NOTE)
    return dict(session.execute(query).all()) if invoice_ids else {}


def credit_note_of(session: Session, invoice_id: str) -> AnyRow | None:
    table = self_billed_invoice
    return session.execute(
        select(table).where(table.c.credits_id == invoice_id, table.c.kind == CREDIT_NOTE)
    ).one_or_none()


def last_issued_on(session: Session, agreement_id: str) -> date | None:
    """The day of the last paper issued under an agreement."""
    table = self_billed_invoice
    found: date | None = session.scalar(select(func.max(table.c.issued_on)).where(table.c.agreement_id == agreement_id))
    return found


def figures(row: AnyRow) -> Mapping[str, Any]:
    """The frozen figures of an invoice."""
    found: Mapping[str, Any] = json.loads(row.figures)
    return found
