"""A firm that exists gets the accounts that a later version needs, in each of its currencies and once."""

from __future__ import annotations

from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from migrations import run
from tests.migrations.test_migrations import empty  # noqa: F401 (a fixture)

NEW = [("assets:stripe", "asset"), ("expenses:payment-fees", "expense")]


def test_a_firm_that_exists_gets_accounts_for_stripe_and_for_fees(empty: Engine) -> None:  # noqa: F811
    step = ScriptDirectory.from_config(run.config_for()).get_revision("0007")
    run.upgrade(empty, str(step.down_revision))
    with empty.begin() as connection:
        for currency in ("EUR", "USD"):
            connection.exec_driver_sql(
                f"INSERT INTO account (code, currency, kind) VALUES ('assets:bank', '{currency}', 'asset')"
            )
    for _ in range(2):
        run.upgrade(empty)
        with empty.connect() as connection:
            found = connection.exec_driver_sql("SELECT code, kind, currency FROM account WHERE code <> 'assets:bank'")
            assert sorted(found.all()) == sorted((*each, currency) for each in NEW for currency in ("EUR", "USD"))
        run.downgrade(empty, str(step.down_revision))
