"""docs/first-month.md, from its first command to its last, as a newcomer pastes it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
import time_machine
from click.testing import CliRunner

from api.cli import main
from firm import clock
from tests.staffing.work.repositories import repository

PAGE = Path(__file__).parents[2] / "docs" / "first-month.md"
AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class Newcomer:
    """Somebody who pastes line by line, and puts what was printed where the page says `…`."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"CHAMBERS_DATABASE_URL": f"sqlite:///{folder}/firm.db", "CHAMBERS_TOKEN": ""}
        self._folder = folder
        self._printed = ""

    def type(self, line: str) -> None:
        words = [self._filled(word) for word in shlex.split(line, comments=True)]
        if words[0] == "chambers":
            self._printed += self._run(*words[1:])
        elif words[:2] == ["export", "CHAMBERS_SECRET_KEYS=$(chambers"]:
            self.environment["CHAMBERS_SECRET_KEYS"] = self._run("secret-key").strip()
        elif words[0] == "export" and not words[1].startswith("PATH="):
            name, _, value = words[1].partition("=")
            self.environment[name] = value
        elif words[0] == "unset":
            self.environment[words[1]] = ""

    def _run(self, *words: str) -> str:
        found = CliRunner().invoke(main, list(words), env=self.environment)
        assert found.exit_code == 0, (words, found.output, found.exception)
        return found.output

    def _filled(self, word: str) -> str:
        if word == "492039":
            [secret] = re.findall(r"\bsecret=([A-Z2-7]+)", self._printed)
            return pyotp.TOTP(secret).at(clock.now())
        places = {
            "path/to/clone": "clone",
            "path/to/records": "records",
            "grace.pdf": "grace.pdf",
            "acme.pdf": "acme.pdf",
        }
        if word in places:
            return str(self._folder / places[word])
        kind = re.search(r"\b(eng_|pay_|chm_|dst_)…", word)
        return word if kind is None else word.replace("…", re.findall(rf"{kind[1]}(\w+)", self._printed)[-1])


def commands() -> Iterator[str]:
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from filter(None, block.replace("\\\n", " ").splitlines())


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    """With a clone of a repository and a folder of advisories at hand."""
    repository(tmp_path / "clone").commit("ssh: begin", file="ssh/client.go")
    (tmp_path / "records").mkdir()
    record = {"id": "GO-2026-1", "modified": "2026-10-09T00:00:00Z", "published": "2026-10-09T00:00:00Z"}
    (tmp_path / "records" / "GO-2026-1.json").write_text(json.dumps(record))
    return Newcomer(tmp_path)


def test_the_page_can_be_pasted_from_top_to_bottom(newcomer: Newcomer, tmp_path: Path) -> None:
    with time_machine.travel(AT, tick=False) as traveler:
        for line in commands():
            newcomer.type(line)
            # A code opens once, and the page asks for two.
            traveler.shift(30)
    assert (tmp_path / "grace.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "acme.pdf").read_bytes().startswith(b"%PDF")
