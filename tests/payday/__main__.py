"""Run it: `python -m tests.payday payouts --people 1000`, or `papers --people 10000`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select
from stripe import StripeClient

from api.app import create_app
from api.jobs import KINDS
from api.parts import parts
from api.verification import findings, told
from firm import clock
from firm.audit import sequencer
from firm.db import db, reading
from firm.jobs import operations as jobs
from firm.jobs.model import Job
from firm.settings import load
from migrations import run as migrations
from payouts.runs.model import payout
from payouts.statements.model import statement
from tests.databases import TEST_KEY
from tests.lovelace import LEAD, OCTOBER
from tests.payday import firm
from tests.payday.watch import CHAMBERS, Watched, watch
from tests.stripe import balances, oracle
from tests.stripe.server import Server, serving

RELEASE = "payout-runs.release"
GOAL_SECONDS = 120
LEAST_SECONDS = 20
FLAT = 1.1
"""Memory is flat when the end holds at most so many times what a quarter of the way did."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.payday", description=__doc__)
    parser.add_argument("lane", choices=sorted(LANES))
    parser.add_argument("--people", type=int)
    options = parser.parse_args()
    default, run = LANES[options.lane]
    with tempfile.TemporaryDirectory() as folder:
        complaints = run(Path(folder), options.people or default)
    for complaint in complaints:
        print(f"WRONG: {complaint}")
    sys.exit(1 if complaints else 0)


def pay(folder: Path, people: int) -> list[str]:
    """One worker releases a run; then it does whatever that has brought with it."""
    with serving() as stripe:
        environment = _environment(folder, stripe)
        os.environ.update(environment)
        app = create_app(load())
        with app.app_context():
            migrations.upgrade(db.engine)
            print(f"Founding a firm of {people:,} people over Stripe ...", flush=True)
            firm.found(people)
            firm.open_accounts(stripe.state, people)
            run = firm.approve(parts().rails)
            jobs.ask(RELEASE, {"run_id": run}, by=LEAD, now=clock.now())
            db.session.remove()
            db.engine.dispose()
        floor = _floor(stripe, people)
        calls = len(stripe.log)
        release = watch([CHAMBERS, "worker", "--once", "--jobs", RELEASE], environment, lambda: _sent(stripe, people))
        calls = len(stripe.log) - calls
        rest = watch([CHAMBERS, "worker", "--once", *_other_jobs()], environment, lambda: 0)
        _tell_release(people, release, floor, calls, rest)
        with app.app_context():
            return [*_judge(stripe, people), *_late(release, people), *_growth(release, people), *_ended(release, rest)]


def print_papers(folder: Path, people: int) -> list[str]:
    """Every statement of a large firm's month as a file, by two processes."""
    environment = _environment(folder, None)
    os.environ.update(environment)
    app = create_app(load())
    with app.app_context():
        migrations.upgrade(db.engine)
        print(f"Founding a firm of {people:,} people ...", flush=True)
        firm.found(people)
        with reading() as session:
            issued = session.scalar(select(func.count()).select_from(statement)) or 0
        db.session.remove()
        db.engine.dispose()
    out = folder / "papers"
    command = [CHAMBERS, "statement", "--month", str(OCTOBER), "--all", "--out", str(out), "--processes", "2"]
    made = watch(command, environment, lambda: _files(out))
    files = _files(out)
    print(
        f"{files:,} statements as PDF in {made.seconds:.1f} s ({made.seconds * 1000 / max(files, 1):.1f} ms each, two"
        f" processes); memory {made.at(people // 4):.0f} MB at a quarter, {made.at(people):.0f} MB at the end,"
        f" {made.peak:.0f} MB at most"
    )
    short = [f"{issued:,} statements were issued and {files:,} written."] if files != issued or files != people else []
    return [*short, *_growth(made, people), *_ended(made)]


LANES = {"payouts": (1_000, pay), "papers": (10_000, print_papers)}


