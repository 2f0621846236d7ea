"""Promising notices, sending them, and noting that a person gave one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, leaving_the_house, reading, transaction, use_case
from firm.errors import Refused
from firm.jobs import operations as jobs
from firm.jobs.kinds import TryAgain
from firm.notices import queries
from firm.notices.model import Notice
from firm.notices.post import NotNow, Post, RefusedForGood
from firm.notices.template import Template, one_line
from firm.particulars import checked_words

SEND = "notices.send"
SWEEP = "notices.sweep"
LEASE = timedelta(minutes=5)
"""For how long a sender has a notice to itself; longer than a mail server may take to answer."""
SENT_NOT_MARKED = faults.point("notice.sent_not_marked", "the mail server has taken a notice, and no row says so yet")


class NoticeIsDone(Refused):
    """The notice was sent, or given by somebody, already."""


def promise(
    session: Session, template: Template, figures: Mapping[str, str], *, to: str, key: str, by: Actor, now: datetime
) -> str:
    """Promise a notice in the caller's transaction and return its id; a key that is known returns that notice's."""
    known = session.scalar(select(Notice.id).where(Notice.key == key))
    if known is not None:
        return known
    subject, text = template.filled(figures)
    notice = Notice(
        id=ids.new("ntc"),
        key=key,
        to_address=one_line(to)[:200],
        template=template.name,
        figures=json.dumps(dict(figures), sort_keys=True, ensure_ascii=False),
        subject=subject,
        text=text,
        state="queued",
        created_at=now,
        created_by=by.name,
        attempts=0,
    )
    session.add(notice)
    facts = {"template": template.name, "key": key}
    audit.record(session, "notice.promised", notice.id, facts, after=notice, by=by, now=now)
    jobs.enqueue(session, SEND, {"notice_id": notice.id}, key=f"notice:{notice.id}", by=by, now=now)
    return notice.id


def send(notice_id: str, *, post: Post | None, last_try: bool, by: Actor, now: datetime) -> None:
    """Send a notice by e-mail, unless it is done or no mail server is set: then a person gives it.

    May be repeated, also after a crash: the notice may then arrive twice under one Message-ID, and never not at all.
    Raises `TryAgain` when the mail server cannot be reached, or another sender has the notice.
    """
    if post is None:
        return
    notice = _claimed(notice_id, now=now)
    if notice is None:
        return
    leaving_the_house()
    try:
        post.send(notice.id, notice.to_address, notice.subject, notice.text, at=notice.created_at)
    except RefusedForGood as error:
        _finish(notice_id, "failed", detail=str(error), by=by, now=now)
        return
    except NotNow as error:
        if last_try:
            _finish(notice_id, "failed", detail=str(error), by=by, now=now)
            return
        _let_go(notice_id, detail=str(error))
        raise TryAgain(f"The mail server did not take the notice: {error}") from error
    faults.reached(SENT_NOT_MARKED)
    _finish(notice_id, "sent", detail=None, by=by, now=now)


def sweep(*, post: Post | None, older_than: timedelta, by: Actor, now: datetime) -> int:
    """Promise anew the sending of what is still queued: after a restoration, or since a mail server is set."""
    return 0 if post is None else _sweep(older_than, by=by, now=now)


@use_case
def give_by_hand(key: str, *, how: str, by: Actor, now: datetime) -> Notice:
    """Note that a person told it by another way, such as a call. Raises `NoticeIsDone`, `InvalidParticulars`."""
    how = checked_words(how, "Say how it was given: the note stays on record.", field="how", most=500)
    with transaction() as session:
        notice = queries.find(session, key)
        before = digest(notice)
        waiting = update(Notice).where(Notice.id == key, Notice.state.in_(["queued", "failed"]))
        values = {"state": "by-hand", "finished_at": now, "given_by": by.name, "detail": how}
        given = claim(session, waiting.values(**values, leased_until=None))
        session.refresh(notice)
        if not given:
            raise NoticeIsDone(f"This notice is {notice.state} already.")
        facts = {"how": notice.detail}
        audit.record(session, "notice.given-by-hand", key, facts, before=before, after=notice, by=by, now=now)
        return notice


def _claimed(notice_id: str, *, now: datetime) -> Notice | None:
    """The notice, leased to us; None when it is done. Raises `TryAgain` while another sender has it."""
    with reading() as session:
        if queries.find(session, notice_id).state != "queued":
            return None
    return _claim(notice_id, now=now)


@use_case
def _claim(notice_id: str, *, now: datetime) -> Notice | None:
    with transaction() as session:
        free = (Notice.leased_until.is_(None)) | (Notice.leased_until <= now)
        mine = update(Notice).where(Notice.id == notice_id, Notice.state == "queued", free)
        taken = claim(session, mine.values(leased_until=now + LEASE, attempts=Notice.attempts + 1))
        notice = queries.find(session, notice_id)
        if taken:
            return notice
        if notice.state == "queued":
            raise TryAgain("Another sender has the notice, or died with it; it is taken up again when its lease ends.")
        return None


@use_case
def _let_go(notice_id: str, *, detail: str) -> None:
    with transaction() as session:
        waiting = update(Notice).where(Notice.id == notice_id, Notice.state == "queued")
        claim(session, waiting.values(leased_until=None, detail=detail[:500]))


@use_case
def _finish(notice_id: str, state: str, *, detail: str | None, by: Actor, now: datetime) -> None:
    with transaction() as session:
        notice = queries.find(session, notice_id)
        before = digest(notice)
        values = {"state": state, "finished_at": now, "detail": detail and detail[:500], "leased_until": None}
        waiting = update(Notice).where(Notice.id == notice_id, Notice.state == "queued")
        if not claim(session, waiting.values(**values)):
            return
        session.refresh(notice)
        verb = "notice.sent" if state == "sent" else "notice.failed"
        audit.record(session, verb, notice_id, {"detail": notice.detail}, before=before, after=notice, by=by, now=now)


@use_case
def _sweep(older_than: timedelta, *, by: Actor, now: datetime) -> int:
    with transaction() as session:
        waiting = queries.queued_ids(session, before=now - older_than)
        for notice_id in waiting:
            # A key of this hour: however often the sweep is repeated, a notice is promised once in it.
            key = f"notice:{notice_id}:{now:%Y-%m-%dT%H}"
            jobs.enqueue(session, SEND, {"notice_id": notice_id}, key=key, by=by, now=now)
        return len(waiting)
