"""Tax forms without a database: how long they last, what they are worth, and what the law set when."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from firm.money import Money
from payouts.tax_forms import law
from payouts.tax_forms.law import NoSuchRule
from payouts.tax_forms.model import TaxForm
from payouts.tax_forms.rules import InvalidTin, checked_tin, day_of, expires_on, last_characters, obstacle, state_of

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def form(kind: str = "W-8BEN", signed_on: date = date(2023, 5, 4), **ends: object) -> TaxForm:
    return TaxForm(kind=kind, signed_on=signed_on, expires_on=expires_on(kind, signed_on), **ends)


@pytest.mark.parametrize(
    ("kind", "signed_on", "last_day"),
    [
        ("W-8BEN", date(2026, 1, 1), date(2029, 12, 31)),
        ("W-8BEN", date(2026, 12, 31), date(2029, 12, 31)),
        ("W-8BEN-E", date(2027, 1, 1), date(2030, 12, 31)),
        ("W-8BEN", date(2024, 2, 29), date(2027, 12, 31)),
        ("W-8BEN-E", date(2025, 2, 28), date(2028, 12, 31)),
        ("W-9", date(2026, 1, 1), None),
        ("W-9", date(2024, 2, 29), None),
    ],
)
def test_a_foreign_form_lasts_through_its_third_calendar_year_and_a_w9_until_it_is_wrong(
    kind: str, signed_on: date, last_day: date | None
) -> None:
    assert expires_on(kind, signed_on) == last_day


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (date(2023, 5, 4), "on file"),
        (date(2026, 12, 30), "on file"),
        (date(2026, 12, 31), "on file"),
        (date(2027, 1, 1), "expired"),
    ],
)
def test_the_day_of_expiry_still_counts(on: date, state: str) -> None:
    assert state_of(form(), on) == state


def test_what_was_replaced_or_withdrawn_says_so_whatever_its_days() -> None:
    assert state_of(form(superseded_at=NOON), date(2026, 1, 1)) == "superseded"
    assert state_of(form(withdrawn_at=NOON), date(2026, 1, 1)) == "withdrawn"
    assert state_of(form(superseded_at=NOON), date(2099, 1, 1)) == "superseded"


@pytest.mark.parametrize(
    ("zone", "day", "state"),
    [
        ("Pacific/Kiritimati", date(2027, 1, 1), "expired"),
        ("Europe/London", date(2026, 12, 31), "on file"),
        ("America/New_York", date(2026, 12, 31), "on file"),
    ],
)
def test_the_day_is_the_firm_s_own(zone: str, day: date, state: str) -> None:
    on = day_of(datetime(2026, 12, 31, 11, 0, tzinfo=UTC), ZoneInfo(zone))
    assert on == day
    assert state_of(form(), on) == state


@pytest.mark.parametrize(
    ("on_file", "country", "works_as", "said"),
    [
        (None, "US", "subcontractor", "has no W-9 on file; record one with `chambers tax-form record`"),
        (None, "DE", "subcontractor", "has no W-8BEN or W-8BEN-E on file; record one with `chambers tax-form record`"),
        (None, "US", "owner", "has no W-9 on file; record one with `chambers tax-form record`"),
        (None, "US", "employee", ""),
        (form("W-9"), "US", "subcontractor", ""),
        (
            form("W-8BEN"),
            "US",
            "subcontractor",
            "has a W-8BEN on file but needs a W-9; record one with `chambers tax-form record`",
        ),
        (form("W-8BEN"), "DE", "subcontractor", ""),
        (form("W-8BEN-E"), "DE", "subcontractor", ""),
        (form("W-9"), "DE", "subcontractor", ""),
        (
            form("W-8BEN", date(2022, 7, 1)),
            "DE",
            "subcontractor",
            "has a W-8BEN that expired on 31 December 2025; ask for a new one and record it",
        ),
    ],
)
def test_who_is_held_and_what_is_said_of_them(on_file: TaxForm | None, country: str, works_as: str, said: str) -> None:
    assert obstacle(on_file, country=country, works_as=works_as, on=date(2026, 11, 1)) == said


@pytest.mark.parametrize(
    ("year", "threshold"),
    [(2020, "600.00"), (2025, "600.00"), (2026, "2000.00"), (2030, "2000.00")],
)
def test_the_threshold_of_a_year_is_that_of_its_payments(year: int, threshold: str) -> None:
    assert law.nec_threshold(year) == Money.parse(threshold, "USD")


def test_backup_withholding_is_a_dated_rate() -> None:
    assert law.backup_withholding_bp(date(2018, 1, 1)) == law.backup_withholding_bp(date(2026, 11, 1)) == 2400
    with pytest.raises(NoSuchRule, match="begin on 2018-01-01"):
        law.backup_withholding_bp(date(2017, 12, 31))


@pytest.mark.parametrize("table", [law.NEC_THRESHOLD, law.BACKUP_WITHHOLDING, law.FOREIGN_FORM_YEARS])
def test_every_row_of_the_law_has_a_source_and_its_own_day(table: tuple[law.Dated, ...]) -> None:
    days = [row.from_on for row in table]
    assert days == sorted(set(days))
    assert all(len(row.source) > 15 for row in table)


@pytest.mark.parametrize("text", ["536-90-4399", "536904399", "91-1144442", "911144442"])
def test_a_w9_has_a_number_of_the_united_states(text: str) -> None:
    assert checked_tin("W-9", text) == text.replace("-", "")


@pytest.mark.parametrize("text", [None, "", " ", "123", "000-00-0000", "DE136695976", "5369043990", "٥٣٦٩٠٤٣٩٩"])
def test_a_w9_without_one_is_refused_in_a_sentence_that_does_not_repeat_it(text: str | None) -> None:
    with pytest.raises(InvalidTin) as refused:
        checked_tin("W-9", text)
    assert not text or not text.strip() or text not in refused.value.message


def test_a_foreign_number_may_be_missing_and_has_some_form() -> None:
    assert checked_tin("W-8BEN", None) is None
    assert checked_tin("W-8BEN", "12 345 678 901") == "12345678901"
    for wrong in ("12345", "x" * 41, "12345\n678", "<script>"):
        with pytest.raises(InvalidTin):
            checked_tin("W-8BEN", wrong)


def test_little_is_shown_of_a_short_number() -> None:
    assert [last_characters(tin) for tin in ("536904399", "12345678", "1234567")] == ["4399", "5678", "67"]
