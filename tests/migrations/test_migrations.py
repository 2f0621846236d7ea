"""The schema's history: one line, the same at its end as the models, and walkable in both directions."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from firm.engine import prepare_engine
from migrations import run
from migrations.tables import METADATA
from tests.databases import ENGINES
from tests.postgres import create_database, drop_database

ROOT = Path(run.__file__).parents[1]
for _model in ROOT.glob("*/*/model.py"):
    import_module(".".join(_model.relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database without any table, on each engine in turn."""
    with _empty(request, request.param, tmp_path) as engine:
        yield engine


@contextmanager
def _empty(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[Engine]:
    if kind == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'empty.db'}", module=sqlite)
        prepare_engine(engine, synchronous="NORMAL")
        yield engine
        engine.dispose()
        return
    server, name = request.getfixturevalue("postgres_server"), f"t_{uuid.uuid4().hex[:12]}"
    engine = create_engine(create_database(server, name))
    yield engine
    engine.dispose()
    drop_database(server, name)


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def guards(engine: Engine) -> dict[str, set[str]]:
    """The names of the guards on each table."""
    query = (
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "SELECT event_object_table, trigger_name FROM information_schema.triggers"
        " UNION SELECT tgrelid::regclass::text, tgname::text FROM pg_trigger WHERE NOT tgisinternal"
    )
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, name in connection.exec_driver_sql(query):
            found.setdefault(table, set()).add(name)
    return found


def functions(engine: Engine) -> list[str]:
    if engine.dialect.name == "sqlite":
        return []
    query = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
    with engine.connect() as connection:
        return [name for (name,) in connection.exec_driver_sql(query)]


def test_the_history_is_one_line() -> None:
    scripts = ScriptDirectory.from_config(run.config_for())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    line = [script.revision for script in scripts.walk_revisions()]
    assert line == sorted(line, reverse=True)
    for script in scripts.walk_revisions():
        assert re.fullmatch(rf"{script.revision}_[a-z0-9_]+\.py", Path(script.path).name)
        assert script.doc


def test_an_empty_database_becomes_what_the_models_say(empty: Engine) -> None:
    assert not run.is_current(empty)
    run.upgrade(empty)
    assert run.is_current(empty)
    run.check(empty)
    assert tables(empty) == set(METADATA.tables)


def test_upgrading_again_changes_nothing(empty: Engine) -> None:
    run.upgrade(empty)
    before = guards(empty)
    run.upgrade(empty)
    assert guards(empty) == before
    assert run.is_current(empty)


def test_the_way_down_leaves_nothing_and_the_way_up_is_open_again(empty: Engine) -> None:
    run.upgrade(empty)
    before = tables(empty), guards(empty), functions(empty)
    run.downgrade(empty, "base")
    assert (tables(empty), guards(empty), functions(empty)) == (set(), {}, [])
    run.upgrade(empty)
    assert (tables(empty), guards(empty), functions(empty)) == before
    run.check(empty)


def test_every_step_can_be_taken_alone_and_back(empty: Engine) -> None:
    revisions = [script.revision for script in ScriptDirectory.from_config(run.config_for()).walk_revisions()][::-1]
    seen: list[tuple[set[str], dict[str, set[str]]]] = [(set(), {})]
    for revision in revisions:
        run.upgrade(empty, revision)
        seen.append((tables(empty), guards(empty)))
    for revision in ["base", *revisions[:-1]][::-1]:
        seen.pop()
        run.downgrade(empty, revision)
        assert (tables(empty), guards(empty)) == seen[-1]


def test_both_engines_guard_the_same_tables(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    found = {}
    for kind in ENGINES:
        with _empty(request, kind, tmp_path) as engine:
            run.upgrade(engine)
            found[kind] = guards(engine)
    assert set(found["sqlite"]) == set(found["postgresql"])
    assert {"posting", "journal_entry", "period", "audit_record", "payout", "invoice", "statement"} <= set(
        found["sqlite"]
    )


def test_every_constraint_has_a_name(empty: Engine) -> None:
    run.upgrade(empty)
    inspector = inspect(empty)
    nameless = [
        table
        for table in tables(empty)
        for found in (
            *inspector.get_unique_constraints(table),
            *inspector.get_check_constraints(table),
            *inspector.get_foreign_keys(table),
        )
        if not found["name"]
    ]
    assert nameless == []


def test_the_metadata_is_whole_by_itself() -> None:
    """Migrations are checked against it in processes that import nothing else."""
    script = "import migrations.tables as t; print(len(t.METADATA.tables))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(out) == len(METADATA.tables)


def test_amounts_are_whole_in_every_table(empty: Engine) -> None:
    """SQLite keeps 0.5 in an integer column unless a CHECK refuses it."""
    run.upgrade(empty)
    inspector = inspect(empty)
    kept = {"balance", "balance_delta"}  # sums of guarded postings, checked against them
    unchecked = [
        f"{table}.{column['name']}"
        for table in tables(empty) - kept
        for column in inspector.get_columns(table)
        if column["name"].endswith("_minor")
        and not any(column["name"] in check["sqltext"] for check in inspector.get_check_constraints(table))
    ]
    assert unchecked == []
