"""Everything taken along at the command line: out into an archive, into another database, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli import main
from tests.databases import TEST_KEY
from tests.lovelace import OCTOBER

FIRM = ["--name", "L", "--currency", "USD", "--time-zone", "UTC", "--first-month", str(OCTOBER)]


def call(url: str, *words: str) -> Result:
    environment = {"CHAMBERS_DATABASE_URL": url, "CHAMBERS_SECRET_KEYS": TEST_KEY, "CHAMBERS_TOKEN": ""}
    return CliRunner().invoke(main, list(words), env=environment)


def test_a_firm_moves_and_its_archive_is_read_elsewhere(tmp_path: Path, postgresql_url: str) -> None:
    here, there = f"sqlite:///{tmp_path}/here.db", f"sqlite:///{tmp_path}/there.db"
    assert call(here, "init", *FIRM).exit_code == 0
    assert call(here, "client", "add", "Acme", "--country", "US").exit_code == 0
    moved = call(here, "move", "--to", postgresql_url)
    assert moved.exit_code == 0, moved.output
    assert "with the same trial balance" in moved.stdout
    assert "Acme" in call(postgresql_url, "client", "list").stdout
    assert "invariants hold" in call(postgresql_url, "verify").stdout

    path = str(tmp_path / "firm.zip")
    assert "rows of" in call(postgresql_url, "export", "all", "--out", path).stdout
    read = call(there, "import", "archive", path)
    assert read.exit_code == 0, read.output
    assert "Acme" in call(there, "client", "list").stdout
    again = call(there, "import", "archive", path)
    assert again.exit_code == 1
    assert "holds a firm already" in again.output


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql://nobody@127.0.0.1:1/x", "a file"],
)
def test_a_wrong_address_to_move_to_is_said_of_the_option(tmp_path: Path, address: str) -> None:
    here, no_database = f"sqlite:///{tmp_path}/here.db", tmp_path / "letter.txt"
    no_database.write_text("Dear Ada, this is a letter and no database, and longer than the header of one would be.")
    assert call(here, "init", *FIRM).exit_code == 0
    refused = call(here, "move", "--to", f"sqlite:///{no_database}" if address == "a file" else address)
    assert refused.exit_code == 1
    assert "--to" in refused.output
    assert "CHAMBERS_DATABASE_URL" not in refused.output
