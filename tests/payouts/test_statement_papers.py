"""A month's statements as files: whole or not at all, and never made twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from flask import Flask

from firm import faults
from firm.db import reading
from payouts.statements import papers
from payouts.statements import queries as statements
from payouts.statements.papers import SUMS, Rendered, render_month
from payouts.statements.queries import StatementNotFound
from tests.lovelace import OCTOBER
from tests.payouts.conftest import Opens
from tests.payouts.interruptions import Killed

NAMES = ["ST-2026-0001.pdf", "ST-2026-0002.pdf"]


def seen(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.pdf"))}


def test_every_statement_of_the_month_becomes_a_file_with_its_sum(closed_october: Flask, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    result = render_month(OCTOBER, tmp_path / "papers", progress=lambda done, total: told.append((done, total)))
    assert result == Rendered(made=2, kept=0)
    assert told == [(0, 2), (1, 2), (2, 2)]
    made = seen(tmp_path / "papers")
    assert list(made) == NAMES
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in made.items()]
    assert (tmp_path / "papers" / SUMS).read_text().splitlines() == lines
    with reading() as session:
        row = statements.find(session, "ST-2026-0001")
    assert made[NAMES[0]] == papers.pdf(row.figures)
    assert (tmp_path / "papers" / NAMES[0]).stat().st_mode & 0o077 == 0


def test_what_is_there_is_kept_and_what_is_torn_is_made_again(sqlite_at: Opens, tmp_path: Path) -> None:
    with sqlite_at("closed"):
        render_month(OCTOBER, tmp_path)
        whole = seen(tmp_path)
        assert render_month(OCTOBER, tmp_path) == Rendered(made=0, kept=2)
        (tmp_path / NAMES[0]).write_bytes(whole[NAMES[0]][:100])
        assert render_month(OCTOBER, tmp_path) == Rendered(made=1, kept=1)
        (tmp_path / NAMES[1]).unlink()
        assert render_month(OCTOBER, tmp_path) == Rendered(made=1, kept=1)
        # A crash while the sum was written: the paper is there, and nobody can say that it is whole.
        sums = (tmp_path / SUMS).read_text().splitlines()
        (tmp_path / SUMS).write_text(f"{sums[0]}\n{sums[1][:70]}")
        assert render_month(OCTOBER, tmp_path) == Rendered(made=1, kept=1)
        assert render_month(OCTOBER, tmp_path) == Rendered(made=0, kept=2)
        assert seen(tmp_path) == whole


def test_a_paper_that_was_made_and_not_written_is_made_again(sqlite_at: Opens, tmp_path: Path) -> None:
    passed: list[str] = []

    def die_at_the_second(name: str) -> None:
        passed.append(name)
        if passed == [papers.RENDERED] * 2:
            raise Killed

    with sqlite_at("closed"):
        faults.listen(die_at_the_second)
        try:
            with pytest.raises(Killed):
                render_month(OCTOBER, tmp_path)
        finally:
            faults.listen(None)
        assert list(seen(tmp_path)) == NAMES[:1]
        assert render_month(OCTOBER, tmp_path) == Rendered(made=1, kept=1)
        assert list(seen(tmp_path)) == NAMES


def test_several_processes_make_the_same_files(sqlite_at: Opens, tmp_path: Path) -> None:
    with sqlite_at("closed"):
        render_month(OCTOBER, tmp_path / "one")
        assert render_month(OCTOBER, tmp_path / "two", processes=2) == Rendered(made=2, kept=0)
    assert seen(tmp_path / "one") == seen(tmp_path / "two")


def test_a_month_without_statements_is_said(sqlite_at: Opens, tmp_path: Path) -> None:
    with sqlite_at("closed"), pytest.raises(StatementNotFound, match="November 2026"):
        render_month(OCTOBER.next, tmp_path)
