"""GET, HEAD and OPTIONS change nothing: every table, row by row, for every route and everybody who may ask."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask
from sqlalchemy import text

from firm.db import db
from tests.api.matrix import cells
from tests.api.probes.places import Prober

BOOKKEEPING = {"allowance", "token_use", "audit_record", "webhook_outbox"}
"""Where requests are counted, and where a denied attempt is put on record and told of."""


def state(app: Flask) -> dict[str, str]:
    """A digest of each table's rows."""
    with app.app_context(), db.engine.connect() as connection:
        names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).all()
        return {name: _digest(connection.execute(text(f'SELECT * FROM "{name}"'))) for name in {*names} - BOOKKEEPING}


def audited(app: Flask) -> list[str]:
    """What is on record, in its order."""
    with app.app_context(), db.engine.connect() as connection:
        return list(connection.scalars(text("SELECT verb FROM audit_record ORDER BY id")))


def _digest(rows: object) -> str:
    found = sorted(repr(tuple(row)) for row in rows)  # type: ignore[attr-defined]
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


ON_RECORD = {"attempt.denied", "rail-file.opened", "payment-proof.opened", "ledger.exported"}
"""What is on record although nothing changed: who was denied, and who was given a secret or all of the books."""


@pytest.mark.parametrize("who", cells.LETTERS)
def test_reading_changes_no_row_of_any_table(firm: Flask, probers: dict[str, Prober], who: str) -> None:
    with firm.app_context():
        things = cells.things()
    before, known = state(firm), audited(firm)
    client = firm.test_client()
    for rule in firm.url_map.iter_rules():
        for kind in ("own", "other", "ended", "missing"):
            path = cells.address(rule.rule, kind, things)
            for method in sorted((rule.methods or set()) & {"GET", "HEAD"} | {"OPTIONS"}):
                answer = client.open(path, method=method, headers=dict(probers[who].headers))
                assert answer.status_code < 500, (method, path)
                answer.close()
    after = state(firm)
    assert {name for name in after if after[name] != before.get(name)} == set()
    assert audited(firm)[: len(known)] == known
    assert set(audited(firm)[len(known) :]) <= ON_RECORD


def test_a_method_cannot_be_smuggled_in(firm: Flask, probers: dict[str, Prober]) -> None:
    """Headers and parameters by which other frameworks turn a GET into something else."""
    client, lead = firm.test_client(), dict(probers["lead"].headers)
    before = state(firm)
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert client.get("/v1/clients", headers=lead | {header: "POST"}).status_code == 200
    assert client.get("/v1/clients?_method=POST", headers=lead).status_code == 422
    for header in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Host"):
        answer = client.get("/v1/firm", headers=lead | {header: "/v1/tokens"})
        assert answer.get_json()["name"] == "Lovelace Maintainers"
    assert state(firm) == before
