"""Finding clients."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from firm.clients.model import Client, ClientContact
from firm.errors import NotFound
from firm.listing import WHOLE, Slice


class ClientNotFound(NotFound):
    """No client has this id or name."""


def find(session: Session, key: str, *, locked: bool = False) -> Client:
    """A client by id or name. Raises `ClientNotFound`."""
    query = select(Client).where(or_(Client.id == key, Client.name == key))
    # An id means its owner, also where somebody bears a name like it.
    query = query.order_by((Client.id == key).desc(), Client.id).limit(1)
    client = session.scalar(query.with_for_update() if locked else query)
    if client is None:
        raise ClientNotFound(f"There is no client {key!r}.")
    return client


def page(session: Session, part: Slice = WHOLE) -> list[Client]:
    """Clients in the order of their ids."""
    return list(session.scalars(part.of(select(Client), Client.id)))


def names(session: Session) -> dict[str, str]:
    """Names of all clients by id."""
    return dict(session.execute(select(Client.id, Client.name)).all())


def contacts_of(session: Session, client_id: str) -> list[ClientContact]:
    return list(
        session.scalars(select(ClientContact).where(ClientContact.client_id == client_id).order_by(ClientContact.id))
    )
