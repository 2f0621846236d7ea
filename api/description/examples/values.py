"""The values that examples share."""

from __future__ import annotations

USD = "USD"
MOMENT = "2026-11-01T09:00:00Z"
ULID = "01KBXW5Z3Q9F4T2M8R6A7C1D0E"


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": USD}
