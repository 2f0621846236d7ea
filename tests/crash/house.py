"""What all schedules of a process share: the tests' Stripe, the application on its books, the counts of the points."""

from __future__ import annotations

import copy
import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import stripe
from flask import Flask

from api.app import create_app
from api.parts import parts
from firm.db import db
from firm.settings import Settings
from migrations import run as migrations
from tests.crash import desk, firm, points
from tests.crash.books import Books
from tests.crash.firm import Owed
from tests.crash.plans import PATIENCE_SECONDS
from tests.databases import TEST_KEY
from tests.lovelace import AFTER
from tests.mailbox import Mailbox
from tests.stripe import balances
from tests.stripe.server import Server

MONEY = 100_000_000
"""What the firm has at the provider, in cents: more than enough."""
LITTLE = 150_000
"""What it has when it is short of funds: enough for one or two."""

FIRMS = tuple((payees, banked) for payees in range(1, 6) for banked in (False, True) if payees > 1 or not banked)
"""How many payees there are, and whether one of them is paid by bank file."""


class House:
    """Set up once; each schedule begins with `begin`. `mutant` is planted in every life while it is set."""

    mutant: Callable[[], None] | None = None

    def __init__(self, server: Server, books: Books, mailbox: Mailbox, folder: Path) -> None:
        self.server = server
        self.mailbox = mailbox
        self.points = points.to_hit()
        names = points.registered()
        self.reached, self.died = points.Tally(names), points.Tally(names)
        self._books = books
        self._accounts: dict[tuple[int, bool], dict[str, Any]] = {}
        self._owed: dict[tuple[int, bool], list[Owed]] = {}
        self.app = self._application(folder)
        self._found()
        self._warm_up()

    def begin(self, payees: int, *, banked: bool, short_of_funds: bool) -> list[Owed]:
        """The books as they were founded, a new world at the provider, and what the books owe."""
        with self.at_the_books():
            self._books.put_back(_name(payees, banked))
        self.mailbox.taken.clear()
        world = self.server.reset()
        world.clock.set(AFTER)
        for account in copy.deepcopy(list(self._accounts[payees, banked].values())):
            world.state.add("account", account)
        balances.top_up(world.state, LITTLE if short_of_funds else MONEY, "eur")
        self.server.webhooks.fresh()  # the firm knows of its own money
        return self._owed[payees, banked]

    def hurry(self) -> None:
        """In a life, a provider on this machine answers at once or not at all."""
        self._way_out._transport._timeout = (PATIENCE_SECONDS, PATIENCE_SECONDS)
        stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = 0.001

    @contextmanager
    def at_the_books(self) -> Iterator[None]:
        """A look of the parent's own, which leaves no connection behind for the next life to inherit."""
        with ExitStack() as stack:
            stack.enter_context(self.app.app_context())
            stack.callback(db.engine.dispose)
            stack.callback(db.session.remove)
            stack.callback(self._way_out.close)
            yield

    def _application(self, folder: Path) -> Flask:
        settings = Settings(
            database_url=self._books.url,
            secret_keys=TEST_KEY,  # type: ignore[arg-type]
            sqlite_synchronous="NORMAL",
            requests_per_minute=100_000,
            strangers_per_minute=100_000,
            audit_anchors=folder / "anchors",
            smtp_url=self.mailbox.url,  # type: ignore[arg-type]
            mail_from="office@lovelace.example",
            STRIPE_API_KEY=self.server.api_key,  # type: ignore[call-arg]
            STRIPE_API_BASE=self.server.url,
            STRIPE_CALLS_A_SECOND=10_000,
            STRIPE_WEBHOOK_SECRETS=self.server.secrets.platform[0],
            STRIPE_CONNECT_WEBHOOK_SECRETS=self.server.secrets.connect[0],
        )
        app = create_app(settings)
        way_out = parts(app).stripe
        if way_out is None:
            raise RuntimeError("The settings name no key to Stripe.")
        self._way_out = way_out
        return app

    def _found(self) -> None:
        """Found the firm once, and keep it with each choice of payees."""
        with self.at_the_books():
            migrations.upgrade(db.engine)
            firm.found()
            desk.do_chores(self.app, AFTER)
            self._books.keep("founded")
        for payees, banked in FIRMS:
            with self.at_the_books():
                self._books.put_back("founded")
                world = self.server.reset()
                world.clock.set(AFTER)
                self._owed[payees, banked] = firm.direct(world.state, payees, banked=banked)
                self._accounts[payees, banked] = copy.deepcopy(world.state.objects["account"])
                desk.do_chores(self.app, AFTER)
                if banked:
                    firm.write()
                self._books.keep(_name(payees, banked))

    def _warm_up(self) -> None:
        """Live a life in this process: what was translated and imported once, every fork of it has."""
        logging.getLogger("chambers").setLevel(logging.ERROR)  # what the product logs below that is no news
        self.begin(3, banked=True, short_of_funds=False)
        with self.at_the_books():
            desk.set_clock(AFTER)
            desk.work(self.app, by_worker=True)
            desk.take_in(self.app, self.server.webhooks.fresh(), lambda _: None)
            desk.work(self.app, by_worker=False)
        gc.collect()
        gc.freeze()


def _name(payees: int, banked: bool) -> str:
    return f"{payees}-{'banked' if banked else 'direct'}"
