"""G11: how soon the command line says something, beside importing Flask and SQLAlchemy's ORM."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from bench.pairs import Result, Timed, run_pairs

FLOOR = "import flask, sqlalchemy.orm"


def start(*, full: bool) -> Iterator[Result]:
    """Ratios above 1 are quicker than the floor; the goal is at most one and a half times its time."""
    number = 7 if full else 1
    for title, code in (
        ("start to first output of --help", "from api.cli import main; main(['--help'])"),
        ("import of the application", "import api.app"),
    ):
        pairs = run_pairs(_process(code), _process(FLOOR), number=number)
        yield Result("G11", "process", title, pairs, 1, "", round(1 / 1.5, 2))


def _process(code: str) -> Timed:
    def run() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    return run
