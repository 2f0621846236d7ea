"""Deliveries: trying one, replaying one, and the log of tries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import AnyRow, claim, reading, transaction, use_case
from firm.errors import NotFound, Refused
from firm.jobs.kinds import TryAgain
from firm.listing import WHOLE, Slice, where_given
from firm.secrets import SecretKeys
from firm.webhooks import endpoints
from firm.webhooks.dispatch import set_going
from firm.webhooks.model import WebhookDelivery, WebhookEndpoint, WebhookEvent, webhook_attempt
from firm.webhooks.rules import headers
from firm.webhooks.sender import Answer, Sender

KEPT = timedelta(days=90)


class DeliveryNotFound(NotFound):
    """No delivery has this id."""


class EndpointNotEnabled(Refused):
    """A replay goes to an endpoint that takes messages."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is sent, and where to."""

    url: str
    event_id: str
    body: str
    secrets: Sequence[str]


def deliver(delivery_id: str, *, last_try: bool, sender: Sender, keys: SecretKeys, by: Actor, now: datetime) -> None:
    """Try a delivery once and log it. Raises `TryAgain` when it was not taken; after the last try the endpoint is
    disabled. Does nothing when it was delivered already, and gives it up when the endpoint is not enabled.
    """
    letter = _prepare(delivery_id, keys, now)
    if letter is None:
        _give_up(delivery_id, now=now)
        return
    signed = headers(letter.event_id, letter.body, letter.secrets, now=now)
    answer = sender.post(letter.url, letter.body, signed)
    _log(delivery_id, answer, last_try=last_try, by=by, now=now)
    if not answer.is_taken and not answer.is_gone:
        raise TryAgain(f"The delivery {delivery_id} was not taken; the log of deliveries says more.")


@use_case
def replay(delivery_id: str, *, by: Actor, now: datetime) -> WebhookDelivery:
    """Send a delivery again at once, under the same message id, whatever became of it.

    Raises `DeliveryNotFound`, `EndpointNotEnabled`.
    """
    with transaction() as session:
        delivery = find(session, delivery_id, locked=True)
        endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
        if endpoint.state != "enabled":
            raise EndpointNotEnabled(f"The endpoint is {endpoint.state}; a replay goes to an enabled one.")
        before = digest(delivery)
        delivery.state, delivery.round, delivery.finished_at = "waiting", delivery.round + 1, None
        session.flush()
        set_going(session, delivery, by=by, now=now)
        audit.record(
            session, "webhook-delivery.replayed", delivery.id, {}, before=before, after=delivery, by=by, now=now
        )
        return delivery


@use_case
def forget(*, now: datetime) -> None:
    """Delete deliveries that ended long ago with their tries, and the events that nobody is told of any more."""
    with transaction() as session:
        old = select(WebhookDelivery.id).where(WebhookDelivery.finished_at < now - KEPT)
        session.execute(delete(webhook_attempt).where(webhook_attempt.c.delivery_id.in_(old)))
        session.execute(delete(WebhookDelivery).where(WebhookDelivery.finished_at < now - KEPT))
        told = select(WebhookDelivery.event_id)
        old_event = WebhookEvent.happened_at < now - KEPT
        session.execute(delete(WebhookEvent).where(old_event, WebhookEvent.id.not_in(told)))


def find(session: Session, delivery_id: str, *, locked: bool = False) -> WebhookDelivery:
    """Raises `DeliveryNotFound`."""
    query = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
    delivery = session.scalars(query.with_for_update() if locked else query).one_or_none()
    if delivery is None:
        raise DeliveryNotFound(f"There is no webhook delivery {delivery_id!r}.")
    return delivery


def page(
    session: Session, part: Slice = WHOLE, *, endpoint: str | None = None, state: str | None = None
) -> Sequence[AnyRow]:
    """Deliveries with their events, in the order of their ids; to one endpoint, in one state, or all."""
    query = select(WebhookDelivery, WebhookEvent).join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
    query = where_given(query, (WebhookDelivery.endpoint_id, endpoint), (WebhookDelivery.state, state))
    return session.execute(part.of(query, WebhookDelivery.id)).all()


def with_event(session: Session, delivery_id: str) -> AnyRow:
    """A delivery and its event. Raises `DeliveryNotFound`."""
    find(session, delivery_id)
    query = select(WebhookDelivery, WebhookEvent).join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
    return session.execute(query.where(WebhookDelivery.id == delivery_id)).one()


def attempts(session: Session, delivery_ids: Sequence[str]) -> Sequence[AnyRow]:
    """The tries of these deliveries, in their order."""
    columns = webhook_attempt.c
    query = select(webhook_attempt).where(columns.delivery_id.in_(delivery_ids))
    return session.execute(query.order_by(columns.delivery_id, columns.number)).all()


def _prepare(delivery_id: str, keys: SecretKeys, now: datetime) -> _Letter | None:
    with reading() as session:
        delivery = find(session, delivery_id)
        endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
        event = session.get_one(WebhookEvent, delivery.event_id)
        if endpoint.state != "enabled" or delivery.state != "waiting":
            return None
        return _Letter(endpoint.url, event.id, event.body, endpoints.secrets_of(endpoint, keys, now=now))


@use_case
def _give_up(delivery_id: str, *, now: datetime) -> None:
    with transaction() as session:
        _end(session, delivery_id, "canceled", now)


@use_case
def _log(delivery_id: str, answer: Answer, *, last_try: bool, by: Actor, now: datetime) -> None:
    with transaction() as session:
        delivery = find(session, delivery_id, locked=True)
        ours = webhook_attempt.c.delivery_id == delivery_id
        number = (session.scalar(select(func.max(webhook_attempt.c.number)).where(ours)) or 0) + 1
        values = {"delivery_id": delivery_id, "number": number, "at": now}
        tried = {"status": answer.status, "duration_ms": answer.duration_ms, "answer": answer.text}
        session.execute(insert(webhook_attempt).values(**values, **tried))
        if answer.is_taken:
            _end(session, delivery_id, "delivered", now)
        elif last_try or answer.is_gone:
            _end(session, delivery_id, "failed", now)
            reason = "It said that it is gone (410)." if answer.is_gone else "A message was not taken for three days."
            endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
            endpoints.turn_off(session, endpoint, reason, by=by, now=now)


def _end(session: Session, delivery_id: str, state: str, now: datetime) -> None:
    waiting = update(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.state == "waiting")
    claim(session, waiting.values(state=state, finished_at=now))
