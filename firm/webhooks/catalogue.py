"""The types of event there are. Each is named after the audit record it is derived from.

A type's version rises when the shape of its data changes; the old one is then sent beside it for a while.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EventType:
    """What happened, and the one field of its data: the id (or month) of what it happened to."""

    sentence: str
    field: str
    example: str
    version: int = 1


_CLIENT = ("client_id", "cli_01K9A7Q4M0TTV5WJ3YB2N8RZ6C")
_ENGAGEMENT = ("engagement_id", "eng_01K9A7Q4M0TTV5WJ3YB2N8RZ6C")
_MONTH = ("month", "2026-10")
_RUN = ("payout_run_id", "run_01K9A7Q4M0TTV5WJ3YB2N8RZ6C")
_PAYOUT = ("payout_id", "pay_01K9A7Q4M0TTV5WJ3YB2N8RZ6C")
_ASSIGNMENT = ("assignment_id", "asn_01K9A7Q4M0TTV5WJ3YB2N8RZ6C")

CATALOGUE: Mapping[str, EventType] = {
    "client.registered": EventType("A client was registered.", *_CLIENT),
    "engagement.drafted": EventType("An engagement was drafted.", *_ENGAGEMENT),
    "engagement.signed": EventType("An engagement was signed.", *_ENGAGEMENT),
    "engagement.ended": EventType("An engagement was given an end.", *_ENGAGEMENT),
    "package.adopted": EventType("A package joined the portfolio.", "package_id", "pkg_01K9A7Q4M0TTV5WJ3YB2N8RZ6C"),
    "maintainer.added": EventType("A maintainer joined.", "maintainer_id", "mnt_01K9A7Q4M0TTV5WJ3YB2N8RZ6C"),
    "assignment.made": EventType("A maintainer was assigned to a package.", *_ASSIGNMENT),
    "assignment.ended": EventType("An assignment was given an end.", *_ASSIGNMENT),
    "invoices.issued": EventType("The invoices of a month were issued.", *_MONTH),
    "receipt.recorded": EventType("Money arrived for an invoice.", "receipt_id", "rec_01K9A7Q4M0TTV5WJ3YB2N8RZ6C"),
    "month.closed": EventType("A month was closed: its figures are final.", *_MONTH),
    "statements.issued": EventType("The statements of a month were issued.", *_MONTH),
    "report.issued": EventType("A funded-work report was issued.", "report_id", "fwr_01K9A7Q4M0TTV5WJ3YB2N8RZ6C"),
    "run.drafted": EventType("A payout run was drafted.", *_RUN),
    "run.proposed": EventType("A payout run was proposed for approval.", *_RUN),
    "run.approved": EventType("A payout run was approved.", *_RUN),
    "run.canceled": EventType("A payout run was canceled.", *_RUN),
    "run.released": EventType("A payout run began to be sent.", *_RUN),
    "payout.sent": EventType("A payout was handed to its rail.", *_PAYOUT),
    "payout.unknown": EventType("It is not known whether a payout went out; it is being looked up.", *_PAYOUT),
    "payout.refused": EventType("A rail refused a payout; the money is payable again.", *_PAYOUT),
    "payout.settled": EventType("A payout left the bank.", *_PAYOUT),
    "payout.returned": EventType("A payout came back; the money is payable again.", *_PAYOUT),
    "payout.reversed": EventType("A provider took a payout back, in part or wholly; that is payable again.", *_PAYOUT),
    "payee-payout.failed": EventType(
        "A payee's bank did not take the money; it is in the payee's account at the provider, and nothing is payable.",
        "payee_payout_id",
        "pbp_01K9A7Q4M0TTV5WJ3YB2N8RZ6C",
    ),
    "difference.opened": EventType(
        "The books and a rail say different things.", "difference_id", "rcd_01K9A7Q4M0TTV5WJ3YB2N8RZ6C"
    ),
}


def body(name: str, subject: str, at: datetime) -> str:
    """The message, as it is signed and sent."""
    kind = CATALOGUE[name]
    message = {
        "type": name,
        "version": kind.version,
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {kind.field: subject},
    }
    return json.dumps(message, separators=(",", ":"))


def example(name: str) -> dict[str, Any]:
    """What a message of this type looks like."""
    found: dict[str, Any] = json.loads(body(name, CATALOGUE[name].example, datetime(2026, 11, 2, 9, 30, tzinfo=UTC)))
    return found


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a message of this type."""
    kind = CATALOGUE[name]
    return {
        "type": "object",
        "required": ["type", "version", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "version": {"const": kind.version},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {
                "type": "object",
                "required": [kind.field],
                "properties": {kind.field: {"type": "string"}},
            },
        },
        "examples": [example(name)],
    }
