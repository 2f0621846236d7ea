"""Figures as they are kept: amounts as JSON values, and the canonical text that is frozen with its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from firm.money import Money


def shown(amount: Money) -> dict[str, str]:
    return {"amount": amount.decimal, "currency": amount.currency}


def read(value: Mapping[str, str]) -> Money:
    """The amount that `shown` wrote."""
    return Money.parse(value["amount"], value["currency"])


def frozen(figures: Mapping[str, object]) -> tuple[str, str]:
    """The figures as canonical JSON, and its SHA-256."""
    text = json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()
