"""A notice is promised with its change, sent at least once, and never lost: else a person gives it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from firm import faults
from firm.db import reading, transaction
from firm.jobs.kinds import TryAgain
from firm.notices import operations, queries
from firm.notices.model import Notice
from firm.notices.operations import LEASE, SENT_NOT_MARKED, NoticeIsDone
from firm.notices.post import NotNow, Post
from firm.notices.template import Template
from tests import lovelace
from tests.lovelace import AFTER, LEAD
from tests.mailbox import Mailbox, open_mailbox

NEWS = Template("news", "{firm}: news for {name}", "Dear {name},\n\nthere is news.\n")
FIGURES = {"firm": "Lovelace", "name": "Grace"}
SENDER = "Lovelace Maintainers <office@lovelace.example>"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open_mailbox(port) as found:
        yield found


def promise(*, to: str = "grace@lovelace.example", key: str = "news/1", figures: dict[str, str] = FIGURES) -> str:
    with transaction() as session:
        return operations.promise(session, NEWS, figures, to=to, key=key, by=LEAD, now=AFTER)


def send(notice_id: str, post: Post | None, *, last_try: bool = False, now: Any = AFTER) -> None:
    operations.send(notice_id, post=post, last_try=last_try, by=LEAD, now=now)


def found(notice_id: str) -> Notice:
    with reading() as session:
        return queries.find(session, notice_id)


def jobs() -> list[str]:
    with reading() as session:
        return list(session.scalars(text("SELECT key FROM job WHERE kind = 'notices.send' ORDER BY id")))


def test_a_notice_is_sent_and_marked(app: Flask, mailbox: Mailbox) -> None:
    lovelace.establish()
    notice_id = promise()
    send(notice_id, Post(mailbox.url, SENDER))
    [message] = mailbox.taken
    assert (message["To"], message["From"]) == ("grace@lovelace.example", SENDER)
    assert message["Subject"] == "Lovelace: news for Grace"
    assert message.get_content().replace("\r\n", "\n") == "Dear Grace,\n\nthere is news.\n"
    assert (found(notice_id).state, found(notice_id).attempts) == ("sent", 1)
    send(notice_id, Post(mailbox.url, SENDER))
    assert len(mailbox.taken) == 1
    lovelace.assert_books_hold()


def test_the_same_thing_is_promised_once_with_one_job(app: Flask) -> None:
    lovelace.establish()
    one = promise()
    assert promise() == one
    assert promise(key="news/2") != one
    assert len(jobs()) == 2


def test_a_change_that_is_undone_promises_nothing(app: Flask) -> None:
    lovelace.establish()
    with pytest.raises(KeyboardInterrupt):
        promise_and_die()
    assert jobs() == []


def promise_and_die() -> None:
    with transaction() as session:
        operations.promise(session, NEWS, FIGURES, to="grace@lovelace.example", key="k", by=LEAD, now=AFTER)
        raise KeyboardInterrupt


class Killed(BaseException):
    """The process is gone."""


def test_a_process_that_dies_after_sending_sends_again_under_the_same_id(app: Flask, mailbox: Mailbox) -> None:
    lovelace.establish()
    notice_id, post = promise(), Post(mailbox.url, SENDER)

    def die(name: str) -> None:
        if name == SENT_NOT_MARKED:
            raise Killed

    faults.listen(die)
    try:
        with pytest.raises(Killed):
            send(notice_id, post)
    finally:
        faults.listen(None)
    assert found(notice_id).state == "queued"
    with pytest.raises(TryAgain):
        send(notice_id, post, now=AFTER + LEASE - timedelta(seconds=1))
    send(notice_id, post, now=AFTER + LEASE)
    assert found(notice_id).state == "sent"
    first, second = mailbox.taken
    assert first["Message-ID"] == second["Message-ID"] == f"<{notice_id}@lovelace.example>"
    assert first.as_bytes() == second.as_bytes()


def test_a_server_that_asks_to_come_later_is_asked_later(app: Flask, mailbox: Mailbox) -> None:
    lovelace.establish()
    mailbox.answers = ["451 later"]
    notice_id, post = promise(), Post(mailbox.url, SENDER)
    with pytest.raises(TryAgain, match="451 later"):
        send(notice_id, post)
    assert (found(notice_id).state, found(notice_id).detail) == ("queued", "451 later")
    send(notice_id, post)
    assert (found(notice_id).state, len(mailbox.taken)) == ("sent", 1)


def test_what_is_refused_for_good_waits_for_a_person(app: Flask, mailbox: Mailbox) -> None:
    lovelace.establish()
    mailbox.refuses = {"grace@lovelace.example": "550 nobody of that name"}
    notice_id = promise()
    send(notice_id, Post(mailbox.url, SENDER))
    assert (found(notice_id).state, found(notice_id).detail) == ("failed", "550 nobody of that name")
    given = operations.give_by_hand(notice_id, how="called her", by=LEAD, now=AFTER)
    assert (given.state, given.given_by, given.detail) == ("by-hand", "lead", "called her")
    with pytest.raises(NoticeIsDone, match="by-hand already"):
        operations.give_by_hand(notice_id, how="again", by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_after_the_last_try_a_person_is_asked(app: Flask) -> None:
    lovelace.establish()
    notice_id = promise()
    send(notice_id, Post("smtp://127.0.0.1:9", SENDER), last_try=True)
    assert found(notice_id).state == "failed"


def test_without_a_mail_server_a_notice_waits_and_is_sent_once_there_is_one(app: Flask, mailbox: Mailbox) -> None:
    lovelace.establish()
    notice_id = promise()
    send(notice_id, None)
    assert found(notice_id).state == "queued"
    later, hour = AFTER + timedelta(hours=2), timedelta(hours=1)
    assert operations.sweep(post=None, older_than=hour, by=LEAD, now=later) == 0
    post = Post(mailbox.url, SENDER)
    assert operations.sweep(post=post, older_than=hour, by=LEAD, now=later) == 1
    assert operations.sweep(post=post, older_than=hour, by=LEAD, now=later) == 1
    assert len(jobs()) == 2
    send(notice_id, post, now=later)
    assert operations.sweep(post=post, older_than=hour, by=LEAD, now=later) == 0


@pytest.mark.parametrize(
    "name", ["Grace\r\nBcc: mallory@evil.example", "Grace\nSubject: x\n\nbody", "Gr\x00ace", "G\u2028race", "Ümläut ☃"]
)
def test_no_name_adds_a_header(app: Flask, mailbox: Mailbox, name: str) -> None:
    lovelace.establish()
    send(promise(figures={"firm": name, "name": name}), Post(mailbox.url, SENDER))
    [message] = mailbox.taken
    assert set(message) <= {
        *("Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version", "X-Peer", "X-MailFrom", "X-RcptTo"),
    }
    assert mailbox.recipients == [["grace@lovelace.example"]]


@pytest.mark.parametrize("to", ["grace@x.example, mallory@evil.example", "grace", "", "a@b\r\nBcc: c@d", "<a@b> c"])
def test_what_is_no_address_is_told_nobody_by_mail(app: Flask, mailbox: Mailbox, to: str) -> None:
    lovelace.establish()
    notice_id = promise(to=to)
    send(notice_id, Post(mailbox.url, SENDER))
    assert (mailbox.taken, found(notice_id).state) == ([], "failed")


def test_nothing_is_said_in_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> None:
    """The server offers no TLS: a name that is not this machine's gets neither the password nor the message."""
    monkeypatch.setattr("firm.notices.post._LOOPBACK", ())
    post = Post(mailbox.url.replace("smtp://", "smtp://office:secret@"), SENDER)
    with pytest.raises(NotNow, match="no TLS"):
        post.send("ntc_1", "grace@lovelace.example", "s", "t", at=AFTER)
    assert mailbox.taken == []


def test_a_password_is_shown_nowhere() -> None:
    post = Post("smtps://office:hunter2@127.0.0.1:9", SENDER)
    assert "hunter2" not in repr(post)
    with pytest.raises(NotNow) as caught:
        post.send("ntc_1", "grace@lovelace.example", "s", "t", at=AFTER)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_lets_nobody_log_in_is_no_fault_of_the_message(mailbox: Mailbox) -> None:
    post = Post(mailbox.url.replace("smtp://", "smtp://office:secret@"), SENDER)
    with pytest.raises(NotNow):
        post.send("ntc_1", "grace@lovelace.example", "s", "t", at=AFTER)
