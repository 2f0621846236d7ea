"""SEPA files: valid by the published schema, read back by somebody else's eyes, the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sepaxml
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from api.parts import parts
from firm import faults
from firm.db import reading
from firm.errors import Misconfigured
from firm.money import Money
from payouts.rails.rail import Batch, Order, Payee, Payer, Refused, Sent
from payouts.rails.sepa import calendar, references
from payouts.rails.sepa.latin import latin
from payouts.rails.sepa.rail import SepaRail
from payouts.runs import files, queries, sending
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR
from tests.payouts import euros, paying
from tests.payouts.euros import IBANS
from tests.payouts.paying import LATER

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
PAYER = Payer("Lovelace Maintainers", euros.FIRM_IBAN, None)
SCHEME = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")
"""The characters that every bank of the scheme takes (EPC217-08, the minimum Latin set)."""


@pytest.fixture(scope="session")
def schema() -> etree.XMLSchema:
    """pain.001.001.09 as ISO 20022 publishes it; it comes with another project's package."""
    return etree.XMLSchema(etree.parse(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"))


def order(number: int, minor: int, name: str = "Grace Hopper", *, memo: str = "Lovelace RUN-2026-0001") -> Order:
    payee = Payee(name, "FR", IBANS[number % len(IBANS)], None if number % 2 else "ABNANL2A")
    identifier = f"pay_{number:026d}"
    return Order(f"{identifier}-1", identifier, "RUN-2026-0001", Money(minor, "EUR"), payee, memo)


def file_of(*orders: Order, payer: Payer = PAYER, on: date = date(2026, 11, 3)) -> bytes:
    text = SepaRail().file(Batch("RUN-2026-0001-ABCDEFGH", NOW, on, orders), payer)
    assert text is not None
    return text.encode()


def read_back(content: bytes, path: str) -> list[str]:
    """The texts at a path of local names, read without the product's own code."""
    steps = "/".join(f"*[local-name()='{name}']" for name in path.split("/"))
    return [str(node.text) for node in etree.fromstring(content).xpath(f"//{steps}")]


def test_a_file_is_valid_and_says_what_it_pays(schema: etree.XMLSchema) -> None:
    content = file_of(order(1, 430_000), order(2, 195_000, "Ada Lovelace"))
    schema.assertValid(etree.fromstring(content))
    assert read_back(content, "GrpHdr/MsgId") == ["RUN-2026-0001-ABCDEFGH"]
    assert read_back(content, "GrpHdr/CreDtTm") == ["2026-11-02T08:30:00Z"]
    assert read_back(content, "GrpHdr/CtrlSum") == read_back(content, "PmtInf/CtrlSum") == ["6250.00"]
    assert read_back(content, "GrpHdr/NbOfTxs") == read_back(content, "PmtInf/NbOfTxs") == ["2"]
    assert read_back(content, "ReqdExctnDt/Dt") == ["2026-11-03"]
    assert read_back(content, "DbtrAcct/Id/IBAN") == [PAYER.iban]
    assert read_back(content, "CdtrAcct/Id/IBAN") == [IBANS[1], IBANS[2]]
    assert read_back(content, "Cdtr/Nm") == ["Grace Hopper", "Ada Lovelace"]
    assert read_back(content, "Amt/InstdAmt") == ["4300.00", "1950.00"]
    assert set(etree.fromstring(content).xpath("//@Ccy")) == {"EUR"}


def test_ten_thousand_orders_are_one_valid_file(schema: etree.XMLSchema) -> None:
    orders = [order(number, number * 101 + 1) for number in range(10_000)]
    content = file_of(*orders)
    schema.assertValid(etree.fromstring(content))
    amounts = [int(text.replace(".", "")) for text in read_back(content, "Amt/InstdAmt")]
    assert amounts == [one.amount.minor for one in orders]
    assert read_back(content, "GrpHdr/CtrlSum") == [Money(sum(amounts), "EUR").decimal]
    assert read_back(content, "GrpHdr/NbOfTxs") == read_back(content, "PmtInf/NbOfTxs") == ["10000"]
    assert len(set(read_back(content, "PmtId/EndToEndId"))) == 10_000
    assert len(set(read_back(content, "CdtrRefInf/Ref"))) == 10_000


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("Søren Kierkegård", "Soren Kierkegard"),
        ("Großmann & Söhne", "Grossmann + Sohne"),
        ("Đorđe Þór Æsir", "Dorde Thor Aesir"),
        ("O’Brien", "O'Brien"),
        ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoylos"),
        ("Юлия Щербакова", "Yuliya Shterbakova"),
        ("I\u0307lker Yıldız – Ltd", "Ilker Yildiz - Ltd"),
        ("山田太郎", "...."),
        ("<b>Ada</b>", ".b.Ada./b."),
        ("  Ada \n Lovelace ", "Ada Lovelace"),
        ("\x00\x1b", ".."),
        ("", "NOTPROVIDED"),
        ("A" * 200, "A" * 70),
    ],
)
def test_names_are_written_in_letters_that_every_bank_takes(schema: etree.XMLSchema, name: str, written: str) -> None:
    content = file_of(order(1, 100, name))
    schema.assertValid(etree.fromstring(content))
    assert read_back(content, "Cdtr/Nm") == [written]


