"""Remittance advices: one for each payment, frozen, and what they say is in the books."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from api.jobs import KINDS
from firm.db import AnyRow, reading
from firm.documents import papers
from firm.errors import NotFound
from firm.jobs import operations as jobs
from firm.jobs.model import Job
from payouts.remittance import operations, queries
from payouts.remittance.operations import NotSent
from payouts.runs import sending
from payouts.runs.attempts import ADVISE
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER
from tests.payouts import paying
from tests.payouts.bank import Bank


def issue(payout_id: str) -> AnyRow:
    return operations.issue(payout_id, by=ADMINISTRATOR, now=AFTER)


def sent_run(bank: Bank | None = None) -> str:
    bank = bank or Bank()
    number = paying.approved(bank)
    paying.send(number, bank)
    return number


def said(row: AnyRow) -> dict[str, Any]:
    return dict(queries.figures(row))


def test_an_advice_says_what_its_payment_paid(closed_october: Flask) -> None:
    grace = paying.payout_to(sent_run(), "Grace")
    row = issue(grace.id)
    figures = said(row)
    assert row.number == figures["number"] == "RA-2026-0001"
    assert [(line["month"], line["kind"], line["amount"]["amount"]) for line in figures["lines"]] == [
        ("2026-10", "earnings", "4300.00")
    ]
    assert figures["total"] == {"amount": "4300.00", "currency": "USD"}
    assert figures["remaining"]["amount"] == "0.00"
    assert (figures["payee"], figures["run"], figures["rail"]) == ("Grace", "RUN-2026-0001", "manual")
    assert figures["sent_on"] == "2026-11-01"
    assert papers.pdf(figures) == papers.pdf(said(issue(grace.id)))
    lovelace.assert_books_hold()


def test_it_is_issued_once_however_often_it_is_asked_for(closed_october: Flask) -> None:
    grace = paying.payout_to(sent_run(), "Grace")
    first = issue(grace.id)
    paying.settle(grace.id, reference="another reference")
    assert issue(grace.id) == first
    assert operations.issue_waiting("RUN-2026-0001", by=ADMINISTRATOR, now=AFTER) == 1
    assert operations.issue_waiting(by=ADMINISTRATOR, now=AFTER) == 0
    with reading() as session:
        assert [row.number for row in queries.page(session)] == ["RA-2026-0001", "RA-2026-0002"]


def test_two_who_ask_at_the_same_moment_get_the_same_one(closed_october: Flask) -> None:
    grace = paying.payout_to(sent_run(), "Grace")
    rows = together(closed_october, *[lambda: issue(grace.id)] * 4)
    assert {row.number for row in rows} == {"RA-2026-0001"}
    lovelace.assert_books_hold()


def test_what_was_not_sent_has_none(closed_october: Flask) -> None:
    bank = Bank(refuses={"Grace": "The account is closed."})
    number = paying.approved(bank)
    with pytest.raises(NotSent, match="The payout to Grace is reserved; an advice is issued once it is sent"):
        issue(paying.payout_to(number, "Grace").id)
    paying.send(number, bank)
    with pytest.raises(NotSent, match="is refused"):
        issue(paying.payout_to(number, "Grace").id)
    with pytest.raises(NotFound):
        issue("pay_nothing")
    assert operations.issue_waiting(by=ADMINISTRATOR, now=AFTER) == 1


def promised() -> list[Job]:
    """The jobs that issue advices, in their order."""
    with reading() as session:
        return list(session.scalars(select(Job).where(Job.kind == ADVISE).order_by(Job.id)))


def work_off() -> None:
    """Do what was promised, as a worker does, and nothing that a schedule asks for."""
    while (task := jobs.claim({ADVISE: KINDS[ADVISE]}, worker="here", now=AFTER)) is not None:
        KINDS[ADVISE].run(task)
        jobs.finish(task, None, now=AFTER)


def test_the_commit_that_says_it_was_sent_promises_the_advice(closed_october: Flask) -> None:
    bank = Bank(refuses={"Grace": "The account is closed."})
    number = sent_run(bank)
    ada = paying.payout_to(number, "Ada")
    assert [json.loads(job.payload) for job in promised()] == [{"payout_id": ada.id}]
    paying.send(number, bank)
    assert len(promised()) == 1
    work_off()
    with reading() as session:
        assert [row.payout_id for row in queries.page(session)] == [ada.id]
    lovelace.assert_books_hold()


def test_what_came_back_before_its_advice_was_written_gets_none(closed_october: Flask) -> None:
    number = sent_run()
    paying.give_back(paying.payout_to(number, "Grace").id)
    work_off()
    ada = paying.payout_to(number, "Ada")
    with reading() as session:
        assert [row.payout_id for row in queries.page(session)] == [ada.id]
    assert [job.state for job in promised()] == ["done", "done"]


def test_what_came_back_and_was_paid_again_is_on_the_second_advice_too(closed_october: Flask) -> None:
    bank = Bank()
    grace = paying.payout_to(sent_run(bank), "Grace")
    first = issue(grace.id)
    paying.give_back(grace.id)
    again = paying.payout_to(sent_run(bank), "Grace")
    second = issue(again.id)
    assert said(second)["lines"] == said(first)["lines"]
    with reading() as session:
        cover = queries.cover_of(session, sending.queries.find_payout(session, again.id))
    assert [(part.on, part.is_whole) for part in cover.parts] == [(date(2026, 10, 31), True)]
    lovelace.assert_books_hold()


def test_a_month_s_advices_come_to_what_the_books_paid(closed_october: Flask) -> None:
    operations.issue_waiting(sent_run(), by=ADMINISTRATOR, now=AFTER)
    table = queries.remittance_advice
    with reading() as session:
        total = session.scalar(select(func.sum(table.c.amount_minor)))
    assert total == 625_000
    assert lovelace.trial_balance()["liabilities:payouts-in-transit"] == "-6,250.00 USD"
