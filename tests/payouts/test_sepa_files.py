"""SEPA files: valid by the published schema, read back by somebody else's eyes, the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sepaxml
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from api.parts import parts
from firm.allocation import operations as allocation
from firm.clients import operations as clients
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.operations import NamedInterest
from firm.errors import Misconfigured
from firm.money import Money
from firm.portfolio import operations as portfolio
from firm.profile import operations as profiles
from payouts import month_end
from payouts.destinations import operations as destinations
from payouts.rails.rail import Batch, Order, Payee, Payer
from payouts.rails.sepa import SepaRail, latin
from payouts.runs import approvals, files, preparation, queries, sending
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.assignments import operations as assignments
from staffing.maintainers import operations as maintainers
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD, OCTOBER, START

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
PAYER = Payer("Lovelace Maintainers", "DE89370400440532013000", None)
IBANS = ("FR1420041010050500013M02606", "NL91ABNA0417164300", "AT611904300234573201", "BE68539007547034")
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


def file_of(*orders: Order, payer: Payer = PAYER) -> bytes:
    text = SepaRail().file(Batch("RUN-2026-0001-ABCDEFGH", NOW, date(2026, 11, 3), orders), payer)
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


def test_a_thousand_orders_are_one_valid_file(schema: etree.XMLSchema) -> None:
    orders = [order(number, number * 101 + 1) for number in range(1000)]
    content = file_of(*orders)
    schema.assertValid(etree.fromstring(content))
    amounts = [int(text.replace(".", "")) for text in read_back(content, "Amt/InstdAmt")]
    assert amounts == [one.amount.minor for one in orders]
    assert read_back(content, "GrpHdr/CtrlSum") == [Money(sum(amounts), "EUR").decimal]
    assert len(set(read_back(content, "PmtId/EndToEndId"))) == 1000


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("Søren Kierkegård", "Soren Kierkegard"),
        ("Großmann & Söhne", "Grossmann + Sohne"),
        ("Đorđe Þór Æsir", "Dorde Thor AEsir"),
        ("O’Brien", "O.Brien"),
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


@given(st.text(), st.integers(1, 140))
def test_text_is_cut_to_the_length_a_bank_takes(text: str, most: int) -> None:
    written = latin(text, at_most=most)
    assert written == "NOTPROVIDED" or 1 <= len(written) <= most
    assert SCHEME.fullmatch(written)
    assert latin(written, at_most=140) == written


def set_up_firm_in_euros() -> None:
    """Lovelace with books in euros: Hooli pays 3,000.00 a month; Grace and Ada are paid by SEPA."""
    lovelace.establish(currency="EUR")
    portfolio.adopt(name="ssh", ecosystem="Go", by=LEAD, now=BEFORE)
    clients.register(name="Hooli", country="DE", by=LEAD, now=BEFORE)
    engagements.add_tier(name="gold", by=LEAD, now=BEFORE)
    engagement = engagements.draft(
        client="Hooli",
        tier="gold",
        fee=Money(300_000, "EUR"),
        cycle="monthly",
        starts_on=START,
        subcontracting_allowed=True,
        interests=[NamedInterest("ssh", False, 24)],
        by=LEAD,
        now=BEFORE,
    )
    engagements.sign(engagement.id, by=LEAD, now=BEFORE)
    allocation.set_plan(from_month=OCTOBER, overhead_bp=2000, reserves={}, weights={"ssh": 1}, by=LEAD, now=BEFORE)
    for name, iban in (("Grace", IBANS[0]), ("Ada", IBANS[1])):
        _hire(name, iban)


def _hire(name: str, iban: str) -> None:
    maintainers.add(
        name=name,
        email=f"{name.lower()}@lovelace.example",
        country="FR",
        grade="junior",
        works_as="subcontractor",
        by=LEAD,
        now=BEFORE,
    )
    assignments.assign(
        maintainer=name, package="ssh", role="co-maintainer", share_bp=5000, from_on=START, by=LEAD, now=BEFORE
    )
    guarantee = Proposal(guarantee=Money(100_000, "EUR"))
    terms.set_terms(name, guarantee, from_month=OCTOBER, by=LEAD, now=BEFORE)
    destinations.set_destination(
        name, rail="sepa", iban=iban, rails=parts().rails, keys=parts().keys, by=LEAD, now=BEFORE
    )


@pytest.fixture
def approved(app: Flask) -> str:
    """The number of an approved run over SEPA."""
    set_up_firm_in_euros()
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    number = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=AFTER).run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    return number


def set_bank_account() -> None:
    profiles.set_bank_account(iban=PAYER.iban, bic=None, keys=parts().keys, by=LEAD, now=AFTER)


def send(number: str) -> object:
    return sending.send(number, rails=parts().rails, keys=parts().keys, by=ADMINISTRATOR, now=AFTER)


def file_text(number: str) -> str:
    return files.file_of(number, "sepa", keys=parts().keys, by=ADMINISTRATOR, now=AFTER)


def test_a_run_over_sepa_ends_in_one_file_that_never_changes(approved: str, schema: etree.XMLSchema) -> None:
    set_bank_account()
    send(approved)
    content = file_text(approved)
    schema.assertValid(etree.fromstring(content.encode()))
    assert read_back(content.encode(), "GrpHdr/CtrlSum") == ["2000.00"]
    send(approved)
    assert file_text(approved) == content
    with reading() as session:
        kept = queries.find_file(session, queries.find(session, approved).id, "sepa")
    assert PAYER.iban not in kept.content_sealed
    lovelace.assert_books_hold()


def test_a_file_needs_the_firms_account_and_is_written_once_it_is_set(approved: str) -> None:
    with pytest.raises(Misconfigured, match="set it with `chambers firm bank-account --iban"):
        send(approved)
    lovelace.assert_books_hold()
    set_bank_account()
    send(approved)
    assert read_back(file_text(approved).encode(), "GrpHdr/NbOfTxs") == ["2"]
    lovelace.assert_books_hold()


def test_two_senders_at_the_same_moment_write_one_file(app: Flask, approved: str) -> None:
    set_bank_account()
    work: list[Callable[[], object]] = [lambda: send(approved)] * 2
    results = together(app, *work)
    assert [result for result in results if isinstance(result, Exception) and not _asks_to_wait(result)] == []
    send(approved)
    assert read_back(file_text(approved).encode(), "GrpHdr/NbOfTxs") == ["2"]
    lovelace.assert_books_hold()


def _asks_to_wait(error: Exception) -> bool:
    return isinstance(error, sending.StillSending)