def test_references_use_the_letters_of_the_scheme_too() -> None:
    content = file_of(order(1, 100), order(2, 100, "Łukasz"), payer=Payer("Łódź & Söhne", PAYER.iban, "COBADEFFXXX"))
    texts = [str(node.text or "").strip() for node in etree.fromstring(content).iter()]
    assert [text for text in texts if not SCHEME.fullmatch(text)] == []


@given(name=st.text(max_size=300), memo=st.text(max_size=300), minor=st.integers(1, 10**11))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_are_called_the_file_is_valid(
    schema: etree.XMLSchema, name: str, memo: str, minor: int
) -> None:
    content = file_of(order(1, minor, name, memo=memo), payer=Payer(name, PAYER.iban, None))
    schema.assertValid(etree.fromstring(content))
    assert read_back(content, "Amt/InstdAmt") == [Money(minor, "EUR").decimal]
    assert file_of(order(1, minor, name, memo=memo), payer=Payer(name, PAYER.iban, None)) == content


@pytest.mark.parametrize("minor", [1, 99_999_999_999])
def test_the_smallest_and_the_largest_payment_are_written_to_the_cent(schema: etree.XMLSchema, minor: int) -> None:
    content = file_of(order(1, minor))
    schema.assertValid(etree.fromstring(content))
    assert read_back(content, "Amt/InstdAmt") == read_back(content, "GrpHdr/CtrlSum") == [Money(minor, "EUR").decimal]
    assert isinstance(SepaRail().send(order(1, minor)), Sent)


def test_a_bank_is_named_where_its_bic_is_known_and_never_made_up(schema: etree.XMLSchema) -> None:
    content = file_of(order(1, 100), order(2, 100), payer=Payer("Lovelace", PAYER.iban, "COBADEFFXXX"))
    schema.assertValid(etree.fromstring(content))
    assert read_back(content, "DbtrAgt/FinInstnId/BICFI") == ["COBADEFFXXX"]
    assert read_back(content, "CdtrAgt/FinInstnId/BICFI") == ["ABNANL2A"]
    assert read_back(file_of(order(1, 100)), "DbtrAgt/FinInstnId/Othr/Id") == ["NOTPROVIDED"]
    with pytest.raises(Misconfigured, match="bank-account --bic"):
        file_of(order(1, 100), payer=Payer("Lovelace", PAYER.iban, "cobadeff"))


def test_no_postal_address_is_written_that_a_bank_could_refuse() -> None:
    tags = {etree.QName(node).localname for node in etree.fromstring(file_of(order(1, 100))).iter()}
    assert not tags & {"PstlAdr", "AdrLine"}


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        (date(2026, 11, 3), "2026-11-03"),
        (date(2026, 11, 7), "2026-11-09"),
        (date(2027, 3, 26), "2027-03-30"),
        (date(2026, 12, 25), "2026-12-28"),
    ],
)
def test_a_file_asks_for_a_day_on_which_payments_are_made(wanted: date, written: str) -> None:
    assert read_back(file_of(order(1, 100), on=wanted), "ReqdExctnDt/Dt") == [written]


def test_target_is_closed_on_six_days_a_year_besides_weekends() -> None:
    """The closing days that the European Central Bank has published."""
    published = {
        2024: ["2024-01-01", "2024-03-29", "2024-04-01", "2024-05-01", "2024-12-25", "2024-12-26"],
        2025: ["2025-01-01", "2025-04-18", "2025-04-21", "2025-05-01", "2025-12-25", "2025-12-26"],
        2026: ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25"],
        2027: ["2027-01-01", "2027-03-26", "2027-03-29"],
    }
    for year, closed in published.items():
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
        assert [str(day) for day in days if day.weekday() < 5 and not calendar.is_open(day)] == closed


def test_easter_is_where_the_tables_have_it() -> None:
    known = {1818: "03-22", 1943: "04-25", 2000: "04-23", 2008: "03-23", 2024: "03-31", 2025: "04-20", 2038: "04-25"}
    assert {year: f"{calendar.easter(year):%m-%d}" for year in known} == known


def test_a_payment_carries_a_structured_reference_that_its_payee_can_check(schema: etree.XMLSchema) -> None:
    content = file_of(order(1, 100), order(2, 100))
    schema.assertValid(etree.fromstring(content))
    found = read_back(content, "RmtInf/Strd/CdtrRefInf/Ref")
    assert [text[4:15] for text in found] == ["RUN20260001"] * 2
    assert all(references.is_creditor_reference(text) and len(text) <= 25 for text in found)
    assert read_back(content, "CdtrRefInf/Tp/CdOrPrtry/Cd") == ["SCOR", "SCOR"]
    assert read_back(content, "RmtInf/Ustrd") == []


