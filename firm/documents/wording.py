"""What both forms of every paper share: people's text made safe, and amounts, days and months in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from firm.documents.color import readable
from firm.money import Money
from firm.month import Month

MINUS = "−"
LONGEST_LINK = 2_000
"""Typst refuses a document with an address of more than 8,000 characters; none that long is worth a link."""

_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
# Controls, halves of surrogate pairs, non-characters, and the marks that turn the direction of what follows them:
# with one of those, a name could show somebody else's amount backwards.
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069"
    + "".join(chr(plane * 0x10000 + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def legible(value: Any) -> Any:
    """Figures with every text in them made fit for paper: one line each, what cannot be shown as U+FFFD."""
    match value:
        case str():
            return value if value.isprintable() else _UNSHOWABLE.sub("\ufffd", _BREAKS.sub(" ", value))
        case Mapping():
            return {key: legible(one) for key, one in value.items()}
        case list() | tuple():
            return [legible(one) for one in value]
    return value


def head(figures: Mapping[str, Any], title: str, recipient: Mapping[str, Any]) -> dict[str, Any]:
    """What stands on every paper: who sends it to whom, its name, number and day."""
    firm = figures["firm"]
    issued_on = date.fromisoformat(figures["issued_on"])
    return {
        "title": title,
        "number": figures["number"],
        "issued_on": day(figures["issued_on"]),
        "date": [issued_on.year, issued_on.month, issued_on.day],
        "firm": {
            "name": firm["name"],
            "short_name": shortened(firm["name"], 70),
            "address": list(firm["address"]),
            "email": firm["email"],
            "color": readable(firm["color"]),
        },
        "recipient": {"name": recipient["name"], "address": list(recipient["address"])},
        "checkpoint": _checkpoint(figures.get("audit")),
    }


def _checkpoint(audit: Mapping[str, Any] | None) -> str:
    """The head of the audit chain at issue, printed small; papers from before there was a chain have none."""
    return f"Audit {audit['seq']} {audit['head']}" if audit and audit["seq"] else ""


def amount(value: Mapping[str, str]) -> str:
    """Only the figures, "4,300.00": the currency is named once, above them."""
    money = Money.parse(value["amount"], value["currency"])
    return named(money).removesuffix(f" {money.currency}")


def named(money: Money) -> str:
    """The amount with its currency, for a sentence: "4,300.00 USD"."""
    return str(money).replace("-", MINUS)


def day(iso: str) -> str:
    """A day written out: 31 October 2026."""
    value = date.fromisoformat(iso)
    return f"{value.day} {Month.of(value).name}"


def month(iso: str) -> str:
    return Month.parse(iso).name


def months(first: str, until: str) -> str:
    """The months [first, until) in words."""
    start, last = Month.parse(first), Month.parse(until).previous
    return start.name if start == last else f"{start.name} to {last.name}"


def link(url: str | None) -> str:
    """The address if it is one of the web's, and nothing otherwise: no other kind becomes a link."""
    if not url or len(url) > LONGEST_LINK or "\ufffd" in url or " " in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def sentence(words: str) -> str:
    """Starts with a capital and ends with a full stop."""
    return words[:1].upper() + words[1:].rstrip(".") + "." if words else ""


def listed(words: list[str]) -> str:
    """Joined as in a sentence: "Ada, Grace and Mary"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shortened(words: str, longest: int) -> str:
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"
