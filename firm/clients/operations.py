"""Registering clients and their contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.clients import queries
from firm.clients.model import CONTACT_ROLES, Client, ClientContact
from firm.db import transaction, use_case
from firm.errors import Invalid, NothingToChange, Refused
from firm.particulars import checked_address, checked_country, checked_email, checked_key, checked_name, folded


class ClientNameTaken(Refused):
    """Two clients of one name could not be told apart on a paper."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is corrected of a client; None where nothing is."""

    name: str | None = None
    country: str | None = None
    address: Sequence[str] | None = None
    requires_po: bool | None = None


class ContactKnown(Refused):
    """One address is a client's contact in a role once."""


class UnknownContactRole(Invalid):
    """Contacts have one of the roles of the trade."""


@use_case
def register(
    *,
    name: str,
    country: str,
    address: Sequence[str] = (),
    requires_po: bool = False,
    by: Actor,
    now: datetime,
) -> Client:
    """Add a client. Raises `ClientNameTaken`."""
    with transaction() as session:
        client = new_client(name=name, country=country, address=address, requires_po=requires_po, now=now)
        _refuse_taken(session, client)
        session.add(client)
        _flush(session, client.name)
        audit.record(session, "client.registered", client.id, {"name": client.name}, after=client, by=by, now=now)
    return client


@use_case
def change(key: str, changes: Change, *, by: Actor, now: datetime) -> Client:
    """Correct what is known of a client; what is None stays. Papers that were issued keep what they say.

    Raises `ClientNotFound`, `ClientNameTaken`, `NothingToChange`.
    """
    with transaction() as session:
        client = queries.find(session, key, locked=True)
        before, earlier = digest(client), _particulars(client)
        if changes.name is not None:
            client.name = checked_key(changes.name)
            _refuse_taken(session, client)
        if changes.country is not None:
            client.country = checked_country(changes.country)
        if changes.address is not None:
            client.address = checked_address(changes.address)
        if changes.requires_po is not None:
            client.requires_po = changes.requires_po
        facts = {"before": earlier, "after": _particulars(client)}
        if earlier == facts["after"]:
            raise NothingToChange(f"{client.name} is known like this already; say what is different.")
        _flush(session, client.name)
        audit.record(session, "client.changed", client.id, facts, before=before, after=client, by=by, now=now)
    return client


def _particulars(client: Client) -> dict[str, object]:
    return {name: getattr(client, name) for name in ("name", "country", "address", "requires_po")}


def _refuse_taken(session: Session, client: Client) -> None:
    """Names that differ in capitals alone could be told apart by nobody."""
    with session.no_autoflush:
        others = session.execute(select(Client.name).where(Client.id != client.id)).scalars()
        for name in others:
            if folded(name) == folded(client.name):
                raise ClientNameTaken(f"There is a client named {name!r} already.")


def _flush(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise ClientNameTaken(f"There is a client named {name!r} already.") from error


def new_client(*, name: str, country: str, address: Sequence[str], requires_po: bool, now: datetime) -> Client:
    """A client that is in no session yet. Raises `InvalidParticulars`."""
    return Client(
        id=ids.new("cli"),
        name=checked_key(name),
        address=checked_address(address),
        country=checked_country(country),
        requires_po=requires_po,
        created_at=now,
    )


@use_case
def add_contact(client: str, *, name: str, email: str, role: str, by: Actor, now: datetime) -> ClientContact:
    """Add a contact of a client, given by id or name.

    Raises `ClientNotFound`, `UnknownContactRole`, `ContactKnown`.
    """
    if role not in CONTACT_ROLES:
        sentence = f"{role!r} is no contact's role; use one of {', '.join(CONTACT_ROLES)}."
        raise UnknownContactRole(sentence, field="role")
    address = checked_email(email)
    with transaction() as session:
        owner = queries.find(session, client)
        contact = ClientContact(
            id=ids.new("con"), client_id=owner.id, name=checked_name(name), email=address, role=role
        )
        session.add(contact)
        try:
            session.flush()
        except IntegrityError as error:
            raise ContactKnown(f"{email} is this client's {role} already.") from error
        audit.record(session, "client.contact-added", owner.id, {"role": role}, after=contact, by=by, now=now)
    return contact
