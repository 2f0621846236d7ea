"""Run it: `python -m tests.contract --examples 10` (`make contract N=1000` by hand, before a release)."""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from api.app import create_app
from api.description.document import described_path
from api.permissions.routes import APPROVALS, POLICY
from api.verification import findings
from firm import clock
from firm.actor import Role
from firm.audit import sequencer
from firm.db import db
from tests import postgres
from tests.contract.firm import Seeded, seed
from tests.databases import TEST_KEY, settings_for

HERE = Path(__file__).parent
LOG = "server.log"
PHASES = "examples,coverage,fuzzing,stateful"
SIZED = 20
"""An operation that is closed to the role has this many examples at most, as all of it is refused at the door (the
matrix of permissions shows that too). With fewer in all it has one, and is not covered value by value."""
STORES = ("sqlite", "postgresql")
COVERED = {
    "sqlite": {Role.LEAD, Role.APPROVER, Role.CLIENT},
    "postgresql": {Role.ADMINISTRATOR, Role.MAINTAINER, Role.ACCOUNTANT, Role.AUDITOR},
}
"""Where a role is covered value by value with fewer than `SIZED` examples; with as many or more, on both. Nearly all of
it is refused before a database is asked."""


def main() -> None:
    options = _options()
    if options.db == "both":
        sys.exit(1 if any(_beside_each_other()) else 0)
    with tempfile.TemporaryDirectory() as folder, _database(options.db, Path(folder)) as url:
        failed = _try(options.db, url, Path(folder), options.examples, options.seed, options.role)
    sys.exit(1 if failed else 0)


def _beside_each_other() -> list[int]:
    """Each database in a process of its own, and within it one role after the other by one thread: a seed finds again
    what it found, and the interpreter's parser, which the tool uses, fails now and then where two threads use it."""
    command = [sys.executable, "-m", "tests.contract", *sys.argv[1:], "--db"]
    processes = [subprocess.Popen([*command, store]) for store in STORES]
    return [process.wait() for process in processes]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
    parser.add_argument("--db", choices=[*STORES, "both"], default="both")
    parser.add_argument("--examples", type=int, default=10, help="cases for each operation and phase")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--role", action="append", help="only these roles")
    return parser.parse_args()


def _try(store: str, url: str, folder: Path, examples: int, seed_number: int, roles: list[str] | None) -> bool:
    app = create_app(settings_for(url))
    seeded = seed(app)
    common = f"[generation]\nmax-examples = {examples}\n\n"
    common += (HERE / "schemathesis.toml").read_text(encoding="utf-8") + _operations(seeded)
    failed = False
    with _server(url, folder / LOG) as address:
        for role in roles or seeded.secrets:
            config = folder / f"{role}.toml"
            config.write_text(
                _phases(store, Role(role), examples) + common + _closed(app, Role(role), examples), "utf-8"
            )
            failed |= _as_role(store, role, address, config, seeded.secrets[role], seed_number)
    if failed:
        print(*_errors(folder / LOG), sep="\n", flush=True)
    with app.app_context():
        now = clock.now()
        sequencer.run(now=now)
        broken = [f"{found.invariant.name} {found.breaches[:3]}" for found in findings(now=now) if not found.holds]
        db.session.remove()
        db.engine.dispose()
    print(f"{store}: invariants {'broken: ' + ', '.join(broken) if broken else 'hold'}", flush=True)
    return failed or bool(broken)


def _errors(log: Path) -> list[str]:
    """What the server itself said of the requests that it could not answer."""
    return [line for line in log.read_text(encoding="utf-8").splitlines() if '"level": "error"' in line][-20:]


def _operations(seeded: Seeded) -> str:
    """Addresses with the same parameters in one block: the tool goes through all blocks for every request."""
    alike: dict[str, list[str]] = {}
    for path, parameters in seeded.parameters.items():
        values = "".join(f'"{name}" = "{value}"\n' for name, value in parameters.items())
        alike.setdefault(values, []).append(path)
    return "".join(
        f"\n[[operations]]\ninclude-path = {json.dumps(paths)}\n[operations.parameters]\n{values}"
        for values, paths in alike.items()
    )


def _phases(store: str, role: Role, examples: int) -> str:
    covered = examples >= SIZED or role in COVERED[store]
    return "" if covered else "[phases.coverage]\nenabled = false\n\n"


def _closed(app: Flask, role: Role, examples: int) -> str:
    """Less for what the role may not do."""
    few = "phases.coverage.enabled = false\ngeneration.max-examples = 1"
    less = f"generation.max-examples = {SIZED}" if examples >= SIZED else few
    names = [
        f"{method} {described_path(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.rule.startswith("/v1") and role not in POLICY[rule.endpoint] and rule.endpoint not in APPROVALS
    ]
    return f"\n[[operations]]\ninclude-name = {json.dumps(names)}\n{less}\n" if names else ""


def _as_role(store: str, role: str, address: str, config: Path, secret: str, seed_number: int) -> bool:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{address}/openapi.json"),
        *("-H", f"Authorization: Bearer {secret}", "--phases", PHASES, "--mode", "all", "--checks", "all"),
        *("--seed", str(seed_number), "--workers", "1"),
        *("--continue-on-failure", "--generation-database", "none", "--no-color"),
    ]
    ended = _asked(command, config.parent)
    if ended.returncode != 0 and not re.search(r"❌ ST\d+", ended.stdout) and "SystemError" in ended.stdout:
        # The interpreter gave up inside the tool, which says nothing about us: it is asked once more.
        ended = _asked(command, config.parent)
    cases = re.search(r"(\d+) generated", ended.stdout)
    kinds = re.findall(r"❌ (ST\d+ .+)", ended.stdout)
    result = "; ".join(kinds) or ("ok" if ended.returncode == 0 else f"exit {ended.returncode}")
    print(f"{store:<11}{role:<15}{cases[1] if cases else '?':>7} cases  {result}  (seed {seed_number})", flush=True)
    if ended.returncode != 0:
        print(ended.stdout[-20_000:] + ended.stderr[-4_000:], flush=True)
    return ended.returncode != 0


def _asked(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


@contextmanager
def _database(store: str, folder: Path) -> Iterator[str]:
    if store == "sqlite":
        yield f"sqlite:///{folder / 'chambers.db'}"
        return
    with postgres.server() as server:
        yield postgres.create_database(server, "contract")


@contextmanager
def _server(url: str, log: Path) -> Iterator[str]:
    """gunicorn on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "CHAMBERS_DATABASE_URL": url,
        "CHAMBERS_SECRET_KEYS": TEST_KEY,
        "CHAMBERS_SQLITE_SYNCHRONOUS": "NORMAL",
        "CHAMBERS_REQUESTS_PER_MINUTE": "1000000",
        "CHAMBERS_STRANGERS_PER_MINUTE": "1000000",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:api.serving", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2"]
    with log.open("wb") as said, subprocess.Popen(command, env=environment, stderr=said) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The server did not start.")


if __name__ == "__main__":
    main()