@pytest.mark.parametrize("known", ["RF18539007547034", "RF712348231", "RF45G72UUR", "RF6518K5"])
def test_check_digits_are_those_of_references_in_use(known: str) -> None:
    assert references.creditor_reference(known[4:]) == known
    assert references.is_creditor_reference(known)


@pytest.mark.parametrize(
    "wrong", ["RF19539007547034", "RF18539007547043", "RF18", "18539007547034", "rf18539007547034"]
)
def test_a_reference_that_was_mistyped_is_seen(wrong: str) -> None:
    assert not references.is_creditor_reference(wrong)


def test_an_end_to_end_id_leads_back_to_its_payout() -> None:
    identifier = order(7, 100).payout_id
    written = references.end_to_end_id(identifier)
    assert references.payout_of(written) == references.payout_of(f" {written.lower()} ") == identifier
    assert [references.payout_of(text) for text in ("NOTPROVIDED", "", "pay-", "run-01", "pay-!")] == [None] * 5


def in_dollars() -> Order:
    one = order(1, 100)
    return Order(one.key, one.payout_id, one.group, Money(100, "USD"), one.payee, one.memo)


def to(iban: str | None, bic: str | None = None) -> Order:
    one = order(1, 100)
    return Order(one.key, one.payout_id, one.group, one.amount, Payee("Grace", "FR", iban, bic), one.memo)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (in_dollars(), "euros only"),
        (order(1, 100_000_000_000), "between 0.01 and 999,999,999.99 EUR"),
        (order(1, 100, "山田太郎"), "Latin letters"),
        (order(1, 100, "12345"), "Latin letters"),
        (order(1, 100, ""), "Latin letters"),
        (to(None), "SEPA pays to an IBAN, and the destination has none"),
        (to("BR1500000000000010932840814P2"), "SEPA does not reach accounts in BR; set a destination on another rail"),
        (to(IBANS[0], "abna"), "BIC"),
    ],
)
def test_what_a_bank_would_refuse_never_gets_into_a_file(refused: Order, why: str) -> None:
    outcome = SepaRail().send(refused)
    assert isinstance(outcome, Refused)
    assert why in outcome.reason


@given(st.text(), st.integers(1, 140))
def test_text_is_cut_to_the_length_a_bank_takes(text: str, most: int) -> None:
    written = latin(text, at_most=most)
    assert written == "NOTPROVIDED" or 1 <= len(written) <= most
    assert SCHEME.fullmatch(written)
    assert latin(written, at_most=140) == written


@pytest.fixture
def approved(app: Flask) -> str:
    """The number of an approved run over SEPA."""
    euros.set_up_firm()
    return euros.approved_run()


def test_a_run_over_sepa_ends_in_one_file_that_never_changes(approved: str, schema: etree.XMLSchema) -> None:
    euros.set_bank_account()
    euros.send(approved)
    content = euros.file_text(approved)
    schema.assertValid(etree.fromstring(content.encode()))
    assert read_back(content.encode(), "GrpHdr/CtrlSum") == ["2000.00"]
    euros.send(approved)
    assert euros.file_text(approved) == content
    with reading() as session:
        kept = queries.find_file(session, queries.find(session, approved).id, "sepa")
    assert PAYER.iban not in kept.content_sealed
    lovelace.assert_books_hold()


def test_a_file_needs_the_firms_account_and_is_written_once_it_is_set(approved: str) -> None:
    with pytest.raises(Misconfigured, match="set it with `chambers firm bank-account --iban"):
        euros.send(approved)
    assert set(paying.states(approved).values()) == {"reserved"}, "nothing is sent that no file could carry"
    lovelace.assert_books_hold()
    euros.set_bank_account()
    euros.send(approved)
    assert read_back(euros.file_text(approved).encode(), "GrpHdr/NbOfTxs") == ["2"]
    lovelace.assert_books_hold()


def test_a_sender_that_died_before_the_file_was_written_is_gone_on_with(approved: str) -> None:
    euros.set_bank_account()

    def die(point: str) -> None:
        if point == files.WRITTEN:
            raise KeyboardInterrupt

    faults.listen(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            euros.send(approved)
    finally:
        faults.listen(None)
    assert set(paying.states(approved).values()) == {"sent"}
    for resumed in ([approved], []):
        assert sending.resume(rails=parts().rails, keys=parts().keys, by=ADMINISTRATOR, now=LATER) == resumed
        assert read_back(euros.file_text(approved).encode(), "GrpHdr/NbOfTxs") == ["2"]
    lovelace.assert_books_hold()


def test_two_senders_at_the_same_moment_write_one_file(app: Flask, approved: str) -> None:
    euros.set_bank_account()
    work: list[Callable[[], object]] = [lambda: euros.send(approved)] * 2
    results = together(app, *work)
    assert [result for result in results if isinstance(result, Exception) and not _asks_to_wait(result)] == []
    euros.send(approved)
    assert read_back(euros.file_text(approved).encode(), "GrpHdr/NbOfTxs") == ["2"]
    lovelace.assert_books_hold()


def _asks_to_wait(error: Exception) -> bool:
    return isinstance(error, sending.StillSending)
