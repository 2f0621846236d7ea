"""Issuing self-billed invoices, and taking one back by a credit note."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit import queries as audit_queries
from firm.db import AnyRow, reading, transaction, use_case
from firm.documents.figures import frozen, read
from firm.errors import NotFound, Refused
from firm.month import Month
from firm.particulars import checked_words
from firm.profile import operations as profiles
from payouts.self_billing import papers, queries
from payouts.self_billing.agreements import lock_supplier
from payouts.self_billing.model import (
    CREDIT_NOTE,
    INVOICE,
    SelfBillingAgreement,
    self_billed_invoice,
    self_billing_series,
)
from payouts.self_billing.rules import Vat, numbered, reverse_charge_obstacle, written
from payouts.statements import queries as statements
from staffing.maintainers.model import Maintainer


class NoAgreement(Refused):
    """Nobody is billed for without a live agreement."""


class AlreadyInvoiced(Refused):
    """A month is billed once, until its invoice has been taken back."""


class NothingToInvoice(Refused):
    """An invoice is for something earned."""


class NotCreditable(Refused):
    """What is no invoice, or was taken back already, is not taken back."""


class VatIdMissing(Refused):
    """A reverse charge without both VAT ids, or between parties of one country."""


@use_case
def issue(maintainer: str, month: Month, *, by: Actor, now: datetime) -> AnyRow:
    """Issue the invoice for a closed month's earnings, under the next number of the supplier's own series.

    Raises `StatementNotFound`, `NoAgreement`, `AlreadyInvoiced`, `NothingToInvoice`, `VatIdMissing`; then nothing is
    issued and no number is used.
    """
    with transaction() as session:
        person = lock_supplier(session, maintainer)
        profile = profiles.current(session)
        today = now.astimezone(profile.zone).date()
        statement = statements.of_month(session, person.id, month)
        agreement = _live(session, person, today)
        _refuse_not_covered(session, person, month)
        _refuse_reverse_charge(agreement, profile.vat_id)
        version = _next_version(session, person, month)
        said: dict[str, Any] = dict(statements.figures(statement))
        vat = Vat(agreement.treatment, agreement.rate_bp, agreement.exemption)
        lines = papers.billed(said, vat)
        if read(lines["net"]).minor <= 0:
            raise NothingToInvoice(f"{person.name} earned nothing in {month.name} that could be invoiced.")
        position = _next_position(session, person.id, agreement.series)
        figures = {
            **papers.head(numbered(agreement.series, position), today, month, said["number"]),
            **papers.parties(agreement, profile),
            **lines,
            "credits": None,
            "audit": audit_queries.checkpoint(session),
        }
        where = {"statement_id": statement.id, "credits_id": None, "month": month, "version": version}
        return _keep(session, INVOICE, agreement, position, figures, where, by=by, now=now)


def issue_month(month: Month, *, by: Actor, now: datetime) -> tuple[list[AnyRow], dict[str, str]]:
    """Issue what can be issued for a month, to every supplier who ever agreed.

    Gives the invoices and, by name, why there is none. May be repeated.
    """
    issued, refused = [], {}
    with reading() as session:
        names = queries.suppliers(session)
    for name in names:
        try:
            issued.append(issue(name, month, by=by, now=now))
        except (Refused, NotFound) as error:
            refused[name] = error.message
    return issued, refused


@use_case
def credit(key: str, *, reason: str, by: Actor, now: datetime) -> AnyRow:
    """Take an invoice back whole, by a credit note that carries its number. Raises `NotCreditable`, `NoAgreement`."""
    reason = checked_words(reason, "Say why it is taken back: the credit note says so.", field="reason", most=400)
    with transaction() as session:
        original = queries.find(session, key)
        person = lock_supplier(session, original.maintainer_id)
        profile = profiles.current(session)
        today = now.astimezone(profile.zone).date()
        _refuse_not_creditable(session, original)
        agreement = _live(session, person, today)
        said = queries.figures(original)
        position = _next_position(session, person.id, agreement.series)
        figures = {
            **papers.head(numbered(agreement.series, position), today, original.month, said["statement"]),
            **papers.parties(agreement, profile),
            **papers.taken_back(said),
            "credits": {"number": original.number, "issued_on": said["issued_on"], "reason": reason},
            "audit": audit_queries.checkpoint(session),
        }
        where = {name: getattr(original, name) for name in ("statement_id", "month", "version")}
        where |= {"credits_id": original.id}
        return _keep(session, CREDIT_NOTE, agreement, position, figures, where, by=by, now=now)


def _keep(
    session: Session,
    kind: str,
    agreement: SelfBillingAgreement,
    position: int,
    figures: dict[str, Any],
    where: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> AnyRow:
    identifier = ids.new("sbi")
    text, sha256 = frozen(figures)
    row = {
        "id": identifier,
        "kind": kind,
        "number": figures["number"],
        "maintainer_id": agreement.maintainer_id,
        "agreement_id": agreement.id,
        "series": agreement.series,
        "position": position,
        "issued_on": date.fromisoformat(figures["issued_on"]),
        "currency": figures["currency"],
        **papers.minor_sums(figures),
        **where,
        "figures": text,
        "sha256": sha256,
        "issued_at": now,
    }
    session.execute(insert(self_billed_invoice), row)
    facts = {"number": figures["number"], "maintainer": agreement.maintainer_id, "gross_minor": row["gross_minor"]}
    verb = "self-billed-invoice.issued" if kind == INVOICE else "self-billed-invoice.credited"
    audit.record(session, verb, identifier, facts, after=row, by=by, now=now)
    return queries.find(session, identifier)


def _live(session: Session, person: Maintainer, today: date) -> SelfBillingAgreement:
    """The agreement in force today. Raises `NoAgreement`."""
    found = queries.in_force(session, person.id, today)
    if found is None:
        raise NoAgreement(_missing(person.name, queries.nearest(session, person.id, today), today))
    return found


def _missing(name: str, nearest: SelfBillingAgreement | None, today: date) -> str:
    if nearest is None:
        return f"{name} has not agreed to self-billing; record an agreement, or wait for {name}'s own invoice."
    if nearest.from_on > today:
        return f"The self-billing agreement with {name} begins on {written(nearest.from_on)}; nothing is issued before."
    what = "was ended from" if nearest.ended_on is not None else "ran until"
    return f"The self-billing agreement with {name} {what} {written(nearest.end)}; renew it before anything is issued."


def _refuse_not_covered(session: Session, person: Maintainer, month: Month) -> None:
    if queries.in_force(session, person.id, month.last_day) is None:
        raise NoAgreement(
            f"No self-billing agreement with {person.name} was in force on {written(month.last_day)};"
            f" {month.name} is invoiced by {person.name}."
        )


def _refuse_reverse_charge(agreement: SelfBillingAgreement, own_vat_id: str | None) -> None:
    sentence = reverse_charge_obstacle(agreement.treatment, supplier=agreement.supplier_vat_id, customer=own_vat_id)
    if sentence:
        raise VatIdMissing(sentence)


def _next_version(session: Session, person: Maintainer, month: Month) -> int:
    before = queries.latest_invoice(session, person.id, month)
    if before is None:
        return 1
    if queries.credit_note_of(session, before.id) is None:
        raise AlreadyInvoiced(
            f"{month.name} of {person.name} was invoiced as {before.number}; take that back by a credit note first."
        )
    return int(before.version) + 1


def _refuse_not_creditable(session: Session, original: AnyRow) -> None:
    if original.kind != INVOICE:
        raise NotCreditable(f"{original.number} is a credit note; bill the month again instead.")
    note = queries.credit_note_of(session, original.id)
    if note is not None:
        raise NotCreditable(f"{original.number} was taken back by {note.number} already.")


def _next_position(session: Session, maintainer_id: str, series: str) -> int:
    """The next place in a series, gone once committed; a rollback gives it back, so that there are no gaps."""
    engine = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    first = engine.insert(self_billing_series).values(maintainer_id=maintainer_id, series=series, last=1)
    following = first.on_conflict_do_update(
        index_elements=["maintainer_id", "series"], set_={"last": self_billing_series.c.last + 1}
    ).returning(self_billing_series.c.last)
    return int(session.scalars(following).one())