def _environment(folder: Path, stripe: Server | None) -> dict[str, str]:
    environment = os.environ | {
        "CHAMBERS_DATABASE_URL": f"sqlite:///{folder / 'chambers.db'}",
        "CHAMBERS_SECRET_KEYS": TEST_KEY,
        "CHAMBERS_AUDIT_ANCHORS": str(folder / "anchors"),
        "CHAMBERS_PAPERS": str(folder / "month"),
    }
    if stripe is None:
        return environment
    return environment | {
        "STRIPE_API_KEY": stripe.api_key,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_CALLS_A_SECOND": "10000",
        "STRIPE_WEBHOOK_SECRETS": stripe.secrets.platform[0],
        "STRIPE_CONNECT_WEBHOOK_SECRETS": stripe.secrets.connect[0],
    }


def _floor(stripe: Server, people: int) -> float:
    """The seconds that as many bare transfers take with the library, in a world that is thrown away."""
    kept, number = stripe.world, min(people, 200)
    try:
        account = next(iter(stripe.state.of("account")))
        stripe.world = type(kept)()
        stripe.world.clock.set(kept.clock.now())
        stripe.state.add("account", account)
        balances.top_up(stripe.state, firm.PAY.minor * number, "usd")
        client = StripeClient(stripe.api_key, base_addresses={"api": stripe.url})
        started = time.monotonic()
        for _ in range(number):
            asked = {"amount": firm.PAY.minor, "currency": "usd", "destination": account["id"]}
            client.v1.transfers.create(asked)  # type: ignore[arg-type]
        return (time.monotonic() - started) * people / number
    finally:
        stripe.world = kept


def _other_jobs() -> list[str]:
    return [word for kind in sorted(KINDS) if kind != RELEASE for word in ("--jobs", kind)]


def _sent(stripe: Server, people: int) -> int:
    return min(len(stripe.state.of("transfer")), people)


def _files(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.pdf"))


def _tell_release(people: int, release: Watched, floor: float, calls: int, rest: Watched) -> None:
    verdict = "ok" if release.seconds <= _goal(people) else "missed"
    print(
        f"{people:,} payouts in {release.seconds:.1f} s on one worker (goal {GOAL_SECONDS} s for 1,000: {verdict}),"
        f" {calls:,} calls; bare transfers with the library {floor:.1f} s, ratio {floor / release.seconds:.2f}"
    )
    print(
        f"memory {release.at(people // 4):.0f} MB at a quarter, {release.at(people // 2):.0f} MB at half,"
        f" {release.at(people):.0f} MB at the end, {release.peak:.0f} MB at most"
    )
    print(f"everything that followed (sweep, comparison, advices): {rest.seconds:.1f} s, {rest.peak:.0f} MB at most")


def _judge(stripe: Server, people: int) -> list[str]:
    """Everybody got the pay once, by the provider's log and by the books, and every invariant holds."""
    got = Counter(transfer["destination"] for transfer in stripe.state.of("transfer"))
    wrong = [f"{account} was paid {times} times." for account, times in got.items() if times != 1]
    if len(got) != people:
        wrong.append(f"{len(got):,} of {people:,} were paid.")
    wrong += oracle.paid_twice(stripe.state)
    with reading() as session:
        states = Counter(session.scalars(select(payout.c.state)))
    print(f"paid {len(got):,}, twice {sum(times > 1 for times in got.values())}; payouts {dict(states)}")
    with reading() as session:
        wrong += [job.last_error for job in session.scalars(select(Job)) if job.last_error]
    now = clock.now()
    sequencer.run(now=now)
    found = list(findings(now=now))
    print(told(found))
    return wrong + [f"{one.invariant.name}: {one.breaches[:3]}" for one in found if not one.holds]


def _goal(people: int) -> float:
    """In proportion; a process takes its time to start, however few people it pays."""
    return max(GOAL_SECONDS * people / 1_000, LEAST_SECONDS)


def _late(release: Watched, people: int) -> list[str]:
    goal = _goal(people)
    late = f"{people:,} payouts took {release.seconds:.1f} s, and were to take {goal:.0f} s."
    return [late] if release.seconds > goal else []


def _growth(watched: Watched, people: int) -> list[str]:
    begun, ended = watched.at(people // 4), watched.at(people)
    return [f"Memory grew from {begun:.0f} to {ended:.0f} MB."] if ended > begun * FLAT else []


def _ended(*watched: Watched) -> list[str]:
    return [f"A process ended with status {one.status}." for one in watched if one.status]


if __name__ == "__main__":
    main()
