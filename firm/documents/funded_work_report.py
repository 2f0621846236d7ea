"""What a funded-work report shows: for each package a client named, who works on it and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firm.documents.wording import day, head, link, listed, months, sentence

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
OURS, OTHERS = "Our maintainers", "Others upstream"
QUIET = "No public work fell in this period; maintainers work in cycles of weeks."
EVIDENCE = "This report shows what our maintainers did for each in the open, and what the packages published."


def shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a funded-work report."""
    period = months(figures["from"], figures["until"])
    service = figures.get("service") or {}
    return head(figures, f"Funded work in {period}", figures["client"]) | {
        "period": period,
        "tier": figures["tier"],
        "introduction": _introduction(figures),
        "totals": _counts(figures["totals"]),
        "packages": [_package(package) for package in figures["packages"]],
        "advice": [_occasion(one) for one in service.get("advice") or []],
        "meetings": [_occasion(one) for one in service.get("meetings") or []],
    }


def _introduction(figures: Mapping[str, Any]) -> str:
    if not figures["packages"]:
        return "Your retainer names no package yet. Name those you depend on, and this report will follow them."
    number = len(figures["packages"])
    named = "the package you named" if number == 1 else f"the {number:,} packages you named"
    instead = f" It takes the place of {figures['corrects']}." if figures.get("corrects") else ""
    return f"Your retainer keeps {named} in professional hands. {EVIDENCE}{instead}"


def _counts(counts: Mapping[str, int]) -> list[dict[str, str]]:
    """What is not zero, the kinds we know first; a kind of later years keeps the name it came with."""
    kinds = [*KINDS, *sorted(counts.keys() - KINDS.keys())]
    return [
        {"number": f"{counts[kind]:,}", "kind": KINDS.get(kind, (kind, kind))[counts[kind] != 1]}
        for kind in kinds
        if counts.get(kind)
    ]


def _package(package: Mapping[str, Any]) -> dict[str, Any]:
    counts = _counts(package["counts"])
    happened = package["releases"] or package["security"] or package["work"]
    more = package["more"]
    return {
        "name": package["name"],
        "reason": sentence(package["reason"] or ""),
        "people": listed(package["people"]),
        "empty": not (counts or happened),
        "sentence": _sum(counts) if counts else ("" if happened else QUIET),
        "releases": [_event(one, one["version"], "") for one in package["releases"]],
        "security": [_event(one, one["id"], one["summary"]) for one in package["security"]],
        "work": [_occasion(one) for one in package["work"]],
        "more": f"and {more:,} more" if more else "",
    }


def _sum(counts: list[dict[str, str]]) -> str:
    return listed([f"{one['number']} {one['kind']}" for one in counts]) + "."


def _event(event: Mapping[str, Any], title: str, detail: str) -> dict[str, str]:
    """A release or an advisory; the package's own, so it says whether it was us."""
    return {
        "title": title,
        "detail": detail,
        "on": day(event["on"]) if event["on"] else "Date unknown",
        "by": OURS if event["ours"] else OTHERS,
        "url": link(event["url"]),
    }


def _occasion(one: Mapping[str, Any]) -> dict[str, str]:
    """A piece of work, advice or a meeting: what, when, and by whom if it is known."""
    return {
        "title": one["title"],
        "detail": "",
        "on": day(one["on"]) if one["on"] else "Date unknown",
        "by": one.get("by") or "",
        "url": link(one.get("url")),
    }
