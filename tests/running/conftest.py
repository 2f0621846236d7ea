"""Fixtures: a firm with an invoice to pay, and real servers on its database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.app import create_core
from bench.servers import Server, gunicorn
from firm.access.tokens import issue_token
from firm.actor import Role
from firm.billing import invoices, queries
from firm.db import db, reading
from tests import lovelace
from tests.databases import TEST_KEY, settings_for
from tests.running.proxy import Proxy, nginx


@dataclass(frozen=True)
class Firm:
    """The firm of the examples on a database, with a token of its administrator and an open invoice."""

    url: str
    token: str
    invoice: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CHAMBERS_DATABASE_URL": self.url,
            "CHAMBERS_SECRET_KEYS": TEST_KEY,
            "CHAMBERS_SQLITE_SYNCHRONOUS": "NORMAL",
            "CHAMBERS_LOG_LEVEL": "info",
            "CHAMBERS_REQUESTS_PER_MINUTE": "1000000",
            "CHAMBERS_STRANGERS_PER_MINUTE": "1000000",
        }


@pytest.fixture
def firm(fresh_url: str) -> Firm:
    return set_up(fresh_url)


@pytest.fixture
def sqlite_firm(sqlite_url: str) -> Firm:
    return set_up(sqlite_url)


@pytest.fixture
def proxy(sqlite_firm: Firm, tmp_path: Path) -> Iterator[Proxy]:
    """The shipped nginx with two workers of ours behind it."""
    environment = {**sqlite_firm.environment, "CHAMBERS_BEHIND_PROXY": "true"}
    with gunicorn(tmp_path, environment=environment) as server, nginx(tmp_path, server) as running:
        yield running


@pytest.fixture
def server(firm: Firm, tmp_path: Path) -> Iterator[Server]:
    with gunicorn(tmp_path, environment=firm.environment) as running:
        yield running


def set_up(url: str) -> Firm:
    app = create_core(settings_for(url))
    with app.app_context():
        lovelace.set_up()
        invoices.issue_month(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.BEFORE)
        number = _open_invoice()
        token = issue_token(name="office", role=Role.ADMINISTRATOR, by=lovelace.LEAD, now=lovelace.BEFORE).secret
        db.session.remove()
        db.engine.dispose()
    return Firm(url, token, number)


def _open_invoice() -> str:
    with reading() as session:
        return max(queries.invoices(session), key=lambda each: each.total_minor).number
