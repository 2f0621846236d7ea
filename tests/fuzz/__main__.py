"""Run it: `python -m tests.fuzz --seconds 60 --seed 1` (`make fuzz`). Prints each parser's inputs and slowest one."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
import traceback

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.targets import OURS, Target, application, targets


class Slow(Exception):
    """One input took longer than any should."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for all parsers together")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder, application(f"sqlite:///{folder}/fuzz.db") as app, app.app_context():
        found = targets(app)
        for target in found:
            failed += _fuzz(target, options.seconds / len(found), options.seed)
    print(f"{len(found)} parsers, {failed} failed, seed {options.seed}")
    sys.exit(1 if failed else 0)


def _fuzz(target: Target, seconds: float, number: int) -> bool:
    """Feed it for so long; says whether it failed, and prints the smallest input that made it."""
    counted, slowest, deadline = 0, 0.0, time.monotonic() + seconds

    def feed(value: object) -> None:
        nonlocal counted, slowest
        counted += 1
        taken = _cost(target, value)
        if taken > target.seconds_each:
            # Once may be the collector's turn, or a module's first use; an input that burns does so each time.
            taken = min(taken, _cost(target, value), _cost(target, value))
        slowest = max(slowest, taken)
        if taken > target.seconds_each:
            raise Slow(f"{taken:.3f} s of CPU")

    while time.monotonic() < deadline:
        number += 1
        run = settings(
            max_examples=100,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )(given(target.inputs)(feed))
        try:
            seed(number)(run)()
        except Exception:
            print(f"{target.name:<24} FAILED (seed {number})")
            print(traceback.format_exc()[-3_000:])
            return True
    print(f"{target.name:<24} {counted:>7} inputs, slowest {slowest * 1000:.1f} ms", flush=True)
    return False


def _cost(target: Target, value: object) -> float:
    """The CPU seconds that one input takes; errors other than the parser's own pass through."""
    begun = time.process_time()
    with contextlib.suppress(*OURS):
        target.feed(value)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
