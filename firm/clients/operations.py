"""Registering clients and their contacts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.clients import queries
from firm.clients.model import CONTACT_ROLES, Client, ClientContact
from firm.db import transaction, use_case
from firm.errors import Invalid, Refused
from firm.particulars import checked_country, checked_email, checked_name


class ClientNameTaken(Refused):
    """Two clients of one name could not be told apart on a paper."""


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
        session.add(client)
        try:
            session.flush()
        except IntegrityError as error:
            raise ClientNameTaken(f"There is a client named {name!r} already.") from error
        audit.record(session, "client.registered", client.id, {"name": name}, after=client, by=by, now=now)
    return client


def new_client(*, name: str, country: str, address: Sequence[str], requires_po: bool, now: datetime) -> Client:
    """A client that is in no session yet. Raises `InvalidParticulars`."""
    return Client(
        id=ids.new("cli"),
        name=checked_name(name),
        address="\n".join(address),
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
        raise UnknownContactRole(f"{role!r} is no contact's role; use one of {', '.join(CONTACT_ROLES)}.")
    address = checked_email(email)
    with transaction() as session:
        owner = queries.find(session, client)
        contact = ClientContact(id=ids.new("con"), client_id=owner.id, name=name, email=address, role=role)
        session.add(contact)
        try:
            session.flush()
        except IntegrityError as error:
            raise ContactKnown(f"{email} is this client's {role} already.") from error
        audit.record(session, "client.contact-added", owner.id, {"role": role}, after=contact, by=by, now=now)
    return contact
