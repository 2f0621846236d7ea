"""What every test stands on: no network, some time zone, and a private PostgreSQL on demand."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tzdata

from tests import postgres
from tests.databases import (  # noqa: F401 (fixtures, found by their names)
    app,
    fresh_url,
    migrated_file,
    migrated_template,
    place,
    postgresql_url,
    sqlite_app,
    sqlite_url,
)
from tests.stripe.fixtures import running_stripe, stripe_server  # noqa: F401 (fixtures as well)

THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
ZONES = (
    "Pacific/Kiritimati",
    "America/New_York",
    "Asia/Kathmandu",
    "UTC",
    "Pacific/Pago_Pago",
)
TWICE = ("tests/api/", "tests/payouts/", "tests/staffing/", "tests/firm/", "tests/examples/", "tests/migrations/")
AT_ONCE = ("tests/firm/ledger/", "together", "fifty", "idempotency", "guards", "attacks")
"""But for the books themselves, and for what is about two at once."""
LONG = (
    *("tests/api/probes/", "tests/api/matrix/test_crawl.py", "tests/api/matrix/test_answers.py"),
    *("tests/api/matrix/test_replay.py", "tests/api/test_canaries.py", "tests/api/test_every_history.py"),
    *("tests/api/test_no_route_is_open.py", "tests/crash/test_schedules.py"),
    "tests/firm/documents/test_papers.py::test_a_name_without_end",
    "tests/examples/test_worked_month_by_command.py::test_the_demonstration_runs_from_nothing_and_again",
    "tests/api/test_command_line.py::test_what_is_made_is_the_owners_alone",
    "tests/payouts/test_imports.py::test_ten_thousand_people",
    "tests/payouts/test_provider_events.py::test_any_order_with_repetitions",
    "tests/payouts/test_sepa_files.py::test_ten_thousand_orders",
    "tests/payouts/test_statement_histories.py",
    "tests/payouts/test_sweeps.py::test_more_than_a_page",
)
"""What takes long and is run by `make slow` and by continuous integration, not by every `make test`."""
BEFORE_A_RELEASE = (
    *("tests/payouts/test_interrupted_month.py", "tests/payouts/test_interrupted_runs.py", "tests/crash/"),
    *("tests/running/test_one_effect.py", "tests/running/test_proxy.py", "tests/running/test_slow_sockets.py"),
    *("tests/running/test_stopping.py", "tests/api/probes/test_reading.py", "tests/api/matrix/test_answers.py"),
    "tests/api/matrix/test_crawl.py::test_the_same_ids_show_the_lead_what_the_others_must_not_see",
)
"""Of the slow ones, those that continuous integration has no time for; its crash schedules kill the worker."""
_resolve = socket.getaddrinfo


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    _stay_on_this_machine()
    _move_to(_zone(config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is tried on both databases is tried on PostgreSQL in the slow lane, unless the database is the matter."""
    for item in items:
        if _second_time(item.nodeid) or item.nodeid.startswith(LONG):
            item.add_marker("slow")
        if _second_time(item.nodeid) or item.nodeid.startswith(BEFORE_A_RELEASE):
            item.add_marker("release")


def _second_time(name: str) -> bool:
    path, _, which = name.partition("::")
    at_once = any(word in path for word in AT_ONCE)
    return path.startswith(TWICE) and "postgresql" in which.partition("[")[2] and not at_once


def pytest_report_header() -> str:
    return f"time zone: {os.environ['TZ']} (CHAMBERS_TEST_TZ chooses one)"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How to repeat this run; `-q` swallows the header, and a failure may depend on order or zone."""
    seed = config.getoption("randomly_seed", None)
    terminalreporter.write_line(f"Repeat with: CHAMBERS_TEST_TZ={os.environ['TZ']} pytest --randomly-seed={seed}")


def _stay_on_this_machine() -> None:
    """pytest-socket (its options are in pyproject.toml) guards connections; this guards asking for names."""

    def resolve_here(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in (None, "", "0.0.0.0", "::", *THIS_MACHINE):  # noqa: S104
            raise RuntimeError(f"A test asked for the address of {name!r}; tests stay on this machine.")
        return _resolve(host, *args, **options)

    socket.getaddrinfo = resolve_here


def _zone(config: pytest.Config) -> str:
    seed = config.getoption("randomly_seed", 0)
    return os.environ.get("CHAMBERS_TEST_TZ") or ZONES[(seed if isinstance(seed, int) else 0) % len(ZONES)]


def _move_to(zone: str) -> None:
    """Make `zone` the process's and its children's. Fails where the system does not know it."""
    if not Path("/usr/share/zoneinfo").exists():
        os.environ["TZDIR"] = str(Path(tzdata.__file__).parent / "zoneinfo")
    os.environ["TZ"] = zone
    time.tzset()
    now = datetime.now(UTC)
    if now.astimezone().utcoffset() != now.astimezone(ZoneInfo(zone)).utcoffset():
        raise pytest.UsageError(f"This system has no time zone {zone}; set CHAMBERS_TEST_TZ to one that it has.")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of this worker's own PostgreSQL server, started when the first test asks for it."""
    with postgres.server() as url:
        yield url
