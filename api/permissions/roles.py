"""The roles, by what they do together."""

from __future__ import annotations

from firm.actor import Role

LEAD = frozenset({Role.LEAD})
OFFICE = frozenset({Role.LEAD, Role.ADMINISTRATOR})
READERS = frozenset({Role.LEAD, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR})
BOOKS = READERS | {Role.ACCOUNTANT}
WITH_MAINTAINER = READERS | {Role.MAINTAINER}
WITH_CLIENT = BOOKS | {Role.CLIENT}
APPROVERS = frozenset({Role.LEAD, Role.APPROVER})
EVERYBODY = frozenset(Role) - {Role.SYSTEM}

OPEN: frozenset[Role] = frozenset()
"""Needs no token: the process's health, which says nothing about the firm, and the API's own description."""

SIGNED = frozenset({Role.SYSTEM})
"""Needs no token: the body carries a provider's signature, which the view verifies before it reads a word of it. No
token is of this role, so that nobody comes in here by one."""
