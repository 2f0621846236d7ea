"""From junior to own firm: stages that only go forward, letters that count while they are valid."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask

from firm.db import reading
from staffing.maintainers import queries as maintainers
from staffing.onramp import operations as onramp
from staffing.onramp import queries
from staffing.onramp.operations import (
    InvalidLetter,
    InvalidRunway,
    LetterWithdrawn,
    NotReady,
    StageAhead,
    StageOutOfOrder,
    UnknownStage,
)
from staffing.onramp.queries import LetterNotFound
from staffing.onramp.rules import Letter, readiness
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import BEFORE, LEAD, usd

MARCH = date(2027, 3, 1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ada(sqlite_app: Flask) -> str:
    """Ada, who has shadowed and is assigned."""
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    lovelace.staff()
    for stage, on in (("shadowing", date(2026, 10, 1)), ("assigned", date(2026, 11, 1))):
        enter(stage, on)
    return "Ada"


def enter(stage: str, on: date = MARCH) -> object:
    return onramp.enter_stage("Ada", stage, on=on, by=LEAD, now=datetime(on.year, on.month, on.day, 12, tzinfo=UTC))


def letter(company: str, **changes: Any) -> str:
    values: dict[str, Any] = {
        "amount": usd("2000.00"),
        "term_months": 12,
        "signed_on": date(2027, 1, 1),
        "expires_on": date(2027, 7, 1),
    }
    return onramp.record_letter("Ada", company=company, by=LEAD, now=BEFORE, **values | changes).id


def runway(months: int) -> None:
    onramp.record_runway("Ada", months_covered=months, text="savings", by=LEAD, now=BEFORE)


def lacking(on: date = MARCH) -> list[str]:
    with reading() as session:
        ada = maintainers.find(session, "Ada")
        return [c.explanation for c in queries.onramp(session, ada.id, on=on).criteria if not c.met]


def test_a_junior_is_ready_with_three_letters_a_runway_and_the_stage_of_owning(ada: str) -> None:
    enter("owning", date(2027, 2, 1))
    for company in ("Acme", "Globex", "Initech"):
        letter(company)
    with refused(NotReady, "Ada is not ready: There is no runway plan."):
        enter("ready")
    runway(6)
    enter("ready")
    assert lacking() == []
    lovelace.assert_books_hold()


def test_what_is_lacking_is_said_line_by_line(ada: str) -> None:
    assert lacking() == [
        "The stage is assigned; owning is needed at least.",
        "0 of 3 companies have a valid pre-commitment letter.",
        "There is no runway plan.",
    ]
    with refused(NotReady, "Ada is not ready: The stage is assigned; owning is needed at least. 0 of 3 companies"):
        enter("ready")
    with refused(NotReady, "Ada is not ready"):
        enter("spun-off")


def test_a_letter_counts_from_its_signature_until_the_day_it_expires(ada: str) -> None:
    letter("Acme", signed_on=date(2027, 1, 10), expires_on=date(2027, 4, 10))
    counted = [lacking(on)[1] for on in (date(2027, 1, 9), date(2027, 1, 10), date(2027, 4, 9), date(2027, 4, 10))]
    assert [sentence[0] for sentence in counted] == ["0", "1", "1", "0"]


def test_a_letter_that_was_withdrawn_counts_no_more_from_that_day_on(ada: str) -> None:
    withdrawn = letter("Acme")
    for wrong, words in ((date(2026, 12, 31), "signed on 2027-01-01"), (date(2027, 3, 2), "is still to come")):
        with refused(InvalidLetter, words):
            onramp.withdraw_letter(withdrawn, on=wrong, by=LEAD, now=NOON)
    onramp.withdraw_letter(withdrawn, on=MARCH, by=LEAD, now=NOON)
    assert lacking(date(2027, 2, 28))[1].startswith("1 of 3")
    assert lacking(MARCH)[1].startswith("0 of 3")
    with refused(LetterWithdrawn, "Acme has withdrawn that letter already"):
        onramp.withdraw_letter(withdrawn, on=MARCH, by=LEAD, now=NOON)
    with refused(LetterNotFound, "There is no pre-commitment letter 'ltr_1'"):
        onramp.withdraw_letter("ltr_1", on=MARCH, by=LEAD, now=NOON)


def test_a_stage_is_not_entered_ahead(ada: str) -> None:
    with refused(StageAhead, "2027-03-02 is still to come"):
        onramp.enter_stage("Ada", "owning", on=date(2027, 3, 2), by=LEAD, now=NOON)


def test_two_letters_of_one_company_are_one_promise(ada: str) -> None:
    for company in ("Acme", "acme ", "Globex"):
        letter(company)
    assert lacking()[1] == "2 of 3 companies have a valid pre-commitment letter."


def test_the_latest_runway_plan_counts(ada: str) -> None:
    runway(8)
    runway(3)
    assert lacking()[2] == "The runway plan covers 3 of 6 months."
    runway(6)
    assert len(lacking()) == 2


def test_stages_only_go_forward(ada: str) -> None:
    with refused(StageOutOfOrder, "Ada is assigned already; stages only go forward"):
        enter("shadowing")
    with refused(StageOutOfOrder, "Ada is assigned already"):
        enter("assigned")
    with refused(StageOutOfOrder, "Ada became assigned later than that day"):
        enter("owning", date(2026, 10, 31))
    with refused(UnknownStage, "'hero' is no stage of the on-ramp; use one of shadowing, assigned"):
        enter("hero")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("amount", usd("0.00"), "A letter promises an amount above zero"),
        ("amount", usd("-1.00"), "A letter promises an amount above zero"),
        ("term_months", 0, "A letter promises it for 1 to 120 months"),
        ("term_months", 121, "A letter promises it for 1 to 120 months"),
        ("expires_on", date(2027, 1, 1), "A letter expires after its signature"),
    ],
    ids=["nothing", "negative", "no-term", "long", "expired"],
)
def test_a_letter_that_promises_nothing_is_refused(ada: str, field: str, value: Any, words: str) -> None:
    with refused(InvalidLetter, words):
        letter("Acme", **{field: value})


@pytest.mark.parametrize("months", [-1, 61])
def test_a_runway_plan_covers_up_to_five_years(ada: str, months: int) -> None:
    with refused(InvalidRunway, "A runway plan covers between 0 and 60 months"):
        runway(months)


@pytest.mark.parametrize("stage", [None, "shadowing", "assigned", "owning", "pre-committed", "ready", "spun-off"])
def test_owning_is_the_first_stage_that_is_enough(stage: str | None) -> None:
    [owning, *_] = readiness(stage=stage, letters=[], runway_months=None, on=MARCH)
    assert owning.met == (stage in ("owning", "pre-committed", "ready", "spun-off"))


def test_a_letter_signed_again_counts_beside_the_one_withdrawn() -> None:
    old = Letter("Acme", date(2027, 1, 1), date(2027, 12, 1), withdrawn_on=date(2027, 2, 1))
    new = Letter("Acme", date(2027, 2, 15), date(2027, 12, 1))
    assert [old.counts(MARCH), new.counts(MARCH)] == [False, True]
    [_, letters, _] = readiness(stage="owning", letters=[old, new], runway_months=6, on=MARCH)
    assert letters.explanation.startswith("1 of 3")
