"""Whether somebody may do something, by the tables of `api.permissions`. A route without a line refuses to start.

A token's scopes narrow what its principal's role allows; they never widen it.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from api.errors import Forbidden
from api.permissions.commands import COMMANDS, IMPORTS, ONLY_READS
from api.permissions.roles import LEAD, OPEN, SIGNED
from api.permissions.routes import APPROVALS, NEEDS_PRESENCE, POLICY, UNSCOPED, UNSCOPED_FOR_ITSELF
from api.permissions.scopes import resource_of
from firm.access import presence
from firm.access.principals import MAY_BE_GIVEN_APPROVAL
from firm.access.rules import scope_allows
from firm.access.tokens import Admission
from firm.actor import Actor, Role
from firm.errors import InvariantBroken


def refuse_gaps(app: Flask) -> None:
    """Raises `InvariantBroken` if a route has no line in the table, or a line no route."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    for endpoint in sorted(routes - set(POLICY)):
        raise InvariantBroken(f"The route {endpoint} has no line in api.permissions.routes; say who may call it.")
    for endpoint in sorted(set(POLICY) - routes):
        raise InvariantBroken(f"The policy names {endpoint}, which is no route.")


def is_open(endpoint: str) -> bool:
    return POLICY.get(endpoint) == OPEN and endpoint in POLICY


def needs_no_token(endpoint: str) -> bool:
    """Whether a route asks nobody for a token: it is open, or its body is signed."""
    return is_open(endpoint) or POLICY.get(endpoint) == SIGNED


def refuse_command(admission: Admission, command: str, *, now: datetime) -> None:
    """Raises `Forbidden` unless the token may give the command, and `PresenceNeeded` for an approval without it.

    Maintainers and clients see only their own things, which the command line does not tell apart: they use the API.
    """
    endpoint = COMMANDS.get(command, "")
    role = admission.actor.role
    own = role in (Role.MAINTAINER, Role.CLIENT) and endpoint != "step_ups.proved"
    if own or not _permits(admission, endpoint, otherwise=LEAD):
        raise Forbidden(f"The role {role} may not run `chambers {command}`.")
    if endpoint in POLICY:
        refuse(admission, endpoint, writing=command not in ONLY_READS, now=now)
    elif "write" not in admission.scopes:
        raise Forbidden(f"This token's scopes do not allow `chambers {command}`.")


def refuse(admission: Admission, endpoint: str, *, writing: bool, now: datetime, itself: bool = False) -> None:
    """Raises `Forbidden` unless role and scopes allow the route, `PresenceNeeded` where presence must be proved.

    `itself` says that the route's object is the token in hand.
    """
    role = admission.actor.role
    if not _permits(admission, endpoint):
        raise Forbidden(f"The role {role} may not do this.")
    resource = resource_of(endpoint)
    unscoped = endpoint in UNSCOPED or (itself and endpoint in UNSCOPED_FOR_ITSELF)
    if not unscoped and not scope_allows(admission.scopes, resource, writing=writing):
        raise Forbidden(f"This token's scopes do not allow this; it takes {'write' if writing else 'read'}:{resource}.")
    if writing and endpoint in NEEDS_PRESENCE:
        presence.refuse_absent(admission.proved_at, now=now)


def _permits(admission: Admission, endpoint: str, *, otherwise: frozenset[Role] = OPEN) -> bool:
    """Whether the role, or the permission to approve, allows a route."""
    role = admission.actor.role
    permission = admission.may_approve and role in MAY_BE_GIVEN_APPROVAL and endpoint in APPROVALS
    return permission or role in POLICY.get(endpoint, otherwise)


def refuse_import(actor: Actor, kind: str) -> None:
    """Raises `Forbidden` unless the actor's role may make each thing of the kind one by one."""
    if actor.role not in POLICY[IMPORTS[kind]]:
        raise Forbidden(f"The role {actor.role} may not import {kind}.")
