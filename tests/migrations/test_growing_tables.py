"""Books that were on record before a table grew are still as their records left them."""

from __future__ import annotations

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Table, inspect

from api.states import RECORDED
from firm.audit import rules
from firm.db import db
from migrations import run
from payouts import month_end
from tests import lovelace
from tests.lovelace import AFTER, LEAD, OCTOBER

FIRST_RECORDED = "0004"
"""What is on record at the shell and over HTTP has been since then."""


def columns() -> dict[str, set[str]]:
    found = inspect(db.engine)
    return {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}


def test_every_column_that_a_migration_added_is_known_to_the_check_of_states(app: Flask) -> None:
    script = ScriptDirectory.from_config(run.config_for())
    later = [step.revision for step in script.iterate_revisions("head", FIRST_RECORDED)][::-1]
    run.downgrade(db.engine, FIRST_RECORDED)
    grown: dict[str, dict[str, set[str]]] = {one.table.name: {} for one in RECORDED}
    before = columns()
    for revision in later:
        run.upgrade(db.engine, revision)
        after = columns()
        for name in grown:
            if name in before and after[name] != before[name]:
                assert before[name] <= after[name], f"{revision} takes columns of {name} away"
                grown[name][revision] = after[name] - before[name]
        before = after
    said = {one.table.name: {key: set(names) for key, names in one.grown.items()} for one in RECORDED}
    assert said == grown


def test_terms_recorded_before_their_table_grew_are_as_their_record_left_them(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    [grown] = [one.grown for one in RECORDED if one.table.name == "pay_terms"]
    now = rules.state_of

    def then(table: Table, row: object) -> dict[str, object]:
        later = {column for columns in grown.values() for column in columns} if table.name == "pay_terms" else set()
        return {name: value for name, value in now(table, row).items() if name not in later}

    with monkeypatch.context() as patch:
        patch.setattr(rules, "state_of", then)
        lovelace.set_up()
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    lovelace.assert_books_hold()
