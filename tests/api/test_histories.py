"""Every thing that a route shows has a history, and its first record is the one that made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask

from firm.audit import sequencer
from tests import lovelace
from tests.api.conftest import serving
from tests.api.matrix import cells

MADE_BY = {
    "/v1/adjustments/<key>": "adjustment.made",
}


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(sqlite_url):
            cells.set_up(app)
            yield app


def test_x(app: Flask) -> None:
    bearers = cells.callers(app)
    with app.app_context():
        things = cells.things()
        sequencer.run(now=lovelace.AFTER)
    for endpoint, method, rule, kind in cells.rows(app):
        if method != "GET" or "<" not in rule or kind != "own":
            continue
        address = cells.address(rule, kind, things)
        shown = app.test_client().get(address, headers=bearers["lead"])
        h = app.test_client().get("/v1/audit-records?subject=" + quote(address, safe=""), headers=bearers["lead"])
        v = [r["verb"]+" "+r["subject"][:3] for r in h.get_json().get("items",[])]
        print(endpoint, rule, address, shown.status_code, h.status_code, v or h.get_json())
