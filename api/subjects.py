"""Whose data a principal may see, and over which resources its tokens reach: what `firm.access` cannot know."""

from __future__ import annotations

from collections.abc import Iterable

from api.permissions.routes import POLICY
from api.permissions.scopes import resource_of
from firm.access.principals import RoleNeedsSubject
from firm.access.rules import InvalidScope
from firm.actor import Role
from firm.clients.model import Client
from firm.db import reading
from staffing.maintainers.model import Maintainer

_KINDS = {Role.MAINTAINER: Maintainer, Role.CLIENT: Client}


def refuse_unknown(role: Role | None, subject_id: str | None) -> None:
    """Raises `RoleNeedsSubject` where no maintainer or client has the id."""
    kind = _KINDS.get(role) if role is not None else None
    if kind is None or subject_id is None:
        return
    with reading() as session:
        if session.get(kind, subject_id) is None:
            raise RoleNeedsSubject(f"There is no {role} {subject_id!r}; give the id of one.", field="subject_id")


def refuse_nameless(scopes: Iterable[str]) -> None:
    """Raises `InvalidScope` for a scope over a resource that there is not."""
    resources = {resource_of(endpoint) for endpoint in POLICY}
    for scope in scopes:
        resource = scope.partition(":")[2]
        if resource and resource not in resources:
            raise InvalidScope(
                f"{scope!r} is no scope: there is no resource {resource!r}; /openapi.json names the scope of each"
                " operation (x-scope).",
                field="scopes",
            )
