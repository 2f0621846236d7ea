"""Destinations that one person set before stay in force, and their rows say that nobody confirmed them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from migrations import run
from tests.databases import ENGINES
from tests.migrations.test_migrations import _empty

AT, LATER = "2026-10-01 09:00:00+00:00", "2026-11-01 09:00:00+00:00"
BEFORE = (
    (
        "INSERT INTO maintainer (id, name, email, address, country, grade, works_as, created_at)"
        f" VALUES ('mnt_1', 'Grace', 'grace@x.example', '', 'US', 'junior', 'employee', '{AT}')"
    ),
    (
        "INSERT INTO destination (id, maintainer_id, rail, holder, country, created_at, replaced_at)"
        f" VALUES ('dst_1', 'mnt_1', 'manual', 'Grace', 'US', '{AT}', '{LATER}')"
    ),
    (
        "INSERT INTO destination (id, maintainer_id, rail, holder, country, created_at)"
        f" VALUES ('dst_2', 'mnt_1', 'manual', 'Grace', 'US', '{LATER}')"
    ),
    (
        "INSERT INTO audit_record (at, actor, role, verb, subject, facts)"
        f" VALUES ('{LATER}', 'ada', 'lead', 'destination.set', 'dst_2', '{{}}')"
    ),
)
ROWS = text(
    "SELECT id, state, contact, proposed_by, decided_by, sole_approval, usable_from = created_at AS at_once"
    " FROM destination ORDER BY id"
)


@pytest.mark.parametrize("kind", ENGINES)
def test_what_was_in_force_stays_in_force(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with _empty(request, kind, tmp_path) as engine:
        run.upgrade(engine, "0004")
        with engine.begin() as connection:
            for statement in BEFORE:
                connection.execute(text(statement))
        run.upgrade(engine)
        with engine.begin() as connection:
            found = [tuple(row) for row in connection.execute(ROWS)]
        nobody = "before destinations were confirmed"
        assert found == [
            ("dst_1", "replaced", "grace@x.example", nobody, nobody, True, True),
            ("dst_2", "confirmed", "grace@x.example", "ada", "ada", True, True),
        ]
        run.downgrade(engine, "0004")
        with engine.begin() as connection:
            assert connection.execute(text("SELECT COUNT(*) FROM destination")).scalar() == 2
