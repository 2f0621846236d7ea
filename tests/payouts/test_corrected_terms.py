"""Pay terms that were mistyped are corrected while their month is open, and stay on record."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from firm.billing import recognition
from firm.db import db, reading, transaction
from firm.errors import Invalid
from firm.intake.report import ImportRefused
from firm.particulars import InvalidParticulars
from payouts import imports, month_end
from payouts.earnings import operations as earnings
from payouts.earnings import queries as earned
from payouts.terms import operations as terms
from payouts.terms import queries
from payouts.terms.model import PayTerms
from payouts.terms.operations import InvalidTerms, MonthUnderWay, Proposal, TermsSuperseded, TermsTooLate
from payouts.terms.queries import TermsNotFound
from staffing.maintainers import operations as people
from staffing.maintainers import queries as maintainers
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, usd

NOVEMBER = OCTOBER.next
RIGHT = Proposal(guarantee=usd("4500.00"))
WHY = "The guarantee was mistyped."


def standing(name: str) -> PayTerms:
    with reading() as session:
        return queries.standing(session, maintainers.find(session, name).id, OCTOBER)


def correct(terms_id: str, proposal: Proposal = RIGHT, *, reason: str = WHY, now: datetime = BEFORE) -> PayTerms:
    return terms.correct(terms_id, proposal, reason=reason, by=LEAD, now=now)


def test_a_mistyped_guarantee_is_corrected_and_the_month_earned_by_the_right_one(ready_october: Flask) -> None:
    wrong = standing("Grace")
    made = correct(wrong.id)
    assert (made.corrects_id, made.reason, made.from_month) == (wrong.id, WHY, OCTOBER)
    assert standing("Grace").id == made.id
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    with reading() as session:
        names = maintainers.names(session)
        found = {names[key]: minor for key, minor in earned.earned_by_maintainer(session, OCTOBER, OCTOBER).items()}
        kept = queries.find(session, wrong.id)
    assert found == {"Grace": 450_000, "Ada": 195_000}
    assert (kept.superseded_at, kept.guarantee_minor) == (BEFORE, 400_000)
    lovelace.assert_books_hold()


def test_a_correction_is_corrected_in_turn_and_each_is_on_record(ready_october: Flask) -> None:
    first = standing("Ada")
    second = correct(first.id, Proposal(fund_shares={"staticcheck": 3_000}, fixed_fees={"age": usd("1000.00")}))
    with refused(TermsSuperseded, "correct those that replaced them"):
        correct(first.id)
    third = correct(second.id, Proposal(fund_shares={"staticcheck": 3_500}), reason="And the share, too.")
    with reading() as session:
        assert list(queries.shares_of(session, third.id).values()) == [3_500]
        assert list(queries.fees_of(session, second.id).values()) == [100_000]
        assert list(queries.fees_of(session, third.id).values()) == []
        said = [(row.verb, row.subject, json.loads(row.facts).get("reason")) for row in session.execute(text(_RECORDS))]
    assert said == [
        ("terms.superseded", first.id, WHY),
        ("terms.corrected", second.id, WHY),
        ("terms.superseded", second.id, "And the share, too."),
        ("terms.corrected", third.id, "And the share, too."),
    ]
    lovelace.assert_books_hold()


def test_terms_of_a_closed_month_are_not_corrected(closed_october: Flask) -> None:
    with refused(TermsTooLate, "October 2026, with which these terms begin, is closed; set others from November 2026"):
        correct(standing("Grace").id, now=AFTER)


def test_terms_by_which_somebody_may_have_earned_are_not_corrected(ready_october: Flask) -> None:
    wrong = standing("Grace")
    earnings.accrue_month(OCTOBER, by=LEAD, now=AFTER)
    with refused(MonthUnderWay, "The earnings of October 2026 are worked out; finish it"):
        correct(wrong.id, now=AFTER)


def test_no_terms_are_set_or_imported_for_a_month_that_everybody_has_earned_in(ready_october: Flask) -> None:
    earnings.accrue_month(OCTOBER, by=LEAD, now=AFTER)
    newcomer = {"country": "US", "grade": "junior", "works_as": "employee"}
    people.add(name="Barbara", email="barbara@lovelace.example", **newcomer, by=LEAD, now=AFTER)
    with refused(MonthUnderWay, "let other terms begin with November 2026"):
        terms.set_terms("Barbara", RIGHT, from_month=OCTOBER, by=LEAD, now=AFTER)
    lines = "maintainer,from_month,currency,guarantee\nBarbara,{},USD,100.00".format
    with pytest.raises(ImportRefused) as caught:
        imports.import_file("terms", lines("2026-10").encode(), by=LEAD, now=AFTER)
    assert "are worked out" in caught.value.report.refused[0].sentence
    assert imports.import_file("terms", lines("2026-11").encode(), by=LEAD, now=AFTER).new == 1


def test_somebody_without_terms_gets_them_while_a_close_waits_for_them(ready_october: Flask) -> None:
    recognition.recognise_month(OCTOBER, by=LEAD, now=AFTER)
    newcomer = {"country": "US", "grade": "junior", "works_as": "employee"}
    people.add(name="Barbara", email="barbara@lovelace.example", **newcomer, by=LEAD, now=AFTER)
    assert terms.set_terms("Barbara", RIGHT, from_month=OCTOBER, by=LEAD, now=AFTER).from_month == OCTOBER


def test_terms_of_a_later_month_are_corrected_before_it_comes(closed_october: Flask) -> None:
    later = terms.set_terms("Grace", RIGHT, from_month=NOVEMBER.next, by=LEAD, now=AFTER)
    assert correct(later.id, Proposal(guarantee=usd("5000.00")), now=AFTER).guarantee_minor == 500_000
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("proposal", "reason", "kind", "words"),
    [
        (RIGHT, " ", InvalidParticulars, "Say what was wrong"),
        (RIGHT, "x" * 401, InvalidParticulars, "at most 400 characters"),
        (Proposal(), WHY, InvalidTerms, "Name what is paid"),
        (Proposal(guarantee=usd("-1.00")), WHY, InvalidTerms, "zero or more"),
    ],
)
def test_a_correction_that_makes_no_sense_changes_nothing(
    ready_october: Flask, proposal: Proposal, reason: str, kind: type[Invalid], words: str
) -> None:
    with refused(kind, words):
        correct(standing("Grace").id, proposal, reason=reason)


def test_terms_that_are_not_there_are_not_found(ready_october: Flask) -> None:
    with refused(TermsNotFound, "There are no pay terms 'ptm_1'"):
        correct("ptm_1")
    with reading() as session:
        grace = maintainers.find(session, "Grace").id
        with pytest.raises(TermsNotFound, match="No pay terms of theirs begin with November 2026"):
            queries.standing(session, grace, NOVEMBER)


_RECORDS = (
    "SELECT verb, subject, facts FROM audit_record WHERE verb IN ('terms.superseded', 'terms.corrected') ORDER BY id"
)
_COPY = (
    "INSERT INTO pay_terms (id, maintainer_id, from_month, currency, guarantee_minor, growth_bp, baseline_minor,"
    " created_at, created_by, corrects_id, reason) SELECT 'ptm_x', {}, created_at, created_by, {} FROM pay_terms"
    " WHERE superseded_at IS {}"
)
_SAME = "maintainer_id, from_month, currency, guarantee_minor, growth_bp, baseline_minor"
_OTHER_MONTH = _SAME.replace("from_month", "'2027-01'")


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM pay_terms",
        "UPDATE pay_terms SET superseded_at = NULL WHERE superseded_at IS NOT NULL",
        "UPDATE pay_terms SET superseded_at = created_at WHERE superseded_at IS NOT NULL",
        "UPDATE pay_terms SET reason = NULL WHERE corrects_id IS NOT NULL",
        _COPY.format(_SAME, "NULL, NULL", "NOT NULL"),
        _COPY.format(_OTHER_MONTH, "id, 'why'", "NOT NULL"),
        _COPY.format(_OTHER_MONTH, "id, 'why'", "NULL AND corrects_id IS NOT NULL"),
    ],
)
def test_the_database_keeps_what_was_corrected(ready_october: Flask, attack: str) -> None:
    correct(standing("Grace").id)
    _refused_by_the_database(attack)
    lovelace.assert_books_hold()


def test_the_database_supersedes_no_terms_of_a_closed_month(closed_october: Flask) -> None:
    _refused_by_the_database("UPDATE pay_terms SET superseded_at = created_at")


def _refused_by_the_database(attack: str) -> None:
    db.session.remove()
    with pytest.raises(DatabaseError), transaction() as session:
        session.execute(text(attack))
    db.session.remove()
