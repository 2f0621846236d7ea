"""Clients from a file."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.clients.model import Client
from firm.clients.operations import new_client
from firm.intake.columns import Address, Country, Name, YesNo
from firm.intake.desk import Desk, Kind, refuse_contradiction
from firm.intake.report import LineRefused
from firm.intake.rows import Row
from firm.particulars import folded


class ClientRow(Row):
    """A client; its name is what it is known by."""

    name: Name
    country: Country
    address: Address = ()
    requires_po: YesNo = False


class ClientDesk(Desk[ClientRow]):
    """Knows every client by name."""

    def __init__(self, session: Session, *, by: Actor, now: datetime) -> None:
        super().__init__(session, by=by, now=now)
        self._known = {client.name: client for client in session.scalars(select(Client))}
        self._names = {folded(name): name for name in self._known}

    def settle(self, row: ClientRow, columns: Collection[str]) -> bool:
        if (known := self._known.get(row.name)) is not None:
            said = {"country": row.country, "address": "\n".join(row.address), "requires_po": row.requires_po}
            refuse_contradiction(row.name, {name: getattr(known, name) for name in said}, said, columns)
            return False
        if (other := self._names.get(folded(row.name))) is not None:
            raise LineRefused(f"{other} is known already; write the name as it is known.", column="name")
        client = new_client(
            name=row.name, country=row.country, address=row.address, requires_po=row.requires_po, now=self.now
        )
        self._known[row.name] = client
        self._names[folded(row.name)] = row.name
        self.keep(client, verb="client.registered", subject=client.id, facts={"name": client.name})
        return True


CLIENTS = Kind(
    "clients",
    ClientRow,
    ClientDesk,
    {"name": "Acme", "country": "US", "address": "1 Main Street\nSpringfield", "requires_po": "no"},
)
