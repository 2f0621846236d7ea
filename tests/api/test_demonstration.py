"""The demonstration: a year in one command, papers that are real, and never anybody else's folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli import main
from tests.firm.documents.reading import words


def demonstrate(folder: Path) -> Result:
    return CliRunner().invoke(main, ["demo", "--path", str(folder)], env={"CHAMBERS_TOKEN": ""})


@pytest.mark.slow
def test_the_demonstration_tells_a_year_leaves_papers_and_starts_afresh(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = demonstrate(folder)
    assert first.exit_code == 0, first.output
    rows = dict(re.findall(r"│ ([A-Z][^│]+?) +│ +([0-9,]+\.[0-9]{2}) EUR │", first.stdout))
    assert set(rows) == {"Recognized", "Allocated", "Earned by maintainers", "Paid", "The firm's residual"}
    cents = {name: int(re.sub("[,.]", "", amount)) for name, amount in rows.items()}
    assert cents["Recognized"] == cents["Allocated"]
    assert cents["Recognized"] == cents["Earned by maintainers"] + cents["The firm's residual"]
    assert cents["Paid"] == cents["Earned by maintainers"] > 0
    assert re.search(r"Verified: ([0-9]+) of \1 invariants hold\.", first.stdout)
    assert_papers_are_real(folder, cents["Earned by maintainers"])
    assert_environment_opens_the_books(folder)

    (folder / "papers" / "left-over.txt").write_text("from the first time", encoding="utf-8")
    second = demonstrate(folder)
    assert second.exit_code == 0, second.output
    assert not (folder / "papers" / "left-over.txt").exists()
    assert dict(re.findall(r"│ ([A-Z][^│]+?) +│ +([0-9,]+\.[0-9]{2}) EUR │", second.stdout)) == rows


def assert_papers_are_real(folder: Path, earned_cents: int) -> None:
    statements = sorted((folder / "papers").glob("ST-*.pdf"))
    reports = sorted((folder / "papers").glob("FWR-*.pdf"))
    assert len(statements) == len(reports) == 3
    told = 0
    for paper in (*statements, *reports):
        text = words(paper.read_bytes())
        assert paper.stem in text
        assert "Fjord & Partners" in text
        assert paper.with_suffix(".html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")
        for amount in re.findall(r"Earned in \w+ \d{4} ([0-9,]+\.[0-9]{2})", text):
            told += int(re.sub("[,.]", "", amount))
    assert told == earned_cents
    assert "<IBAN>" in (folder / "papers" / "credit-transfers.xml").read_text(encoding="utf-8")


def assert_environment_opens_the_books(folder: Path) -> None:
    file = folder / "environment"
    assert file.stat().st_mode & 0o077 == 0
    environment = dict(re.findall(r"export (\w+)='(.*)'", file.read_text(encoding="utf-8")))
    balance = CliRunner().invoke(main, ["books", "balance"], env=environment)
    assert balance.exit_code == 0, balance.output
    assert "income:retainers" in balance.stdout


def test_a_folder_that_is_not_the_demonstrations_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("years of work", encoding="utf-8")
    result = demonstrate(tmp_path)
    assert result.exit_code == 1
    assert "holds something else" in result.stderr
    assert mine.read_text(encoding="utf-8") == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("years of work", encoding="utf-8")
    result = demonstrate(mine)
    assert result.exit_code in (1, 2)
    assert "Error: " in result.stderr, result.exception
    assert mine.read_text(encoding="utf-8") == "years of work"
