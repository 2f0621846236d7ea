"""The command: choose items and engines, run them, print a line each, keep the history."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import ledger_items, month_item, start_item
from bench.pairs import Result
from bench.stamp import pressure, stamp
from bench.stores import Engine, postgresql_engine, sqlite_engine

HISTORY = Path(__file__).parent / "history.jsonl"
ITEMS = ("G1", "G2", "G7", "G9", "G11")


def main() -> None:
    options = _options()
    chosen = tuple(options.only or ITEMS)
    full = options.scale == "full"
    found = stamp()
    print(found, flush=True)
    results: list[Result] = []
    with ExitStack() as stack:
        for engine in _engines(options.db, chosen, stack):
            print(f"     {engine.version}", flush=True)
            results += _shown(_database_items(engine, chosen, full=full))
    results += _shown(_other_items(chosen, full=full))
    ended = pressure()
    print(f"at the end: {ended or 'no figures of CPU pressure'}")
    _compare(results, options.scale)
    if options.peers:
        _show_peers(options.peers, results)
    document = {
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "scale": options.scale,
        "stamp": found,
        "items": [result.as_json() for result in results],
    }
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.history or (full and not options.only and options.db == "both"):
        with HISTORY.open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")


def _shown(results: Iterator[Result]) -> Iterator[Result]:
    for result in results:
        print(result.line(), flush=True)
        yield result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "pg", "both"], default="both")
    parser.add_argument("--scale", choices=["smoke", "full"], default="full")
    parser.add_argument("--only", action="append", choices=ITEMS, help="may be given several times")
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument(
        "--history", action="store_true", help="append to bench/history.jsonl, as a whole full run does"
    )
    parser.add_argument("--peers", type=Path, help="JSON lines of peers: item, store, name, ratio")
    return parser.parse_args()


def _engines(choice: str, chosen: tuple[str, ...], stack: ExitStack) -> Iterator[Engine]:
    if not set(chosen) & {"G1", "G2", "G7"}:
        return
    if choice in ("sqlite", "both"):
        yield stack.enter_context(sqlite_engine())
    if choice in ("pg", "both"):
        yield stack.enter_context(postgresql_engine())


def _database_items(engine: Engine, chosen: tuple[str, ...], *, full: bool) -> Iterator[Result]:
    if "G1" in chosen:
        yield from ledger_items.post_one(engine, full=full)
    if "G2" in chosen:
        yield from ledger_items.post_many(engine, full=full)
    if "G7" in chosen:
        yield from month_item.close_month(engine, full=full)


def _other_items(chosen: tuple[str, ...], *, full: bool) -> Iterator[Result]:
    if "G9" in chosen:
        yield from _if_there("firm.documents.papers", "G9", lambda: iter([_module("paper_item").statement(full=full)]))
    if "G11" in chosen:
        yield from _if_there("api.cli", "G11", lambda: start_item.start(full=full))


def _if_there(module: str, item: str, measure: Callable[[], Iterator[Result]]) -> Iterator[Result]:
    """The item, or a line that says why not."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        print(f"{item:<4} skipped: {error.name} is not there", flush=True)
        return
    yield from measure()


def _module(name: str) -> Any:
    return importlib.import_module(f"bench.{name}")


def _compare(results: list[Result], scale: str) -> None:
    """Say which ratios lie outside all pairs of the last five runs of the same scale."""
    lines = HISTORY.read_text(encoding="utf-8").splitlines() if HISTORY.exists() else []
    runs = [run for run in map(json.loads, lines) if run["scale"] == scale][-5:]
    for result in results:
        earlier = [
            ratio
            for run in runs
            for item in run["items"]
            if (item["name"], item.get("title"), item["store"]) == (result.name, result.title, result.store)
            for ratio in item["ratios"]
        ]
        if earlier and not min(earlier) <= result.ratio <= max(earlier):
            print(f"moved: {result.name} {result.title} on {result.store}, was {min(earlier):.2f}..{max(earlier):.2f}")


def _show_peers(path: Path, results: list[Result]) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        peer = json.loads(line)
        for result in results:
            if result.name.startswith(peer["item"]) and result.store.startswith(peer["store"]):
                print(f"{result.name} on {result.store}: {result.ratio / peer['ratio']:.1f} times {peer['name']}")


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
