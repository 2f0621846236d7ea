"""Run it: `python -m tests.fuzz --seconds 60 --seed 1` (`make fuzz`). Prints each parser's inputs and slowest one."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.fuzz.feeding import Fed, feed
from tests.fuzz.targets import PARSERS


def main() -> None:
    options = _options()
    names = [options.only] if options.only in PARSERS else list(PARSERS)
    target = options.only if options.only not in PARSERS else None
    spawn = multiprocessing.get_context("spawn")
    # A process for each parser: what one holds on to is not counted against the next.
    with ProcessPoolExecutor(options.processes, mp_context=spawn, max_tasks_per_child=1) as pool:
        under_way = [pool.submit(feed, name, options.seconds, options.seed, target) for name in names]
        fed = [_said(one.result()) for one in as_completed(under_way)]
    fed = [one for one in fed if one.inputs or one.failure]
    failed = sum(bool(one.failure) for one in fed)
    print(f"{len(fed)} parsers, {sum(one.inputs for one in fed)} inputs, {failed} failed, seed {options.seed}")
    sys.exit(1 if failed or not fed else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of CPU, for each parser")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--only", metavar="NAME", help=f"one parser ({', '.join(PARSERS)}), or one target by its name")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def _said(one: Fed) -> Fed:
    if one.inputs or one.failure:
        print(
            f"{one.parser:<22} {one.cpu:>6.1f} s of CPU {one.inputs:>8} inputs, "
            f"slowest {one.slowest * 1000:>6.1f} ms ({one.slowest_target}){' FAILED' if one.failure else ''}",
            flush=True,
        )
    if one.failure:
        print(one.failure, flush=True)
    return one


if __name__ == "__main__":
    main()
