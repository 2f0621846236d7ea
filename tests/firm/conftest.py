"""Fixtures of the firm's tests: empty books with their accounts, and a worked month paid out to the end."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from sqlalchemy import text

from api.parts import parts
from firm.billing import receipts
from firm.db import transaction
from firm.exchange import operations as exchange
from payouts import month_end
from payouts.runs import approvals, preparation, sending, settling
from tests import lovelace
from tests.databases import ENGINES, running
from tests.firm import books
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER
from tests.postgres import create_database, drop_database

# A slow machine is no failure, and each example posts into the books of one test.
settings.register_profile("firm", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
settings.load_profile("firm")


@pytest.fixture
def ledger(app: Flask) -> Flask:
    """Empty books, on each engine, with the chart of accounts in dollars and euros."""
    books.open_chart()
    return app


@pytest.fixture
def postgresql_ledger(postgresql_url: str) -> Iterator[Flask]:
    """The same on PostgreSQL only."""
    for app in running(postgresql_url):
        books.open_chart()
        yield app


@pytest.fixture
def sqlite_ledger(sqlite_app: Flask) -> Flask:
    """The same on SQLite only."""
    books.open_chart()
    return sqlite_app


def _pay_out_october() -> None:
    """Close October and pay it: Ada's money has arrived, Grace's is under way; November's run is a draft."""
    lovelace.set_up()
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    drafted = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=AFTER)
    number = drafted.run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    sending.send(number, rails=parts().rails, keys=parts().keys, by=ADMINISTRATOR, now=AFTER)
    arrived = min(drafted.payouts, key=lambda payout: payout.amount_minor)
    settling.settle(arrived.id, reference="wire", on=date(2026, 11, 2), by=ADMINISTRATOR, now=AFTER)
    exchange.set_rate("EUR", OCTOBER.next, "1.0850", source="ECB", by=LEAD, now=AFTER)
    with transaction() as session:
        invoice = session.scalar(text("SELECT number FROM invoice ORDER BY number LIMIT 1"))
    receipts.record(
        str(invoice), amount=lovelace.usd("1.00"), received_on=date(2026, 11, 3), reference="b1", by=LEAD, now=AFTER
    )
    _add_papers()


def _add_papers() -> None:
    """A row in each table of evidence that the month itself leaves empty."""
    with transaction() as session:
        for statement in (
            (
                "INSERT INTO principal (id, name, kind, role, may_approve, created_at, created_by)"
                " VALUES ('pri_1', 'laptop', 'person', 'lead', FALSE, '2026-11-01 09:00:00', 'lead')"
            ),
            (
                "INSERT INTO api_token (id, principal_id, label, scopes, digest, created_at, created_by)"
                " VALUES ('tok_1', 'pri_1', 'laptop', 'read', 'd', '2026-11-01 09:00:00', 'lead')"
            ),
            (
                "INSERT INTO rail_file (id, run_id, rail, message_id, content_sealed, sha256, created_at)"
                " SELECT 'fil_1', id, 'sepa', 'M1', 's', 'h', '2026-11-01 09:00:00' FROM payout_run"
            ),
            (
                "INSERT INTO funded_work_report (id, number, client_id, from_month, until_month, figures, sha256,"
                " issued_at) SELECT 'rep_1', 'FWR-1', MIN(id), '2026-10', '2026-11', '{}', 'h', '2026-11-01 09:00:00'"
                " FROM client"
            ),
        ):
            session.execute(text(statement))


@pytest.fixture(scope="session")
def paid_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SQLite file with the paid month, to be copied."""
    path = tmp_path_factory.mktemp("paid") / "chambers.db"
    shutil.copy(migrated_file, path)
    for _ in running(f"sqlite:///{path}"):
        _pay_out_october()
    return path


@pytest.fixture(scope="session")
def paid_template(postgres_server: str, migrated_template: str) -> str:
    """The name of a PostgreSQL database with the paid month, to be copied."""
    name = f"paid_{uuid.uuid4().hex[:8]}"
    url = create_database(postgres_server, name, template=migrated_template)
    for _ in running(url):
        _pay_out_october()
    return name


@pytest.fixture
def paid_sqlite(paid_file: Path, tmp_path: Path) -> Path:
    """A SQLite file of its own with the paid month."""
    return Path(shutil.copy(paid_file, tmp_path / "paid.db"))


@pytest.fixture
def paid_postgresql(postgres_server: str, paid_template: str) -> Iterator[str]:
    """A PostgreSQL database of its own with the paid month."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield create_database(postgres_server, name, template=paid_template)
    drop_database(postgres_server, name)


@pytest.fixture(params=ENGINES)
def paid_url(request: pytest.FixtureRequest) -> str:
    """The address of the paid month, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('paid_sqlite')}"
    return str(request.getfixturevalue("paid_postgresql"))
