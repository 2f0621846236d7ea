"""G8 and G8w: reads, lists and posts over HTTP beside bare Flask in the same run: `python -m bench.load`.

Two sync workers on loopback and eight callers on the same machine. Rounds alternate between ours and the floors;
every answer must be a success, and every invariant must hold afterwards. The exit code says whether both were so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import ledger_items
from bench.requests import Answers, Request, bombard
from bench.servers import Server, gunicorn
from bench.stamp import stamp
from bench.stores import Engine, postgresql_engine, sqlite_engine
from firm.access.tokens import issue_token
from firm.actor import Role
from firm.billing import invoices, queries
from firm.clients import operations as clients
from firm.db import db, reading
from tests import lovelace
from tests.databases import TEST_KEY

SECONDS, ROUNDS = 3, 3
CLIENTS = 200


@dataclass
class Item:
    """One kind of request to one server, and what each round came to."""

    title: str
    server: Server
    request: Request
    rounds: list[Answers] = field(default_factory=list)

    def median(self, of: Callable[[Answers], float]) -> float:
        return statistics.median(of(one) for one in self.rounds)

    @property
    def rate(self) -> float:
        return self.median(lambda one: one.rate)

    @property
    def p99(self) -> float:
        return self.median(lambda one: one.percentile(99))

    @property
    def errors(self) -> int:
        return sum(one.errors for one in self.rounds)

    def line(self, store: str) -> str:
        return (
            f"{self.title:<30} {store:<11} {self.rate:>7,.0f}/s  p50 {self.median(lambda a: a.percentile(50)):>6.1f} ms"
            f"  p99 {self.p99:>6.1f} ms  CPU {self.median(lambda a: a.cpu_ms):>5.2f} ms  {self.errors} errors"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "pg", "both"], default="both")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of each round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(stamp(), flush=True)
    wrong = 0
    for name, make in (("sqlite", sqlite_engine), ("pg", postgresql_engine)):
        if options.db in (name, "both"):
            with make() as engine:
                wrong += _measure(engine, options.seconds, options.rounds)
    sys.exit(1 if wrong else 0)


def _measure(engine: Engine, seconds: int, rounds: int) -> int:
    """Print the lines of one engine and return how much went wrong."""
    post_one = next(iter(ledger_items.post_one(engine, full=False)))
    g1 = post_one.count / statistics.median(one.ours.wall for one in post_one.rounds)
    with engine.product() as app, tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)
        token, invoice, client = _set_up()
        db.engine.dispose()
        environment = {
            "CHAMBERS_DATABASE_URL": url,
            "CHAMBERS_SECRET_KEYS": TEST_KEY,
            "CHAMBERS_LOG_LEVEL": "info",
            "CHAMBERS_REQUESTS_PER_MINUTE": "1000000",
        }
        ours = stack.enter_context(gunicorn(Path(folder), environment=environment))
        bare = ("--config", "python:bench.floor_server", "--no-control-socket", "bench.floor_app:app")
        floor = stack.enter_context(gunicorn(Path(folder), environment={"BENCH_FLOOR_URL": url}, options=bare))
        items = _items(ours, floor, token, invoice, client)
        for turn in range(rounds):
            for item in items if turn % 2 == 0 else reversed(items):
                item.rounds.append(bombard(item.server, item.request, seconds=seconds))
        for item in items:
            print(item.line(engine.store), flush=True)
        _compare(items, engine.store, g1)
        broken = _broken_invariants()
        print(f"     invariants after the load on {engine.store}: {broken or 'all hold'}", flush=True)
        return sum(item.errors for item in items) + len(broken)


def _items(ours: Server, floor: Server, token: str, invoice: str, client: str) -> list[Item]:
    run = uuid.uuid4().hex[:8]
    return [
        Item("F7 hello", floor, _get("/hello")),
        Item("F8 one row through Core", floor, _get(f"/client/{client}")),
        Item("G8 GET one client", ours, _get(f"/v1/clients/{client}", token)),
        Item("G8 list of 50 clients", ours, _get("/v1/clients?limit=50", token)),
        Item("G8w POST a receipt", ours, _receipt(run, token, invoice)),
    ]


def _compare(items: list[Item], store: str, g1: float) -> None:
    hello, row, one, _, post = items
    bound = 1 / (1 / g1 + 1 / hello.rate)
    for title, ratio, goal in (
        ("G8 of F8", one.rate / row.rate, 0.5),
        ("G8 of F7", one.rate / hello.rate, 0.25),
        ("G8w of 1/(1/G1+1/F7)", post.rate / bound, 0.6),
    ):
        verdict = "ok" if ratio >= goal else "MISSED"
        print(f"     {title:<25} {store:<11} ratio {ratio:.2f}  goal {goal:.2f} {verdict}")
    for title, p99, most in (("G8 p99", one.p99, 3 * row.p99), ("G8w p99", post.p99, 25)):
        print(f"     {title:<25} {store:<11} {p99:.1f} ms  goal {most:.1f} ms {'ok' if p99 <= most else 'MISSED'}")
    print(f"     G1 of this run {g1:,.0f}/s", flush=True)


def _get(path: str, token: str = "") -> Request:
    sent = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    return lambda caller, number: sent


def _receipt(run: str, token: str, invoice: str) -> Request:
    """A receipt of one cent, which posts a journal entry, each under its own key."""

    def request(caller: int, number: int) -> bytes:
        # The moment keeps rounds apart: their callers count from the beginning again.
        key = f"{run}-{caller}-{number}-{time.monotonic_ns()}"
        body = json.dumps(
            {
                "invoice": invoice,
                "amount": {"amount": "0.01", "currency": "USD"},
                "received_on": "2026-10-15",
                "reference": key,
            }
        )
        head = (
            f"POST /v1/receipts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return f"{head}{body}".encode()

    return request


def _set_up() -> tuple[str, str, str]:
    """The firm of the examples, clients for the lists, and what the requests name."""
    now = datetime.now(UTC)
    lovelace.set_up()
    invoices.issue_month(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.BEFORE)
    for number in range(CLIENTS):
        clients.register(name=f"Client {number}", country="US", by=lovelace.LEAD, now=now)
    token = issue_token(name="load", role=Role.ADMINISTRATOR, by=lovelace.LEAD, now=now).secret
    with reading() as session:
        largest = max(queries.invoices(session), key=lambda each: each.total_minor)
    return token, largest.number, largest.client_id


def _broken_invariants() -> list[str]:
    from api.verification import findings
    from firm.audit import sequencer

    now = datetime.now(UTC)
    sequencer.run(now=now)
    return [one.invariant.name for one in findings(now=now) if not one.holds]


if __name__ == "__main__":
    main()
