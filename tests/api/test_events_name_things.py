"""What an event's one field holds is what its name says, for everything that a firm does in a month."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from firm.audit.model import audit_record
from firm.db import reading
from firm.webhooks.catalogue import CATALOGUE
from tests import lovelace
from tests.api.conftest import serving
from tests.api.matrix import cells


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(sqlite_url):
            cells.set_up(app)
            yield app


def test_the_field_of_an_event_holds_an_id_of_the_kind_that_its_example_shows(app: Flask) -> None:
    with app.app_context(), reading() as session:
        rows = session.execute(select(audit_record.c.verb, audit_record.c.subject).distinct()).all()
    told = {(row.verb, row.subject) for row in rows if row.verb in CATALOGUE}
    assert len({verb for verb, _ in told}) > 20
    for verb, subject in told:
        assert _kind(subject) == _kind(CATALOGUE[verb].example), (verb, subject)


def _kind(identifier: str) -> str:
    """What stands before the made-up part of an id; or for a month, where its dash is."""
    head, parted, _ = identifier.partition("_")
    return head if parted else str(identifier.find("-"))
