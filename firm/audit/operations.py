"""Writing audit records, inside the transaction of the change they witness."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit.model import audit_record
from firm.audit.rules import digest

Fact = tuple[str, str, Mapping[str, Any], Any]
"""A verb, its subject, the facts that matter, and the subject as it is now."""


def record(
    session: Session,
    verb: str,
    subject: str,
    facts: Mapping[str, Any],
    *,
    before: str | None = None,
    after: Any = None,
    by: Actor,
    now: datetime,
) -> None:
    """Add one record to the session's transaction. `facts` are JSON values, never secrets.

    `before` is the `digest` of the subject as it was, `after` the subject as it is now (a row or a mapping).
    """
    if after is not None:
        # What the database fills in belongs to the state.
        session.flush()
    row = values(verb, subject, facts, by=by, now=now)
    session.execute(insert(audit_record), row | {"before_sha256": before, "after_sha256": _digest_of(after)})


def record_all(session: Session, facts: Sequence[Fact], *, by: Actor, now: datetime) -> None:
    """Add one record for each fact, for what makes many things at once."""
    if facts:
        rows = [
            values(verb, subject, noted, by=by, now=now) | {"after_sha256": _digest_of(after)}
            for verb, subject, noted, after in facts
        ]
        session.execute(insert(audit_record), rows)


def _digest_of(thing: Any) -> str | None:
    return None if thing is None else digest(thing)


def values(verb: str, subject: str, facts: Mapping[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """The row of one record, for statements that write it together with their own rows."""
    return {
        "at": now,
        "actor": by.name,
        "role": str(by.role),
        "token_id": by.token_id,
        "request_id": by.request_id,
        "on_behalf_of": by.on_behalf_of,
        "verb": verb,
        "subject": subject,
        "facts": json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    }
