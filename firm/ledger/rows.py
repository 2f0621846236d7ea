"""The rows that entries become, the same for both engines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from firm.actor import Actor
from firm.ledger.entry import Entry
from firm.ledger.model import BALANCE_KEY

BalanceKey = tuple[str, str, str, str, str, str]


def of_entry(entry: Entry, number: int, *, by: Actor, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "source": entry.source,
        "month": entry.month,
        "on_date": entry.on,
        "narration": entry.narration,
        "adjusts_month": entry.adjusts,
        "reverses_id": entry.reverses_id,
        "line_count": len(entry.lines),
        "posted_at": now,
        "posted_by": by.name,
    }


def of_lines(entry: Entry, number: int) -> list[dict[str, Any]]:
    count = len(entry.lines)
    return [
        {
            "entry_id": number,
            "line": position,
            "line_count": count,
            "account": line.account,
            "currency": line.amount.currency,
            "amount_minor": line.amount.minor,
            "client_id": line.client_id,
            "engagement_id": line.engagement_id,
            "package_id": line.package_id,
            "maintainer_id": line.maintainer_id,
        }
        for position, line in enumerate(entry.lines, 1)
    ]


def changes(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """What the entries do to each balance, in the order of the key: the same lock order for every writer."""
    sums: dict[BalanceKey, int] = defaultdict(int)
    for entry in entries:
        for line in entry.lines:
            amount = line.amount
            key = (
                line.account,
                amount.currency,
                line.client_id,
                line.engagement_id,
                line.package_id,
                line.maintainer_id,
            )
            sums[key] += amount.minor
    return [dict(zip(BALANCE_KEY, key, strict=True)) | {"amount_minor": sums[key]} for key in sorted(sums)]


def facts(entries: Sequence[Entry]) -> dict[str, Any]:
    """What the audit record of a posting says."""
    if len(entries) == 1:
        return {"source": entries[0].source, "lines": len(entries[0].lines), "month": str(entries[0].month)}
    return {
        "entries": len(entries),
        "lines": sum(len(entry.lines) for entry in entries),
        "first": entries[0].source,
        "last": entries[-1].source,
    }
