"""Allowances: counted for all workers together, given back with each window, and exact to the last request."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from firm.access import limits, tokens
from firm.access.limits import Limit, Shares, TooMany
from firm.actor import Role
from firm.db import reading
from tests.lovelace import AFTER, BEFORE, LEAD

MINUTE = timedelta(minutes=1)


def test_workers_together_stay_within_the_limit(app: Flask) -> None:
    limit = Limit("requests", 100, MINUTE)
    workers = [Shares(limit, share=7) for _ in range(4)]
    granted = []

    def work(worker: Shares) -> None:
        with app.app_context():
            for _ in range(200):
                try:
                    worker.spend("bot", now=AFTER)
                    granted.append(1)
                except TooMany:
                    pass

    threads = [threading.Thread(target=work, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 100


def test_a_window_begins_anew(app: Flask) -> None:
    worker = Shares(Limit("requests", 3, MINUTE), share=2)
    for left in (2, 1, 0):
        assert worker.spend("bot", now=AFTER).left == left
    for _ in range(3):
        with pytest.raises(TooMany, match="more than 3"):
            worker.spend("bot", now=AFTER)
    standing = worker.spend("bot", now=AFTER + MINUTE)
    assert (standing.left, standing.seconds <= 60) == (2, True)
    assert worker.spend("other", now=AFTER).left == 2


def test_a_share_is_one_small_write_for_many_requests(app: Flask) -> None:
    worker = Shares(Limit("requests", 1000, MINUTE), share=50)
    issued = tokens.issue_token(name="bot", role=Role.AUDITOR, by=LEAD, now=BEFORE)
    for _ in range(50):
        worker.spend("bot", now=AFTER, token_id=issued.token.id)
    with reading() as session:
        assert session.scalar(text("SELECT used FROM allowance")) == 50
        [(_, _, used_at)] = tokens.page(session)
    assert used_at == AFTER


def test_an_allowance_is_spent_at_once_for_all(app: Flask) -> None:
    limit = Limit("codes", 2, MINUTE)
    limits.spend(limit, "ada", now=AFTER)
    limits.spend(limit, "ada", now=AFTER)
    limits.spend(limit, "grace", now=AFTER)
    with pytest.raises(TooMany):
        limits.spend(limit, "ada", now=AFTER)


def test_what_waited_from_the_window_before_does_not_begin_the_present_one_anew(app: Flask) -> None:
    limit = Limit("codes", 2, MINUTE)
    for moment in (AFTER + MINUTE, AFTER):
        limits.spend(limit, "ada", now=moment)
    for moment in (AFTER, AFTER + MINUTE):
        with pytest.raises(TooMany):
            limits.spend(limit, "ada", now=moment)


def test_a_clock_that_is_set_back_does_not_shut_the_door(app: Flask) -> None:
    limit = Limit("codes", 1, MINUTE)
    limits.spend(limit, "ada", now=AFTER + timedelta(hours=1))
    limits.spend(limit, "ada", now=AFTER)
