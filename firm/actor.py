"""Who does something: every write names one, and the audit record keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller may do; the tables of `api.permissions` say which role may call what."""

    LEAD = "lead"
    ADMINISTRATOR = "administrator"
    APPROVER = "approver"
    MAINTAINER = "maintainer"
    CLIENT = "client"
    ACCOUNTANT = "accountant"
    AUDITOR = "auditor"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program acting: `name` is unique among callers; `request_id` ties log and audit together."""

    name: str
    role: Role
    token_id: str | None = None
    request_id: str | None = None
    subject_id: str | None = None
    """The maintainer or client this caller is, for the two roles that see only their own."""
    on_behalf_of: str | None = None
    """Whose wish a program carries out: a job names the person who asked for it."""
