"""Recording, withdrawing and opening forms."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, transaction, use_case
from firm.errors import Invalid, NotFound, Refused
from firm.particulars import checked_name, checked_words
from firm.profile import operations as profiles
from firm.secrets import SealedColumn, SecretKeys
from payouts.tax_forms import queries
from payouts.tax_forms.model import KINDS, TaxForm
from payouts.tax_forms.rules import checked_tin, day_of, expires_on, last_characters, written
from staffing.maintainers import queries as maintainers

LARGEST_DOCUMENT = 5_000_000
SEALED = (
    SealedColumn("tax_form", "tin_sealed", "tax-form.tin:{id}"),
    SealedColumn("tax_form", "document_sealed", "tax-form.document:{id}"),
)


class InvalidTaxForm(Invalid):
    """A form of no known kind, or days that cannot be."""


class TaxFormEnded(Refused):
    """A form that is superseded or withdrawn is not withdrawn again."""


class NoDocument(NotFound):
    """The form was recorded without its paper."""


@use_case
def record(
    maintainer: str,
    *,
    kind: str,
    name: str,
    signed_on: date,
    received_on: date,
    tin: str | None = None,
    document: bytes | None = None,
    keys: SecretKeys,
    by: Actor,
    now: datetime,
) -> TaxForm:
    """Put a signed form on file; it supersedes the person's one before. Raises `InvalidTaxForm`, `InvalidTin`."""
    if kind not in KINDS:
        raise InvalidTaxForm(f"{kind!r} is no form kept here; use one of {', '.join(KINDS)}.", field="kind")
    number = checked_tin(kind, tin)
    if document is not None and not 0 < len(document) <= LARGEST_DOCUMENT:
        raise InvalidTaxForm("The paper is empty or larger than 5 MB.", field="document")
    with transaction() as session:
        today = day_of(now, profiles.current(session).zone)
        _refuse_days(signed_on, received_on, today)
        person = maintainers.find(session, maintainer)
        identifier = ids.new("txf")
        _supersede(session, person.id, identifier, by=by, now=now)
        form = TaxForm(
            id=identifier,
            maintainer_id=person.id,
            kind=kind,
            name=checked_name(name),
            signed_on=signed_on,
            received_on=received_on,
            expires_on=expires_on(kind, signed_on),
            tin_sealed=None if number is None else keys.seal(number, place=SEALED[0].place_of(identifier)),
            tin_last4=None if number is None else last_characters(number),
            document_sealed=None if document is None else _sealed(document, identifier, keys),
            document_sha256=None if document is None else hashlib.sha256(document).hexdigest(),
            recorded_at=now,
            recorded_by=by.name,
        )
        session.add(form)
        facts = {"maintainer": person.id, "kind": kind, "last4": form.tin_last4}
        audit.record(session, "tax-form.recorded", identifier, facts, after=form, by=by, now=now)
        return form


@use_case
def withdraw(form_id: str, *, reason: str, by: Actor, now: datetime) -> TaxForm:
    """Take a form off the file because it is wrong or no longer true. Raises `TaxFormEnded`."""
    reason = checked_words(reason, "Say why it is withdrawn: the reason stays on record.", field="reason", most=400)
    with transaction() as session:
        form = queries.find(session, form_id)
        before = digest(form)
        live = update(TaxForm).where(
            TaxForm.id == form.id, TaxForm.superseded_at.is_(None), TaxForm.withdrawn_at.is_(None)
        )
        if not claim(session, live.values(withdrawn_at=now, withdrawal_reason=reason)):
            raise TaxFormEnded("That form is superseded or withdrawn already; there is nothing to withdraw.")
        session.refresh(form)
        facts = {"maintainer": form.maintainer_id, "reason": reason}
        audit.record(session, "tax-form.withdrawn", form.id, facts, before=before, after=form, by=by, now=now)
        return form


@use_case
def open_document(form_id: str, *, keys: SecretKeys, by: Actor, now: datetime) -> bytes:
    """The paper as it was handed in; that it was opened is on record. Raises `NoDocument`."""
    with transaction() as session:
        form = queries.find(session, form_id)
        if form.document_sealed is None:
            raise NoDocument(f"The {form.kind} of {form.name} was recorded without its paper.")
        content = base64.b64decode(keys.open(form.document_sealed, place=SEALED[1].place_of(form.id)))
        facts = {"maintainer": form.maintainer_id, "sha256": form.document_sha256}
        audit.record(session, "tax-form.document-opened", form.id, facts, by=by, now=now)
        return content


def _supersede(session: Session, maintainer_id: str, successor: str, *, by: Actor, now: datetime) -> None:
    """End the person's live form, if there is one, in favor of another."""
    before = queries.live(session, maintainer_id)
    live = (TaxForm.maintainer_id == maintainer_id, TaxForm.superseded_at.is_(None), TaxForm.withdrawn_at.is_(None))
    if before is None or not claim(session, update(TaxForm).where(*live).values(superseded_at=now)):
        return
    seen = digest(before)
    session.refresh(before)
    facts = {"by": successor}
    audit.record(session, "tax-form.superseded", before.id, facts, before=seen, after=before, by=by, now=now)


def _refuse_days(signed_on: date, received_on: date, today: date) -> None:
    if received_on < signed_on:
        raise InvalidTaxForm("A form is signed before it is received; check the two days.", field="received_on")
    if received_on > today:
        raise InvalidTaxForm(f"{written(received_on)} is still to come; give the day it came in.", field="received_on")


def _sealed(document: bytes, identifier: str, keys: SecretKeys) -> str:
    return keys.seal(base64.b64encode(document).decode(), place=SEALED[1].place_of(identifier))
