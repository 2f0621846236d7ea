"""Writing audit records, inside the transaction of the change they witness."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit.model import audit_record


def record(session: Session, verb: str, subject: str, facts: Mapping[str, Any], *, by: Actor, now: datetime) -> None:
    """Add one record to the session's transaction. `facts` are JSON values, never secrets."""
    session.execute(insert(audit_record), values(verb, subject, facts, by=by, now=now))


def values(verb: str, subject: str, facts: Mapping[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """The row of one record, for statements that write it together with their own rows."""
    return {
        "at": now,
        "actor": by.name,
        "role": str(by.role),
        "token_id": by.token_id,
        "request_id": by.request_id,
        "verb": verb,
        "subject": subject,
        "facts": json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    }
