"""Self-billed invoices: only under a live agreement, numbered without gaps, and taken back only by a credit note."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask

from firm.db import AnyRow, reading
from firm.documents import papers
from firm.errors import NotFound
from firm.profile.changes import change_firm
from payouts.self_billing import agreements, operations, queries
from payouts.self_billing.agreements import AgreementEnded, AgreementsOverlap, AgreementTooLong, InvoicedSince
from payouts.self_billing.model import SelfBillingAgreement
from payouts.self_billing.operations import AlreadyInvoiced, NoAgreement, NotCreditable, VatIdMissing
from payouts.self_billing.rules import InvalidAgreement, Vat
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER, START

GERMAN, DUTCH = "DE136695976", "NL123456782B90"


def agree(who: str = "Grace", *, now: datetime = AFTER, **changes: Any) -> SelfBillingAgreement:
    values: dict[str, Any] = {
        "consented_on": START,
        "from_on": START,
        "series": "SB-LM-",
        "vat": Vat("domestic", 1900),
        "supplier_vat_id": GERMAN,
        "supplier_name": f"{who} Hopper",
        "supplier_address": ["4 Compiler Lane", "10115 Berlin"],
    }
    return agreements.agree(who, **(values | changes), by=ADMINISTRATOR, now=now)


def end(agreement: SelfBillingAgreement, *, on: date | None = None, now: datetime = AFTER) -> SelfBillingAgreement:
    return agreements.end(agreement.id, ended_by="supplier", reason="sends her own", on=on, by=LEAD, now=now)


def issue(who: str = "Grace", *, now: datetime = AFTER) -> AnyRow:
    return operations.issue(who, OCTOBER, by=ADMINISTRATOR, now=now)


def credit(key: str, *, now: datetime = AFTER) -> AnyRow:
    return operations.credit(key, reason="the rate was wrong", by=ADMINISTRATOR, now=now)


def numbers() -> list[str]:
    with reading() as session:
        return [row.number for row in queries.page(session)]


def test_an_invoice_says_who_bills_whom_for_what_and_its_sums(closed_october: Flask) -> None:
    change_firm(vat_id=DUTCH, by=LEAD, now=AFTER)
    agree()
    row = issue()
    said = queries.figures(row)
    assert (row.number, row.net_minor, row.vat_minor, row.gross_minor) == ("SB-LM-0001", 430_000, 81_700, 511_700)
    assert said["supplier"] == {
        "name": "Grace Hopper",
        "address": ["4 Compiler Lane", "10115 Berlin"],
        "vat_id": GERMAN,
    }
    assert (said["customer"]["name"], said["customer"]["vat_id"]) == ("Lovelace Maintainers", DUTCH)
    assert (said["supplied_from"], said["supplied_to"]) == ("2026-10-01", "2026-10-31")
    assert said["statement"].startswith("ST-2026-")
    assert [line["amount"]["amount"] for line in said["lines"]] == ["4000.00", "300.00"]
    assert papers.pdf(said) == papers.pdf(queries.figures(row))
    lovelace.assert_books_hold()


def test_what_the_supplier_is_called_later_changes_no_issued_paper(closed_october: Flask) -> None:
    first = agree()
    row = issue()
    before = papers.html(queries.figures(row))
    end(first, on=date(2026, 11, 2))
    agree(from_on=date(2026, 11, 2), supplier_name="Hopper GmbH", supplier_address=["Elsewhere"])
    change_firm(vat_id=DUTCH, by=LEAD, now=AFTER)
    with reading() as session:
        again = queries.find(session, row.number)
    assert papers.html(queries.figures(again)) == before


def test_without_an_agreement_nothing_is_issued_and_a_sentence_says_why(closed_october: Flask) -> None:
    with pytest.raises(NoAgreement, match="Grace has not agreed to self-billing"):
        issue()
    to_come = agree(consented_on=date(2026, 11, 1), from_on=date(2026, 11, 15))
    with pytest.raises(NoAgreement, match="begins on 15 November 2026; nothing is issued before"):
        issue()
    with pytest.raises(NoAgreement, match="was in force on 31 October 2026; October 2026 is invoiced by Grace"):
        issue(now=datetime(2026, 11, 20, tzinfo=UTC))
    end(to_come, on=date(2026, 11, 16))
    with pytest.raises(NoAgreement, match="was ended from 16 November 2026; renew it"):
        issue(now=datetime(2026, 11, 20, tzinfo=UTC))
    agree("Ada", until_on=date(2026, 11, 1))
    with pytest.raises(NoAgreement, match="ran until 1 November 2026; renew it"):
        issue("Ada")
    assert numbers() == []
    lovelace.assert_books_hold()


def test_a_renewed_agreement_bills_the_month_that_the_one_before_covered(closed_october: Flask) -> None:
    agree(until_on=date(2026, 11, 1))
    agree(from_on=date(2026, 11, 1))
    assert issue().number == "SB-LM-0001"
    lovelace.assert_books_hold()


def test_the_day_of_issue_is_the_firm_s_own(closed_october: Flask) -> None:
    """London keeps no summer time in November: half past eleven in the evening of the last day is still that day."""
    agree(until_on=date(2026, 11, 10))
    row = issue(now=datetime(2026, 11, 9, 23, 30, tzinfo=UTC))
    assert row.issued_on == date(2026, 11, 9)
    with pytest.raises(NoAgreement):
        credit(row.number, now=datetime(2026, 11, 10, 0, 0, tzinfo=UTC))


def test_a_month_is_billed_once_until_it_is_taken_back(closed_october: Flask) -> None:
    agree()
    first = issue()
    with pytest.raises(AlreadyInvoiced, match="October 2026 of Grace was invoiced as SB-LM-0001"):
        issue()
    note = credit(first.number)
    assert (note.number, note.gross_minor, note.credits_id) == ("SB-LM-0002", -511_700, first.id)
    said = queries.figures(note)
    assert said["credits"] == {"number": "SB-LM-0001", "issued_on": "2026-11-01", "reason": "the rate was wrong"}
    for wrong, why in ((first.number, "was taken back by SB-LM-0002"), (note.number, "is a credit note")):
        with pytest.raises(NotCreditable, match=why):
            credit(wrong)
    again = issue()
    assert (again.number, again.version) == ("SB-LM-0003", 2)
    assert numbers() == ["SB-LM-0001", "SB-LM-0002", "SB-LM-0003"]
    lovelace.assert_books_hold()


def test_each_supplier_has_a_series_of_their_own(closed_october: Flask) -> None:
    agree("Grace")
    agree("Ada", vat=Vat("small-business", exemption="§ 19 UStG"), supplier_vat_id=None)
    issued, refused = operations.issue_month(OCTOBER, by=ADMINISTRATOR, now=AFTER)
    assert [row.number for row in issued] == ["SB-LM-0001", "SB-LM-0001"]
    assert refused == {}
    assert [row.vat_minor for row in issued] == [0, 81_700]
    again, why = operations.issue_month(OCTOBER, by=ADMINISTRATOR, now=AFTER)
    assert again == []
    assert sorted(why) == ["Ada", "Grace"]
    lovelace.assert_books_hold()


def test_a_reverse_charge_waits_for_the_firm_s_own_vat_id(closed_october: Flask) -> None:
    agree(vat=Vat("reverse-charge"))
    with pytest.raises(VatIdMissing, match="set the firm's own with `chambers firm vat-id`"):
        issue()
    change_firm(vat_id=DUTCH, by=LEAD, now=AFTER)
    row = issue()
    assert (row.number, row.vat_minor) == ("SB-LM-0001", 0)
    paper = papers.html(queries.figures(row)).decode()
    assert "Reverse charge" in paper
    assert GERMAN in paper
    assert DUTCH in paper
    with pytest.raises(InvalidAgreement, match="both VAT ids are of the same one"):
        agree("Ada", vat=Vat("reverse-charge"), supplier_vat_id=DUTCH)


def test_six_who_issue_at_once_make_one_invoice_and_no_gap(closed_october: Flask) -> None:
    agree()
    found = together(closed_october, *[issue] * 6)
    assert [type(one) for one in found].count(AlreadyInvoiced) == 5
    assert numbers() == ["SB-LM-0001"]
    credit("SB-LM-0001")
    assert numbers() == ["SB-LM-0001", "SB-LM-0002"]
    lovelace.assert_books_hold()


def test_agreements_do_not_overlap_not_even_when_made_at_once(closed_october: Flask) -> None:
    made = together(closed_october, *[agree] * 4)
    assert [type(one) for one in made].count(AgreementsOverlap) == 3
    with pytest.raises(AgreementsOverlap, match="from 1 October 2026 until 1 October 2027; end it first"):
        agree(from_on=date(2027, 9, 30))
    agree(from_on=date(2027, 10, 1))
    lovelace.assert_books_hold()


def test_consent_lasts_as_long_as_the_firm_s_setting(closed_october: Flask) -> None:
    with pytest.raises(AgreementTooLong, match="12 months at most; end this one by 1 October 2027"):
        agree(until_on=date(2027, 10, 2))
    change_firm(self_billing_months=24, by=LEAD, now=AFTER)
    assert agree(until_on=date(2027, 10, 2)).until_on == date(2027, 10, 2)
    assert agree("Ada").until_on == date(2028, 10, 1)


def test_an_agreement_ends_once_and_not_before_what_it_was_used_for(closed_october: Flask) -> None:
    found = agree()
    issue()
    with pytest.raises(InvoicedSince, match="end it from the day after, or later"):
        end(found)
    with pytest.raises(InvalidAgreement, match="end it within that"):
        end(found, on=date(2027, 10, 2))
    assert end(found, on=date(2026, 11, 2)).ended_by == "supplier"
    with pytest.raises(AgreementEnded):
        end(found, on=date(2026, 12, 1))
    lovelace.assert_books_hold()


def test_one_that_was_ended_before_it_began_is_in_nobody_s_way(closed_october: Flask) -> None:
    end(agree(from_on=date(2026, 12, 1)), on=date(2026, 12, 1))
    agree()
    assert issue().number == "SB-LM-0001"
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"consented_on": date(2026, 11, 2)}, "Consent is recorded when it has been given"),
        ({"from_on": date(2026, 9, 30)}, "begins on the day of consent or later"),
        ({"until_on": START}, "ends after it begins"),
        ({"supplier_address": []}, "names its supplier's address"),
    ],
)
def test_an_agreement_that_cannot_be_is_refused(closed_october: Flask, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidAgreement, match=said):
        agree(**changes)


def test_only_a_closed_month_with_a_statement_is_billed(ready_october: Flask) -> None:
    agree()
    with pytest.raises(NotFound, match="it is issued when the month closes"):
        issue()
    assert numbers() == []
