"""Grace and Acme read everything they can reach, with every id that anybody was ever shown: no canary of another's."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from pypdf import PdfReader

from tests import lovelace
from tests.api.conftest import serving
from tests.api.matrix import cells

FIELDS = Path(__file__).parent / "fields.json"
CANARIES = {
    # Grace may read what she earned and why; nobody else's pay, no client's name, no client's fee.
    "maintainer": ("Ada", "1950.00", "1,950.00", "1200.00", "1,200.00", "Acme", "Globex", "10000.00", "5000.00"),
    # Acme may read who works for it; not what they are paid, nothing of Globex, nothing of the split.
    "client": ("Globex", "5000.00", "5,000.00", "4300.00", "4,300.00", "1950.00", "5625.00", "overhead", "weights"),
}
_ID = re.compile(r"\b[a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{13,26}\b|\b[A-Z]{2,3}-2026-[0-9]{4}\b")


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(sqlite_url):
            cells.set_up(app)
            yield app


def reading_routes(app: Flask) -> list[str]:
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.rule.startswith(("/v1", "/metrics"))
    )


def filled(rule: str, key: str) -> str:
    rule = rule.replace("<any(pdf, html):form>", "pdf" if len(key) + ord(key[-1]) & 1 else "html")
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda place: {"month": "2026-10", "rail": "sepa"}.get(place[1], key), rule)


def text_of(answer: Any) -> str:
    if answer.content_type == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.get_data())).pages)
    return str(answer.get_data(as_text=True))


def crawl(app: Flask, headers: dict[str, str], keys: set[str]) -> dict[str, str]:
    """What every reading route answers with every key in its place."""
    client = app.test_client()
    found = {}
    for rule in reading_routes(app):
        for path in {filled(rule, key) for key in keys} if "<" in rule else {rule, *(_filtered(rule, keys))}:
            answer = client.get(path, headers=headers)
            assert answer.status_code < 500, path
            found[path] = text_of(answer)
    return found


def _filtered(rule: str, keys: set[str]) -> set[str]:
    """Lists asked with other people's ids as cursors and filters."""
    names = ("cursor", "subject", "maintainer", "client", "package")
    return {f"{rule}?{name}={key}" for name in names for key in sorted(keys)[:3]}


def everybodys_keys(app: Flask, headers: dict[str, str]) -> set[str]:
    """Every id and number that the lead is shown in any list, and the names."""
    client = app.test_client()
    rules = [rule for rule in reading_routes(app) if "<" not in rule]
    lists = [client.get(rule, headers=headers).get_data(as_text=True) for rule in rules]
    return {key for shown in lists for key in _ID.findall(shown)} | {"Ada", "Grace", "Acme", "Globex"}


@pytest.mark.parametrize("who", CANARIES)
def test_nobody_finds_a_canary_of_anothers(app: Flask, who: str) -> None:
    bearers = cells.callers(app)
    keys = everybodys_keys(app, bearers["lead"])
    found = crawl(app, bearers[who], keys)
    assert len(found) > 500
    for path, shown in found.items():
        # What was asked for comes back in a sentence; it is no news to whoever asked.
        told = shown if path.rpartition("/")[2] not in shown else shown.replace(path.rpartition("/")[2], "")
        leaks = [canary for canary in CANARIES[who] if canary in told and canary not in path]
        assert not leaks, (path, leaks)


def test_the_same_ids_show_the_lead_what_the_others_must_not_see(app: Flask) -> None:
    """The canaries are there to be found: for the lead, the crawl finds each."""
    bearers = cells.callers(app)
    shown = "\n".join(crawl(app, bearers["lead"], everybodys_keys(app, bearers["lead"])).values())
    assert not [canary for canaries in CANARIES.values() for canary in canaries if canary not in shown]


def keys_of(value: Any, path: str = "") -> set[str]:
    """The paths of all keys in a JSON value."""
    if isinstance(value, dict):
        named = {("*" if _ID.fullmatch(key) else key): item for key, item in value.items()}
        inner = [keys_of(item, f"{path}.{key}" if path else key) for key, item in named.items()]
        return set().union(*inner) if inner else {path}
    if isinstance(value, list):
        return set().union(*(keys_of(item, f"{path}[]") for item in value)) if value else {f"{path}[]"}
    return {path}


def fields(app: Flask) -> dict[str, dict[str, list[str]]]:
    """For each role and reading route what keys it is shown of its own things."""
    bearers = cells.callers(app)
    with app.app_context():
        things = cells.things()
    found: dict[str, dict[str, list[str]]] = {}
    for role in ("maintainer", "client", "accountant"):
        shown = {}
        for rule in reading_routes(app):
            answer = app.test_client().get(cells.address(rule, "own", things), headers=bearers[role])
            if answer.status_code == 200 and answer.is_json:
                shown[rule] = sorted(keys_of(answer.get_json()))
        found[role] = shown
    return found


def test_no_role_is_shown_a_field_that_was_not_reviewed_for_it(app: Flask) -> None:
    assert fields(app) == json.loads(FIELDS.read_text(encoding="utf-8"))
