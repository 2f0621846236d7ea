"""What differs between Stripe's description of 2026-05-27 and the version that the SDK speaks, 2026-10-28.endive."""

from __future__ import annotations

from typing import Any

API_VERSION = "2026-10-28.endive"

DELETED = object()
"""Stands for a property that the newer version no longer has."""

_LINK = ("paths", "/v2/core/account_links", "post", "requestBody", "content", "application/json", "schema")
_LINK_USES = (*_LINK, "properties", "use_case", "properties")
_LINK_ANSWER = ("components", "schemas", "v2.core.account_link", "properties", "use_case", "properties")
_RECIPIENT = ("configuration", "properties", "recipient", "properties", "capabilities", "properties")
_ACCOUNT = ("components", "schemas", "v2.core.account", "properties", *_RECIPIENT)
_BALANCE = (*_ACCOUNT, "stripe_balance", "properties")
_NEW_ACCOUNT = ("paths", "/v2/core/accounts", "post", *_LINK[3:], "properties", *_RECIPIENT)
_STATUSES = ["active", "pending", "restricted", "unsupported", "rejected"]

FACTS: list[tuple[tuple[str, ...], Any]] = [
    ((*_LINK_USES, "account_onboarding", "properties", "configurations"), DELETED),
    ((*_LINK_USES, "account_onboarding", "required"), ["refresh_url"]),
    ((*_LINK_USES, "account_update", "properties", "configurations"), DELETED),
    ((*_LINK_USES, "account_update", "required"), ["refresh_url"]),
    ((*_LINK_ANSWER, "account_onboarding", "required"), ["refresh_url"]),
    ((*_LINK_ANSWER, "account_update", "required"), ["refresh_url"]),
    ((*_BALANCE, "payouts", "properties", "status", "enum"), _STATUSES),
    ((*_BALANCE, "stripe_transfers", "properties", "status", "enum"), _STATUSES),
    ((*_NEW_ACCOUNT, "bank_accounts"), {"type": "object"}),
    ((*_ACCOUNT, "bank_accounts"), {"type": "object"}),
    ((*_NEW_ACCOUNT, "cards"), {"type": "object"}),
    ((*_ACCOUNT, "cards"), {"type": "object"}),
    (("info", "version"), f"2026-05-27.dahlia, changed to {API_VERSION}"),
]


def lay_over(description: dict[str, Any]) -> None:
    """Change the description in place. May be repeated; fails where the description has no such place."""
    for path, value in FACTS:
        place = description
        for step in path[:-1]:
            place = place[step]
        if value is DELETED:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
