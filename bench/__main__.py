"""The command: choose items and engines, run them, print a line each, keep the history."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import ledger_items, month_item, paper_item, start_item
from bench.pairs import Result
from bench.stamp import stamp
from bench.stores import Engine, postgresql_engine, sqlite_engine

HISTORY = Path(__file__).parent / "history.jsonl"
ITEMS = ("G1", "G2", "G7", "G9", "G11")


def main() -> None:
    options = _options()
    chosen = options.only or ITEMS
    full = options.scale == "full"
    print(stamp(), flush=True)
    results: list[Result] = []
    with ExitStack() as stack:
        for engine in _engines(options.db, stack):
            for result in _database_items(engine, chosen, full=full):
                results.append(result)
                print(result.line(), flush=True)
    for result in _other_items(chosen, full=full):
        results.append(result)
        print(result.line(), flush=True)
    if full:
        _compare(results)
    if options.peers:
        _show_peers(options.peers, results)
    document = {"commit": _commit(), "scale": options.scale, "items": [result.as_json() for result in results]}
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if full and not options.only:
        with HISTORY.open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "pg", "both"], default="both")
    parser.add_argument("--scale", choices=["smoke", "full"], default="full")
    parser.add_argument("--only", action="append", choices=ITEMS, help="may be given several times")
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument("--peers", type=Path, help="JSON lines of peers: item, store, name, ratio")
    return parser.parse_args()


def _engines(choice: str, stack: ExitStack) -> Iterator[Engine]:
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
        yield paper_item.statement(full=full)
    if "G11" in chosen:
        yield from start_item.start(full=full)


def _compare(results: list[Result]) -> None:
    """Say which ratios left the range of the last five full runs."""
    lines = HISTORY.read_text(encoding="utf-8").splitlines()[-5:] if HISTORY.exists() else []
    for result in results:
        earlier = [
            item["ratio"]
            for line in lines
            for item in json.loads(line)["items"]
            if (item["name"], item["title"], item["store"]) == (result.name, result.title, result.store)
        ]
        if earlier and not min(earlier) * 0.9 <= result.ratio <= max(earlier) * 1.1:
            print(f"moved: {result.name} on {result.store}, was {min(earlier):.2f}..{max(earlier):.2f}")


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
