"""Tax forms on file: recorded, superseded, withdrawn, never in the clear, and holding a payee when the firm says so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from firm.audit.model import audit_record
from firm.db import reading, transaction
from firm.errors import NotFound
from firm.profile.changes import change_firm
from payouts import month_end
from payouts.runs import cash, preparation, sending, settling
from payouts.tax_forms import gauges, operations, queries
from payouts.tax_forms.model import TaxForm
from payouts.tax_forms.operations import InvalidTaxForm, TaxFormEnded
from payouts.tax_forms.rules import state_of
from staffing.maintainers import queries as maintainers
from staffing.maintainers.model import Maintainer
from tests import lovelace
from tests.databases import SECRET_KEYS
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank

TIN = "536904399"


def record(who: str = "Grace", *, now: datetime = AFTER, **changes: Any) -> TaxForm:
    values: dict[str, Any] = {
        "kind": "W-9",
        "name": f"{who} Hopper",
        "signed_on": date(2026, 10, 1),
        "received_on": date(2026, 10, 2),
        "tin": TIN,
    }
    return operations.record(who, **(values | changes), keys=SECRET_KEYS, by=ADMINISTRATOR, now=now)


def foreign(who: str = "Grace", signed_on: date = date(2026, 10, 1)) -> TaxForm:
    return record(who, kind="W-8BEN", signed_on=signed_on, tin=None)


def require(required: bool = True) -> None:
    change_firm(tax_forms="on" if required else "off", by=LEAD, now=BEFORE)


def held(who: str, on: date = date(2026, 11, 1)) -> str:
    with reading() as session:
        return queries.gate(session, maintainers.find(session, who).id, on)


def states() -> list[str]:
    with reading() as session:
        return [state_of(form, date(2026, 11, 1)) for form in queries.page(session)]


def verbs(subject: str) -> list[str]:
    with reading() as session:
        query = select(audit_record.c.verb).where(audit_record.c.subject == subject).order_by(audit_record.c.id)
        return list(session.scalars(query))


def test_nobody_is_held_until_the_firm_asks_for_forms(ready_october: Flask) -> None:
    assert held("Grace") == ""
    require()
    assert held("Grace") == "has no W-9 on file; record one with `chambers tax-form record`"
    record()
    assert held("Grace") == ""
    assert held("Ada").startswith("has no W-9 on file")
    with reading() as session:
        everybody = [maintainers.find(session, name).id for name in ("Ada", "Grace")]
        assert set(queries.gates(session, everybody, date(2026, 11, 1))) == {everybody[0]}
        assert queries.gates(session, everybody[1:], date(2026, 11, 1)) == {}
    require(False)
    assert held("Ada") == ""
    lovelace.assert_books_hold()


def test_a_newer_form_supersedes_and_a_wrong_one_is_withdrawn_once(ready_october: Flask) -> None:
    require()
    first, second = record(), record(name="Grace Brewster Hopper")
    assert states() == ["superseded", "on file"]
    operations.withdraw(second.id, reason="the name was another's", by=ADMINISTRATOR, now=AFTER)
    assert states() == ["superseded", "withdrawn"]
    assert held("Grace").startswith("has no W-9 on file")
    for ended in (first, second):
        with pytest.raises(TaxFormEnded):
            operations.withdraw(ended.id, reason="again", by=ADMINISTRATOR, now=AFTER)
    assert verbs(first.id) == ["tax-form.recorded", "tax-form.superseded"]
    assert verbs(second.id) == ["tax-form.recorded", "tax-form.withdrawn"]
    record()
    assert held("Grace") == ""
    lovelace.assert_books_hold()


def test_the_number_and_the_paper_are_sealed_and_opening_is_on_record(ready_october: Flask) -> None:
    form = record(document=b"%PDF-1.7 the form of " + TIN.encode())
    assert form.tin_last4 == "4399"
    with reading() as session:
        row = session.execute(text("SELECT * FROM tax_form")).one()
        facts = " ".join(session.scalars(select(audit_record.c.facts)))
    assert TIN not in repr(row) + facts
    assert operations.open_document(form.id, keys=SECRET_KEYS, by=LEAD, now=AFTER).endswith(TIN.encode())
    assert verbs(form.id) == ["tax-form.recorded", "tax-form.document-opened"]
    with pytest.raises(NotFound, match="recorded without its paper"):
        operations.open_document(record().id, keys=SECRET_KEYS, by=LEAD, now=AFTER)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "W-4"}, "use one of W-9, W-8BEN, W-8BEN-E"),
        ({"received_on": date(2026, 9, 30)}, "signed before it is received"),
        ({"signed_on": date(2026, 11, 2), "received_on": date(2026, 11, 2)}, "2 November 2026 is still to come"),
        ({"document": b""}, "empty or larger than 5 MB"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(ready_october: Flask, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidTaxForm, match=said):
        record(**changes)
    assert states() == []


def test_forms_near_their_end_are_named_thirty_days_ahead(ready_october: Flask) -> None:
    foreign("Grace", date(2023, 5, 4))
    foreign("Ada", date(2024, 2, 29))
    for day, number in ((date(2026, 11, 30), 0), (date(2026, 12, 1), 1), (date(2027, 12, 1), 2)):
        with reading() as session:
            assert len(queries.expiring(session, day)) == queries.number_expiring(session, day) == number
            assert gauges.expiring(session, datetime(day.year, day.month, day.day, 12, tzinfo=UTC)) == number
    with reading() as session:
        assert [form.kind for form in queries.page(session, expires_by=date(2026, 12, 31))] == ["W-8BEN"]


def test_a_year_counts_what_reached_people_on_the_bank_s_days(closed_october: Flask) -> None:
    bank = Bank()
    number = paying.approved(bank)
    paying.send(number, bank)
    grace, ada = (paying.payout_to(number, name) for name in ("Grace", "Ada"))
    assert paid() == {}
    paying.settle(grace.id)
    assert paid() == {"Grace": "4,300.00 USD"}
    paying.give_back(ada.id)
    assert paid() == {"Grace": "4,300.00 USD"}
    paying.give_back(grace.id)
    assert paid() == {}
    paying.pay_run(paying.approved(bank), bank)
    assert paid() == {"Ada": "1,950.00 USD", "Grace": "4,300.00 USD"}
    assert paid(2025) == paid(2027) == {}
    assert sending.run_with_payouts(number)[0].state == "partly-settled"


def test_a_year_counts_the_bank_s_day_where_its_month_is_closed_and_not_what_was_taken_back(
    closed_october: Flask,
) -> None:
    bank = Bank()
    number = paying.approved(bank)
    paying.send(number, bank)
    grace, ada = (paying.payout_to(number, name) for name in ("Grace", "Ada"))
    days = {"on": date(2026, 12, 31), "posted_on": date(2027, 1, 1), "now": datetime(2027, 1, 2, 9, tzinfo=UTC)}
    for one in (grace, ada):
        settling.settle(one.id, reference="wire", **days, by=ADMINISTRATOR)  # type: ignore[arg-type]
    assert paid() == {"Ada": "1,950.00 USD", "Grace": "4,300.00 USD"}
    assert paid(2027) == {}
    back = {"amount": lovelace.usd("100.00"), "now": datetime(2027, 1, 5, 9, tzinfo=UTC)}
    settling.reverse(grace.id, reference="trr_1", **back, by=ADMINISTRATOR)  # type: ignore[arg-type]
    assert paid(2027) == {"Grace": "-100.00 USD"}


def paid(year: int = 2026) -> dict[str, str]:
    with reading() as session:
        names = maintainers.names(session)
        return dict(sorted((names[key], str(amount)) for key, amount in cash.paid_in_year(session, year).items()))


def test_a_run_holds_whoever_has_no_form_once_the_firm_asks_for_them(closed_october: Flask) -> None:
    change_firm(tax_forms="on", by=LEAD, now=AFTER)
    record("Grace")
    drafted = preparation.draft(rails={"manual": Bank()}, by=ADMINISTRATOR, now=AFTER)
    assert {one.payee_name: one.state for one in drafted.payouts} == {"Ada": "held", "Grace": "planned"}
    held = next(one for one in drafted.payouts if one.payee_name == "Ada")
    assert str(held.reason).startswith("has no W-")
    lovelace.assert_books_hold()


def test_a_firm_that_withholds_pays_without_the_form_less_what_the_law_takes(ready_october: Flask) -> None:
    change_firm(tax_forms="withhold", by=LEAD, now=BEFORE)
    with transaction() as session:
        session.execute(update(Maintainer).values(country="US"))
    record("Grace", now=BEFORE, signed_on=date(2026, 9, 1), received_on=date(2026, 9, 2))
    month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
    # 24 % of Ada's 1,950.00; Grace has her W-9 on file.
    assert lovelace.trial_balance()["liabilities:withheld-tax"] == "-468.00 USD"
    drafted = preparation.draft(rails={"manual": Bank()}, by=ADMINISTRATOR, now=AFTER)
    assert {one.payee_name: str(one.amount) for one in drafted.payouts if one.state == "planned"} == {
        "Ada": "1,482.00 USD",
        "Grace": "4,300.00 USD",
    }
    lovelace.assert_books_hold()
