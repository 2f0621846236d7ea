"""Eight bugs that people have shipped, planted in a life: a harness that misses one of them proves nothing.

Each is a small wrapper around the product's own code, applied in the forked process and gone with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from firm import db
from firm.ledger import journal
from payouts.provider_events import applying, receiving
from payouts.rails.rail import Order, Outcome, Refused, Sent, Unknown
from payouts.rails.stripe import client
from payouts.rails.stripe.rail import StripeRail
from payouts.runs import attempts, sending, settling

Plant = Callable[[], None]


def random_key() -> None:
    """Each call makes its own key up."""
    _wrap_send(lambda send, rail, order: send(rail, replace(order, key=uuid.uuid4().hex)))


def paid_before_sent() -> None:
    """The books say paid, and then the provider is asked."""
    begin = sending.attempts.begin

    def begin_and_believe(payout_id: str, **given: Any) -> Any:
        under_way = begin(payout_id, **given)
        if under_way is not None and under_way.fresh:
            rail = StripeRail.describe(None)  # type: ignore[arg-type]
            attempts.store(under_way, Sent(f"tr_{under_way.order.key}"), rail=rail, by=given["by"], now=given["now"])
        return under_way

    sending.attempts.begin = begin_and_believe  # type: ignore[assignment]


def no_lease_expiry() -> None:
    """What a dead sender had under way is its own for ever."""
    attempts.LEASE = timedelta(days=36_500)


def call_inside_a_transaction() -> None:
    """Intent, call and outcome are one commit, and nobody minds."""
    sending.leaving_the_house = client.leaving_the_house = lambda: None
    send_one = sending._send_one

    def send_in_one_commit(*given: Any, **named: Any) -> Any:
        with db.transaction() as session, _joined(session):
            return send_one(*given, **named)

    sending._send_one = send_in_one_commit


def webhook_not_deduplicated() -> None:
    """An event is stored, and what it tells is booked, as often as it is told."""
    insert_new, fetch = receiving.rows.insert_new, applying.transfers.fetch

    def insert_as_told(session: Any, table: Any, row: Any, key: Any) -> bool:
        told = {"event_id": f"{row['event_id']}-{uuid.uuid4().hex[:8]}"} if "event_id" in key else {}
        return insert_new(session, table, {**row, **told}, key)

    def fetch_and_book(transfer_id: str, *, source: Any, by: Any, now: Any) -> Any:
        outcome = fetch(transfer_id, source=source, by=by, now=now)
        found = source.log.transfer(transfer_id)
        for one in source.log.reversals(transfer_id) if found.reversed else ():
            again = f"{one.id}-{uuid.uuid4().hex[:8]}"
            settling.reverse(found.payout_id, reference=again, amount=one.amount, by=by, now=now)
        return outcome

    receiving.rows.insert_new = insert_as_told
    applying.transfers.fetch = fetch_and_book  # type: ignore[assignment]


def journal_twice() -> None:
    """What is booked is booked again, under another name."""
    post = journal.post

    def post_twice(session: Any, entry: Any, **given: Any) -> Any:
        if entry.source.startswith("payout-settled:"):
            post(session, replace(entry, source=f"{entry.source}:again"), **given)
        return post(session, entry, **given)

    journal.post = post_twice


def retry_on_400() -> None:
    """A refusal is taken for bad luck: once more, under another key."""

    def again(send: Any, rail: Any, order: Order) -> Outcome:
        outcome = send(rail, order)
        if isinstance(outcome, Refused):
            return send(rail, replace(order, key=f"{order.key}-again"))
        return outcome

    _wrap_send(again)


def swallowed_500() -> None:
    """No clear answer is taken for a no."""

    def swallow(send: Any, rail: Any, order: Order) -> Outcome:
        outcome = send(rail, order)
        return Refused("It did not work.") if isinstance(outcome, Unknown) else outcome

    _wrap_send(swallow)


MUTANTS: dict[str, Plant] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        *(random_key, paid_before_sent, no_lease_expiry, call_inside_a_transaction),
        *(webhook_not_deduplicated, journal_twice, retry_on_400, swallowed_500),
    )
}


def _wrap_send(wrapper: Callable[[Any, Any, Order], Outcome]) -> None:
    send = StripeRail.send

    def wrapped(self: StripeRail, order: Order) -> Outcome:
        return wrapper(send, self, order)

    StripeRail.send = wrapped  # type: ignore[method-assign]


@contextmanager
def _joined(session: Any) -> Iterator[None]:
    """Lets what is called meanwhile take part in a transaction that is open, which the house forbids."""

    @contextmanager
    def join(*, read_only: bool = False) -> Iterator[Any]:
        yield session
        session.flush()

    before = db._unit_of_work
    db._unit_of_work = join
    try:
        yield
    finally:
        db._unit_of_work = before
