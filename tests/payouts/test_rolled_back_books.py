"""Books rolled back as a file know nothing of it: what they take for unsent may be paid, and is not paid again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from api.parts import parts
from firm.db import db
from payouts.runs import approvals, preparation, sending
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank
from tests.payouts.conftest import Opens
from tests.payouts.over_stripe import OverStripe
from tests.payouts.over_stripe import paying as paying_over_stripe
from tests.payouts.test_rails_that_settle import AT_ONCE
from tests.stripe.server import Server


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is done inside is done by books that are lost afterwards, as by a snapshot of the machine."""
    books = Path(str(db.engine.url.database))
    _let_go()
    shutil.copy(books, books.with_suffix(".snapshot"))
    yield
    _let_go()
    for beside in ("-wal", "-shm"):
        Path(f"{books}{beside}").unlink(missing_ok=True)
    shutil.copy(books.with_suffix(".snapshot"), books)


def _let_go() -> None:
    db.session.remove()
    db.engine.dispose()


@pytest.mark.parametrize("known", ["draft", "approved"])
@pytest.mark.parametrize("hours", [1, 26, 24 * 40])
def test_a_run_that_lost_books_have_paid_is_not_paid_again(
    known: str, hours: int, sqlite_at: Opens, stripe_server: Server
) -> None:
    """Also after Stripe has forgotten the keys, and where the snapshot was older than the approval."""
    with sqlite_at("closed"), paying_over_stripe(stripe_server) as firm:
        firm.run = preparation.draft(rails={"stripe": firm.rail}, by=ADMINISTRATOR, now=AFTER).run.number
        if known == "approved":
            approve(firm, AFTER)
        with rolled_back():
            if known == "draft":
                approve(firm, AFTER)
            send(firm, AFTER)
        now = AFTER + timedelta(hours=hours)
        if known == "draft":
            approve(firm, now)
        send(firm, now)
        assert set(firm.states().values()) == {"settled"}
        assert len(stripe_server.state.of("transfer")) == 2
        lovelace.assert_books_hold()


def test_only_what_was_drafted_long_ago_is_looked_up_before_it_is_first_sent(closed_october: Flask) -> None:
    bank = Bank(about=AT_ONCE)
    number = paying.approved(bank)
    bank.funds = 4_300_00
    paying.send(number, bank, now=AFTER + timedelta(hours=9))
    assert bank.looked_up == []
    bank.funds = None
    paying.send(number, bank, now=AFTER + timedelta(hours=11))
    assert len(bank.looked_up) >= 1
    assert bank.amounts() == ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
    assert set(paying.states(number).values()) == {"settled"}
    lovelace.assert_books_hold()


def approve(firm: OverStripe, now: datetime) -> None:
    approvals.propose(firm.run, by=ADMINISTRATOR, now=now)
    approvals.approve(firm.run, by=LEAD, now=now)


def send(firm: OverStripe, now: datetime) -> None:
    firm.server.clock.set(now)
    sending.send(firm.run, rails={"stripe": firm.rail}, keys=parts().keys, by=ADMINISTRATOR, now=now)
