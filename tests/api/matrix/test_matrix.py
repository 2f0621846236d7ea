"""Every cell of the matrix answers what the reviewed file says, and a route without a line there fails.

`python -m tests.api.matrix` prints the file anew; read the difference before you keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from tests import lovelace
from tests.api.conftest import serving
from tests.api.matrix import cells

REVIEWED = Path(__file__).parent / "expected.txt"


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(sqlite_url):
            cells.set_up(app)
            yield app


def found(app: Flask) -> list[str]:
    """The lines of the matrix as they are."""
    bearers = cells.callers(app)
    with app.app_context():
        things = cells.things()
    lines = [" ".join(f"{letters:>6}" for letters in cells.LETTERS.values())]
    for _, method, rule, kind in cells.rows(app):
        path = cells.address(rule, kind, things)
        # The lead asks last: what is let through may be done once.
        codes = [cells.ask(app, method, path, bearers[who]) for who in reversed(cells.LETTERS)][::-1]
        lines.append(" ".join(f"{code:>6}" for code in codes) + f"  {method:<5} {rule.replace(' ', '')} {kind}")
    return lines


def test_every_cell_is_as_reviewed(app: Flask) -> None:
    assert found(app) == REVIEWED.read_text(encoding="utf-8").splitlines()


def test_what_is_reviewed_says_what_the_roles_mean() -> None:
    """What the file may never say, whoever reviews it."""
    heading, *lines = REVIEWED.read_text(encoding="utf-8").splitlines()
    names = heading.split()
    for line in lines:
        codes = dict(zip(names, map(int, line.split()[: len(names)]), strict=True))
        method, rule, kind = line.split()[len(names) :]
        assert {codes[name] for name in ("none", "malf", "unkn", "revok", "expir", "shut")} == {401}, line
        if kind == "other":
            assert codes["maint"] in (403, 404) or _is_everybodys(rule), line
            assert codes["client"] in (403, 404) or _is_everybodys(rule), line
        if kind == "own" and method == "GET":
            assert codes["lead"] != 404, f"nobody has made such a thing: {line}"
        if method != "GET" and rule not in _OF_THEMSELVES:
            for name in ("audit", "acct", "maint", "client"):
                assert codes[name] == 403, line
        if rule not in _OF_THE_TOKEN:
            assert codes["ldrd"] == 403 or method == "GET", line
            assert codes["ldtr"] == 403 or rule.startswith("/v1/tiers"), line
        assert not {code for code in codes.values() if code >= 500}, line


_OF_THEMSELVES = (
    "/v1/step-ups",
    "/v1/tokens/<key>/rotation",
    "/v1/tokens/<key>/revocation",
    "/v1/maintainers/<key>/provider-account/onboarding-link",
)


_OF_THE_TOKEN = ("/v1/step-ups", "/v1/me", "/v1/tokens/<key>")


def _is_everybodys(rule: str) -> bool:
    return rule.startswith("/v1/packages")
