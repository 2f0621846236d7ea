"""Figures in words: what a paper shows for an amount, a day, an address or a link, the same in PDF and HTML."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from firm.money import Money
from firm.month import Month

KINDS = {
    "commit": ("commit", "commits"),
    "review": ("review", "reviews"),
    "release": ("release", "releases"),
    "triage": ("issue triaged", "issues triaged"),
    "refusal": ("refusal", "refusals"),
    "vulnerability": ("vulnerability", "vulnerabilities"),
    "advisory": ("advisory", "advisories"),
    "proposal": ("proposal", "proposals"),
}
EARNINGS = {
    "guarantee": "Guarantee",
    "growth-share": "Growth share",
    "fund-share": "Fund share",
    "fixed-fee": "Fixed fee",
    "adjustment": "Adjustment",
}
RAILS = {"sepa": "SEPA credit transfer", "manual": "Bank transfer", "stripe": "Stripe"}
MINUS = "−"


def statement(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What a statement shows."""
    earnings = [
        {
            "title": EARNINGS.get(line["kind"], line["kind"]),
            "package": text(line["package"] or ""),
            "explanation": text(line["explanation"]) + _adjusts(line.get("adjusts")),
            "amount": amount(line["amount"]),
        }
        for line in figures["earnings"]
    ]
    payouts = [
        {
            "on": day(line["on"]),
            "rail": RAILS.get(line["rail"], text(line["rail"])),
            "reference": text(line["reference"]),
            "amount": amount(line["amount"]),
        }
        for line in figures["payouts"]
    ]
    return _head(figures, f"Statement for {month(figures['month'])}", figures["maintainer"]) | {
        "month": month(figures["month"]),
        "currency": figures["currency"],
        "corrects": figures["corrects"] or "",
        "opening": amount(figures["opening"]),
        "earned": amount(figures["earned"]),
        "paid": amount(figures["paid"]),
        "closing": amount(figures["closing"]),
        "closing_sentence": _closing(figures),
        "earnings": earnings,
        "payouts": payouts,
    }


def funded_work_report(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What a funded-work report shows."""
    period = months(figures["from"], figures["until"])
    return _head(figures, f"Funded work in {period}", figures["client"]) | {
        "period": period,
        "tier": text(figures["tier"]),
        "totals": _counts(figures["totals"]),
        "packages": [_package(package) for package in figures["packages"]],
    }


def amount(value: Mapping[str, str]) -> str:
    """Only the figures, "4,300.00": the currency is named once, above them."""
    money = Money.parse(value["amount"], value["currency"])
    return str(money).removesuffix(f" {money.currency}").replace("-", MINUS)


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


def text(value: str) -> str:
    """People's text as data: what cannot be shown (control characters) becomes a visible stand-in."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") else char
        for char in value.replace("\t", " ").replace("\n", " ").replace("\r", " ")
    )


def link(url: str | None) -> str:
    """The address if it is one of the web's, and nothing otherwise: no other kind becomes a link."""
    if not url:
        return ""
    try:
        parts = urlsplit(text(url))
    except ValueError:
        return ""
    return text(url) if parts.scheme in ("http", "https") and parts.netloc else ""


def _head(figures: Mapping[str, Any], title: str, recipient: Mapping[str, Any]) -> dict[str, Any]:
    firm = figures["firm"]
    return {
        "title": title,
        "number": figures["number"],
        "issued_on": day(figures["issued_on"]),
        "firm": {
            "name": text(firm["name"]),
            "address": [text(line) for line in firm["address"]],
            "email": text(firm["email"]),
            "color": firm["color"],
        },
        "recipient": {
            "name": text(recipient["name"]),
            "address": [text(line) for line in recipient["address"]],
        },
    }


def _adjusts(iso: str | None) -> str:
    return f" (adjusts {month(iso)})" if iso else ""


def _closing(figures: Mapping[str, Any]) -> str:
    closing = Money.parse(figures["closing"]["amount"], figures["closing"]["currency"])
    firm, when = text(figures["firm"]["name"]), day(Month.parse(figures["month"]).last_day.isoformat())
    if closing.minor < 0:
        return f"On {when}, {-closing} had been paid in advance; it is set against the next earnings."
    if not closing:
        return f"On {when}, nothing was open between us."
    return f"On {when}, {firm} owed you {closing}; it is paid with the next payout run."


def _counts(counts: Mapping[str, int]) -> list[dict[str, str]]:
    shown = [kind for kind in KINDS if counts.get(kind)]
    return [{"number": f"{counts[kind]:,}", "kind": KINDS[kind][counts[kind] != 1]} for kind in shown]


def _package(package: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": text(package["name"]),
        "reason": _sentence(package["reason"] or ""),
        "people": ", ".join(text(name) for name in package["people"]),
        "counts": _counts(package["counts"]),
        "releases": [
            {"version": text(one["version"]), "on": day(one["on"]), "url": link(one["url"])}
            for one in package["releases"]
        ],
        "security": [
            {
                "id": text(one["id"]),
                "summary": text(one["summary"]),
                "on": day(one["on"]) if one["on"] else "date unknown",
                "url": link(one["url"]),
            }
            for one in package["security"]
        ],
        "work": [
            {"on": day(one["on"]), "title": text(one["title"]), "by": text(one["by"] or ""), "url": link(one["url"])}
            for one in package["work"]
        ],
        "more": package["more"],
        "empty": not (package["releases"] or package["security"] or package["work"] or any(package["counts"].values())),
    }


def _sentence(words: str) -> str:
    """Starts with a capital and ends with a full stop."""
    shown = text(words)
    return shown[:1].upper() + shown[1:].rstrip(".") + "." if shown else ""
