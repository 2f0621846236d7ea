"""Run it: `make crash`, or `python -m tests.crash --seed 7 --schedules 1 --database sqlite`."""

from __future__ import annotations

import argparse
import subprocess
import sys

from tests.crash import lanes
from tests.crash.report import Report

PROCESSES = 2
WORTH_SPLITTING = 50
"""Fewer schedules than this take less time than getting a second process ready."""
CI = {"sqlite": 1_000, "postgresql": 200}
"""How many schedules continuous integration runs on each engine."""


def main() -> None:
    options = _options()
    if options.part is not None:
        lanes.work(
            options.database,
            options.lanes.split(","),
            seed=options.seed,
            schedules=options.schedules,
            part=options.part,
            parts=options.parts,
        )
        return
    whole = options.schedules is None and options.database is None and options.lanes is None
    report = Report()
    for engine in (options.database,) if options.database else lanes.ENGINES if whole else ("sqlite",):
        wanted = options.lanes or ("schedules,mutants" if whole and engine == "sqlite" else "schedules")
        if options.exhaustive and engine == "sqlite":
            wanted += ",pairs"
        _run(report, engine, wanted, options.seed, options.schedules or CI[engine])
    sys.exit(report.end())


def _run(report: Report, engine: str, wanted: str, seed: int, schedules: int) -> None:
    """Split a set over two processes, as continuous integration has two cores, and read what they tell."""
    parts = PROCESSES if schedules >= WORTH_SPLITTING else 1
    asked = {"database": engine, "lanes": wanted, "seed": seed, "schedules": schedules, "parts": parts}
    command = [sys.executable, "-m", "tests.crash", *(f"--{name}={value}" for name, value in asked.items())]
    processes = [
        subprocess.Popen([*command, f"--part={part}"], stdout=subprocess.PIPE, text=True) for part in range(parts)
    ]
    report.read(engine, processes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first schedule's; the others follow it")
    parser.add_argument("--schedules", type=int, help="how many; unless given, as many as in continuous integration")
    parser.add_argument("--database", choices=lanes.ENGINES)
    parser.add_argument("--lanes", help="schedules, pairs, mutants; several with commas")
    parser.add_argument("--exhaustive", action="store_true", help="also every point with every fault, on SQLite")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--parts", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
