"""What machine and versions a run was made on, and how busy it was."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import pysqlite3


def stamp() -> str:
    """One line to judge the figures by; the calibration loop tells a slow machine from a slow change."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "psycopg", "typst"))
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return (
        f"{_cpu()}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite {pysqlite3.sqlite_version}, "
        f"{packages}; load {load}; {pressure()}calibration {_calibration() * 1000:.0f} ms"
    )


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def pressure() -> str:
    """How much of the last ten seconds somebody waited for a core, where the kernel says so."""
    file = Path("/proc/pressure/cpu")
    try:
        return f"CPU pressure {file.read_text(encoding='utf-8').split()[1].partition('=')[2]} %; "
    except OSError:
        return ""


def _calibration() -> float:
    start = time.perf_counter()
    sum(number * number for number in range(1_000_000))
    return time.perf_counter() - start
