"""Each rule, tried on the house, and on planted source that must and must not be found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.house import rules
from tests.house.source import LAYERS, Finding, findings, python, tracked

NEAR_MONEY = (
    "firm/money.py",
    "firm/ledger/",
    "firm/billing/",
    "firm/allocation/",
    "firm/exchange/",
    "payouts/",
)
CODE = (".py", ".html", ".typ", ".sql", ".js", ".css", ".j2", ".toml", ".sh")
CLOCKS = (
    Path("firm/clock.py"),
    # The moment inside an id only puts ids in order; nothing is decided by it.
    Path("firm/ids.py"),
)
AT_THE_BORDER = Path("api/errors.py")

Rule = Callable[[str], Iterable[Finding]]


def test_no_float_comes_near_money() -> None:
    near = [path for path in python("firm", "payouts") if path.as_posix().startswith(NEAR_MONEY)]
    assert findings(near, rules.inexact_arithmetic) == []


def test_only_the_api_reads_the_clock() -> None:
    below = [path for path in python("firm", "staffing", "payouts") if path not in CLOCKS]
    assert findings(below, rules.clock_readings) == []


def test_errors_are_caught_narrowly() -> None:
    code = [path for path in (*python(*LAYERS, "migrations", "bench"), Path("wsgi.py")) if path in tracked()]
    assert findings((path for path in code if path != AT_THE_BORDER), rules.broad_excepts) == []


def test_every_refusal_is_named_for_its_situation() -> None:
    assert findings(python(*LAYERS), rules.nameless_errors) == []


def test_a_package_opens_with_its_words_and_nothing_else() -> None:
    openings = [path for path in python(*LAYERS) if path.name == "__init__.py"]
    assert findings(openings, rules.more_than_a_docstring) == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in python(*LAYERS)}
    assert [str(folder) for folder in sorted(folders) if folder / "__init__.py" not in tracked()] == []


def test_a_function_that_takes_a_session_never_ends_its_transaction() -> None:
    assert findings(python(*LAYERS), rules.endings_of_borrowed_sessions) == []


def test_the_words_are_the_trade_s() -> None:
    places = (*LAYERS, "migrations", "bench", "deploy", "tests", "wsgi.py")
    code = [path for path in tracked() if path.parts[0] in places and path.suffix in CODE]
    assert findings(code, rules.unwanted_words) == []


def test_nothing_is_marked_unfinished() -> None:
    assert findings(tracked(), rules.unfinished_marks) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert findings(tracked(), rules.machine_paths) == []


BREACHES: list[tuple[Rule, str]] = [
    (rules.inexact_arithmetic, "share = minor / 3"),
    (rules.inexact_arithmetic, "share = (a.path_count * minor) / weights[0]"),
    (rules.inexact_arithmetic, "minor /= 2"),
    (rules.inexact_arithmetic, "share = round(minor * rate)"),
    (rules.inexact_arithmetic, "share = float(minor)"),
    (rules.inexact_arithmetic, "rate = 0.2"),
    (rules.clock_readings, "now = clock.now()"),
    (rules.clock_readings, "today = datetime.date.today()"),
    (rules.clock_readings, "now = datetime.now(UTC)"),
    (rules.broad_excepts, "try:\n    send()\nexcept:\n    pass"),
    (rules.broad_excepts, "try:\n    send()\nexcept Exception:  # noqa: S110\n    pass"),
    (rules.broad_excepts, "try:\n    send()\nexcept (KeyError, Exception) as error:\n    log(error)"),
    (
        rules.broad_excepts,
        "try:\n    send()\nexcept BaseException as error:\n    raise Refused('no') from error",
    ),
    (rules.nameless_errors, "def end(engagement):\n    raise Refused('It ends already.')"),
    (rules.nameless_errors, "raise errors.Invalid('No.', field='on') from error"),
    (rules.nameless_errors, "raise NotFound(f'There is no {key!r}.') from None"),
    (rules.more_than_a_docstring, ""),
    (rules.more_than_a_docstring, '"""Words."""\nfrom firm.ledger import journal'),
    (rules.more_than_a_docstring, '"""Words."""\n__all__ = []'),
    (rules.endings_of_borrowed_sessions, "def post(session, entry):\n    session.commit()"),
    (
        rules.endings_of_borrowed_sessions,
        "def post(entry, *, session):\n    if entry:\n        session.rollback()",
    ),
    (rules.unwanted_words, "class Spon" + "sorTier: ..."),
    (rules.unwanted_words, "total_dona" + "tions = 0"),
    (rules.unwanted_words, "# a gi" + "ft"),
    (rules.unwanted_words, "branch_ti" + "p = 1"),
    (rules.unfinished_marks, "# TO" + "DO: later"),
    (rules.machine_paths, 'BOOKS = "/ho' + 'me/ada/books.db"'),
    (rules.machine_paths, "cd /wo" + "rk/main"),
    (rules.addresses, "--index-url https:" + "//packages.example/simple"),
    (rules.addresses, "ledger @ https:" + "//packages.example/ledger.whl"),
    (rules.addresses, "--find-links wheels"),
]

INNOCENT: list[tuple[Rule, str]] = [
    (rules.inexact_arithmetic, "part = minor * weight // whole\nrest = minor % whole"),
    (
        rules.inexact_arithmetic,
        'file = folder / name / "statement.pdf"\ntop = Path(__file__).parents[1] / name',
    ),
    (rules.inexact_arithmetic, 'ratio = "1/2"'),
    (rules.clock_readings, "def close(month, *, now): return now.date()\nstarted = time.monotonic()"),
    (rules.broad_excepts, "try:\n    send()\nexcept OSError:\n    pass"),
    (rules.broad_excepts, "try:\n    send()\nexcept BaseException:\n    undo()\n    raise"),
    (
        rules.broad_excepts,
        "try:\n    send()\nexcept Exception:  # border: one bad job must not stop the worker\n    pass",
    ),
    (rules.more_than_a_docstring, '"""Words."""\n'),
    (rules.nameless_errors, "class EndsAlready(Refused): ...\nraise EndsAlready('It ends already.')"),
    (
        rules.endings_of_borrowed_sessions,
        "def close(month):\n    session = db.session()\n    session.commit()",
    ),
    (rules.unwanted_words, "multiple_tooltips = Multipart"),
    (rules.unfinished_marks, "methodology = 1"),
    (rules.machine_paths, "see staffing/wo" + "rk/model.py and https:" + "//example.org/ho" + "me/"),
    (rules.addresses, "flask==3.1.3 \\\n    --hash=sha256:00 ; python_full_version >= '3.11'"),
]


@pytest.mark.parametrize(("rule", "source"), BREACHES)
def test_a_planted_breach_is_found(rule: Rule, source: str) -> None:
    assert list(rule(source)) != []


@pytest.mark.parametrize(("rule", "source"), INNOCENT)
def test_innocent_source_passes(rule: Rule, source: str) -> None:
    assert list(rule(source)) == []
