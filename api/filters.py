"""Filters that several lists take: things named by id or name, and whose a caller may name.

What is not there is a 404. Maintainers and clients see their own whatever they ask; to them another's thing is not
there either, and they name themselves by id only, so that a name tells them nothing about who else there is.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api.auth import own, own_or_none
from api.fields import Text
from api.paging import PageQuery
from firm.actor import Role
from firm.clients import queries as clients
from firm.engagements import queries as engagements
from firm.portfolio import queries as portfolio
from staffing.maintainers import queries as maintainers

BY_ID_OR_NAME = {"description": "Id or name."}


class MaintainerQuery(PageQuery):
    """`?maintainer=ada`."""

    maintainer = Text(load_default=None, metadata=BY_ID_OR_NAME)


class ClientQuery(PageQuery):
    """`?client=Acme`."""

    client = Text(load_default=None, metadata=BY_ID_OR_NAME)


def maintainer_id_of(session: Session, query: dict[str, Any]) -> str | None:
    """The maintainer that limits a list, or None. Raises `MaintainerNotFound` or `AnothersThing`."""
    mine, key = own_or_none(Role.MAINTAINER), query["maintainer"]
    if key is None:
        return mine
    return maintainers.find(session, key).id if mine is None else own(key)


def client_id_of(session: Session, query: dict[str, Any]) -> str | None:
    """The client that limits a list, or None. Raises `ClientNotFound` or `AnothersThing`."""
    mine, key = own_or_none(Role.CLIENT), query["client"]
    if key is None:
        return mine
    return clients.find(session, key).id if mine is None else own(key)


def engagement_id_of(session: Session, query: dict[str, Any]) -> str | None:
    """The engagement that a list is asked for, or None. Raises `EngagementNotFound` or `AnothersThing`."""
    if query["engagement"] is None:
        return None
    found = engagements.find(session, query["engagement"])
    own(found.client_id)
    return found.id


def package_id_of(session: Session, query: dict[str, Any]) -> str | None:
    """The package that a list is asked for, or None. Raises `PackageNotFound`."""
    return None if query["package"] is None else portfolio.find(session, query["package"]).id
