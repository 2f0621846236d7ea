"""Forms and queries as the SDK writes them: `metadata[payout]=p1&expand[0]=balance_transaction`."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

_STEP = re.compile(r"\[([^\]]*)\]")


def read_form(text: str) -> dict[str, Any]:
    """The form as nested dictionaries of strings; a list is a dictionary by position."""
    form: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
        head, bracket, _ = name.partition("[")
        steps = [head, *(_STEP.findall(name) if bracket else ())]
        _put(form, steps, value)
    return form


def read_json(text: str) -> dict[str, Any]:
    """A JSON body, which must be an object."""
    body = json.loads(text or "{}")
    if not isinstance(body, dict):
        raise ValueError("The body is no object.")
    return body


def _put(form: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        form = form.setdefault(step or str(len(form)), {})
    form[steps[-1] or str(len(form))] = value
