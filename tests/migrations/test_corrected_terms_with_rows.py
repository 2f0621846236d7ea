"""The step to corrected terms on books in use: what stands comes along both ways, what was superseded only up."""

from __future__ import annotations

from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text

from firm.db import db
from migrations import run
from payouts import month_end
from tests import lovelace
from tests.lovelace import AFTER, LEAD, OCTOBER
from tests.payouts.test_corrected_terms import correct, standing

STANDING = "SELECT id, from_month, guarantee_minor, growth_bp, recovery_bp, fees_borne_by FROM pay_terms{} ORDER BY id"
PARTS = "SELECT package_id, rate_bp FROM pay_terms_fund_share ORDER BY package_id"


def rows(query: str) -> list[tuple[object, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_terms_in_force_keep_their_rows_on_the_way_down_and_up(app: Flask) -> None:
    lovelace.set_up()
    correct(standing("Grace").id)
    db.session.remove()
    before, parts = rows(STANDING.format(" WHERE superseded_at IS NULL")), rows(PARTS)
    step = ScriptDirectory.from_config(run.config_for()).get_revision("0012")
    run.downgrade(db.engine, str(step.down_revision))
    assert (rows(STANDING.format("")), rows(PARTS)) == (before, parts)
    run.upgrade(db.engine)
    assert (rows(STANDING.format("")), rows(PARTS)) == (before, parts)
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
