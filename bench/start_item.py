"""G11: how soon the command line says something, beside importing Flask and SQLAlchemy's ORM."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from bench.pairs import Measured, Result, run_rounds, timed

FLOOR = "import flask, sqlalchemy.orm"
STARTS = (
    ("chambers --help, whole process", "from api.cli import main; main(['--help'])"),
    ("chambers --version, whole process", "from api.cli import main; main(['--version'])"),
    ("import api.app", "import api.app"),
)


def start(*, full: bool) -> Iterator[Result]:
    """Ratios above 1 are quicker than the floor; the goal is at most one and a half times its time."""
    for title, code in STARTS:
        rounds = run_rounds(_process(code), _process(FLOOR), number=7 if full else 1)
        yield Result("G11", "process", title, rounds, goal=1 / 1.5)


def _process(code: str) -> Measured:
    def run() -> None:
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

    return lambda: timed(run)
