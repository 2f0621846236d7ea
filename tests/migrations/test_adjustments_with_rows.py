"""The step to adjustments on books that are in use: rows stay as they are, and firms get the accounts they lack."""

from __future__ import annotations

from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text

from firm.db import db
from migrations import run
from payouts import month_end
from tests import lovelace
from tests.lovelace import AFTER, LEAD, OCTOBER

QUERIES = (
    "SELECT * FROM posting ORDER BY entry_id, line",
    "SELECT number, closing_minor, figures, sha256 FROM statement ORDER BY number",
    "SELECT id, guarantee_minor FROM pay_terms ORDER BY id",
)
ACCOUNTS = "SELECT COUNT(*) FROM account WHERE code IN ('assets:advances', 'liabilities:withheld-tax')"


def rows() -> list[list[tuple[object, ...]]]:
    with db.engine.connect() as connection:
        return [[tuple(row) for row in connection.execute(text(query))] for query in QUERIES]


def test_books_in_use_keep_their_rows_on_the_way_down_and_up(app: Flask) -> None:
    lovelace.set_up()
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    db.session.remove()
    before = rows()
    step = ScriptDirectory.from_config(run.config_for()).get_revision("0010")
    run.downgrade(db.engine, str(step.down_revision))
    assert rows() == before
    run.upgrade(db.engine)
    assert rows() == before
    with db.engine.connect() as connection:
        assert connection.scalar(text(ACCOUNTS)) == 2
    month_end.close(OCTOBER.next, by=LEAD, now=AFTER.replace(month=12))
    lovelace.assert_books_hold()
