"""The restore drill: a backup while others post, restored and verified."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from flask import Flask

from firm.backup.form import Header
from firm.db import db, reading
from firm.ledger import queries as ledger
from firm.listing import Slice
from migrations import run
from tests import lovelace
from tests.firm import books
from tests.firm.backup.restores import back_up, broken, number_of_entries, restore, with_books


def balances_after(entries: int) -> list[list[Any]]:
    """The trial balance as the journal had it after so many entries."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    with reading() as session:
        for entry in ledger.entries(session, Slice(limit=entries)):
            for line in entry.lines:
                sums[line.account, line.amount.currency] += line.amount.minor
    return sorted([account, currency, amount] for (account, currency), amount in sums.items())


class Writers:
    """People who post and register clients all the time, each change in a transaction of its own."""

    def __init__(self, app: Flask, number: int = 3) -> None:
        self._app, self._over = app, threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[worker]) for worker in range(number)]
        self.posted = 0

    def _write(self, worker: int) -> None:
        with self._app.app_context():
            number = 0
            while not self._over.is_set():
                number += 1
                books.post(books.sale(f"sale-{worker}-{number}", books.usd("12.34")))
                self.posted += 1

    def wait_for(self, number: int) -> None:
        wanted = self.posted + number
        while self.posted < wanted and any(thread.is_alive() for thread in self._threads):
            time.sleep(0.005)

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def test_a_backup_under_load_is_of_one_moment_and_comes_back_whole(
    ledger: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    """The restore drill. It prints how much was lost (RPO) and how long it took (RTO)."""
    path = tmp_path / "books.age"
    lovelace.establish()
    with Writers(ledger) as writers:
        writers.wait_for(150)
        first, begun = number_of_entries(), time.perf_counter()
        header = back_up(path)
        made = time.perf_counter()
        last = number_of_entries()
        writers.wait_for(100)
    lost = number_of_entries() - header.entries
    assert first <= header.entries <= last
    assert lost >= 100
    assert header.trial_balance == balances_after(header.entries)

    started = time.perf_counter()
    restore(path, elsewhere, identity)
    with_books(elsewhere, lambda: _assert_is(header))
    print(
        f"drill on {header.engine}: {header.entries} entries backed up in {made - begun:.2f} s under load, "
        f"{lost} posted since are lost, restored and verified in {time.perf_counter() - started:.2f} s"
    )


def _assert_is(header: Header) -> None:
    assert run.is_current(db.engine)
    assert balances_after(header.entries) == header.trial_balance
    with reading() as session:
        assert ledger.number_of_entries(session) == header.entries
        assert ledger.balances(session) == header.trial_balance
    assert broken() == []
    # Life goes on: numbers follow those that came along (PostgreSQL's are of the end of the dump, with a gap).
    [number] = books.post(books.sale("after the restore", books.usd("1.00")))
    assert number > header.entries
    assert broken() == []
