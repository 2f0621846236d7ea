"""The tests' databases are emptied between tests, and made anew when a test changed more than rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests import postgres

CHANGES = (
    "ALTER TABLE client ALTER COLUMN name DROP NOT NULL",
    "ALTER TABLE client ALTER COLUMN country SET DEFAULT 'XX'",
    "ALTER TABLE client DROP CONSTRAINT uq_client_name",
    "ALTER TABLE job DROP CONSTRAINT ck_job_state_known, ADD CONSTRAINT ck_job_state_known CHECK (true)",
    "DROP INDEX uq_payout_live; CREATE INDEX uq_payout_live ON payout (maintainer_id, currency)",
    "ALTER TABLE posting DISABLE TRIGGER USER",
    "CREATE OR REPLACE FUNCTION guard_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    (
        "DROP TRIGGER guard_payout_edges ON payout; CREATE TRIGGER guard_payout_edges BEFORE UPDATE ON payout"
        " FOR EACH ROW WHEN (false) EXECUTE FUNCTION guard_payout_edges()"
    ),
    "CREATE TABLE left_behind (id integer)",
    "UPDATE alembic_version SET version_num = '0000'",
)


@pytest.fixture
def database(postgres_server: str, migrated_template: str) -> Iterator[str]:
    name = f"renewed_{uuid.uuid4().hex[:8]}"
    postgres.renew(postgres_server, name, migrated_template)
    yield name
    postgres.drop_database(postgres_server, name)


def after(server: str, name: str, statement: str) -> None:
    with psycopg.connect(postgres.database_url(server, name), autocommit=True) as connection:
        connection.execute(statement.encode())


def number_of(server: str, name: str) -> object:
    """The server's own number of a database; a new one has another."""
    with psycopg.connect(server) as connection:
        return connection.execute("SELECT oid FROM pg_database WHERE datname = %s", [name]).fetchone()


def test_rows_are_deleted_and_numbers_begin_again(postgres_server: str, migrated_template: str, database: str) -> None:
    before = number_of(postgres_server, database)
    after(postgres_server, database, "INSERT INTO number_series (name, last) VALUES ('RUN-2026', 7)")
    after(postgres_server, database, "SELECT nextval('journal_entry_id_seq')")
    postgres.renew(postgres_server, database, migrated_template)
    assert number_of(postgres_server, database) == before
    with psycopg.connect(postgres.database_url(postgres_server, database)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM number_series").fetchone() == (0,)
        assert connection.execute("SELECT nextval('journal_entry_id_seq')").fetchone() == (1,)


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_made_anew(
    postgres_server: str, migrated_template: str, database: str, change: str
) -> None:
    before = number_of(postgres_server, database)
    after(postgres_server, database, change)
    postgres.renew(postgres_server, database, migrated_template)
    assert number_of(postgres_server, database) != before
