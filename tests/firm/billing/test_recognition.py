"""Recognition: each service month once, in its own month or, late, in the open one that names what it adjusts."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from firm.billing import receipts
from firm.billing.receipts import InvalidReceipt, MoreThanOpen, ReceiptKnown
from firm.db import reading
from firm.exchange import operations as exchange
from firm.ledger import queries as ledger
from firm.ledger.journal import EntryNotFound
from firm.money import CurrencyMismatch, Money
from tests import lovelace
from tests.examples.refusals import refused
from tests.firm.billing import retainers
from tests.firm.billing.retainers import DECEMBER, NOVEMBER
from tests.firm.books import together
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, usd


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


@pytest.fixture
def firm(app: Flask) -> Flask:
    """A firm that sells, with nothing sold yet."""
    retainers.establish()
    return app


def receive(number: str, amount: Money, reference: str) -> object:
    return receipts.record(
        number, amount=amount, received_on=date(2026, 11, 3), reference=reference, by=LEAD, now=AFTER
    )


def test_a_prepaid_year_is_earned_month_by_month(firm: Flask) -> None:
    retainers.sell("Acme", cycle="yearly")
    for number, deferred in ((0, "-34,100.00"), (1, "-31,000.00"), (2, "-27,900.00")):
        closing = retainers.close(OCTOBER.plus(number))
        assert closing.recognized == usd("3100.00")
        assert lovelace.trial_balance()["liabilities:deferred-revenue"] == f"{deferred} USD"
        lovelace.assert_books_hold()


def test_what_is_signed_late_is_earned_in_the_open_month_and_says_which_one_it_adjusts(firm: Flask) -> None:
    retainers.sell("Globex", usd("100.00"))
    retainers.close(OCTOBER)
    retainers.sell("Acme", cycle="quarterly", starts_on=date(2026, 10, 22))
    closing = retainers.close(NOVEMBER)
    assert closing.recognized == usd("4200.00")
    assert [entry.splitlines()[0] for entry in retainers.entries(NOVEMBER)] == [
        "Invoice INV-2026-0002",
        "Invoice INV-2026-0003",
        "Retainer of November 2026",
        "Retainer of October 2026 (adjusts 2026-10)",
        "Retainer of November 2026",
    ]
    assert ("2026-10", "2026-11", 100_000, 100_000) in retainers.recognized()
    lovelace.assert_books_hold()


def test_a_client_who_pays_in_euros_is_earned_at_the_rate_of_the_month(firm: Flask) -> None:
    retainers.sell("Hooli", eur("1000.01"), cycle="quarterly")
    for month, rate in ((OCTOBER, "1.0850"), (NOVEMBER, "1.1"), (DECEMBER, "0.99999999")):
        exchange.set_rate("EUR", month, rate, source="ECB", by=LEAD, now=BEFORE)
        retainers.close(month)
    assert [booked for *_, booked in retainers.recognized()] == [108_501, 110_001, 100_001]
    assert retainers.entries(OCTOBER)[1] == (
        "Retainer of October 2026\n"
        "dr liabilities:deferred-revenue   1,000.01 EUR\n"
        "cr equity:exchange                1,000.01 EUR\n"
        "dr equity:exchange                1,085.01 USD\n"
        "cr income:retainers               1,085.01 USD"
    )
    with reading() as session:
        sums = {(row.account, row.balance.currency): row.balance for row in ledger.trial_balance(session)}
    for currency in ("USD", "EUR"):
        assert sum(balance.minor for (_, where), balance in sums.items() if where == currency) == 0
    assert sums["assets:receivables", "EUR"] == eur("3000.03")
    assert sums["income:retainers", "USD"] == usd("-3185.03")
    lovelace.assert_books_hold()


def test_an_invoice_is_paid_in_parts_and_never_more_than_is_open(firm: Flask) -> None:
    retainers.sell("Acme")
    retainers.close(OCTOBER)
    receive("INV-2026-0001", usd("1000.00"), "b1")
    with refused(MoreThanOpen, "2,100.01 USD is more than the 2,100.00 USD open on INV-2026-0001"):
        receive("INV-2026-0001", usd("2100.01"), "b2")
    [one] = retainers.issued()
    assert (one.state, str(one.open_amount)) == ("open", "2,100.00 USD")
    receive("INV-2026-0001", usd("2100.00"), "b3")
    [one] = retainers.issued()
    assert (one.state, str(one.open_amount)) == ("paid", "0.00 USD")
    assert lovelace.trial_balance()["assets:bank"] == "3,100.00 USD"
    assert "assets:receivables" not in lovelace.trial_balance()
    lovelace.assert_books_hold()


def test_one_payment_of_the_bank_is_recorded_once(firm: Flask) -> None:
    retainers.sell("Acme")
    retainers.close(OCTOBER)
    receive("INV-2026-0001", usd("1000.00"), "b1")
    with refused(ReceiptKnown, "A receipt with the reference 'b1' is recorded already"):
        receive("INV-2026-0001", usd("1000.00"), "b1")
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("amount", "kind", "words"),
    [
        (usd("0.00"), InvalidReceipt, "A receipt is of an amount above zero"),
        (usd("-5.00"), InvalidReceipt, "A receipt is of an amount above zero"),
        (eur("5.00"), CurrencyMismatch, "Invoice INV-2026-0001 is in USD"),
    ],
    ids=["nothing", "negative", "euros"],
)
def test_money_that_does_not_belong_to_the_invoice_is_refused(
    firm: Flask, amount: Money, kind: type, words: str
) -> None:
    retainers.sell("Acme")
    retainers.close(OCTOBER)
    with refused(kind, words):
        receive("INV-2026-0001", amount, "b1")


def test_receipts_at_the_same_moment_never_overpay_an_invoice(firm: Flask) -> None:
    retainers.sell("Acme")
    retainers.close(OCTOBER)
    work = [lambda n=n: receive("INV-2026-0001", usd("1000.00"), f"b{n}") for n in range(6)]
    results = together(firm, *work)
    refusals = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in refusals] == [MoreThanOpen] * 3, results
    assert [str(one.open_amount) for one in retainers.issued()] == ["100.00 USD"]
    assert lovelace.trial_balance()["assets:bank"] == "3,000.00 USD"
    lovelace.assert_books_hold()


def test_one_payment_entered_by_two_people_at_the_same_moment_is_recorded_once(firm: Flask) -> None:
    retainers.sell("Acme")
    retainers.close(OCTOBER)
    results = together(firm, *[lambda: receive("INV-2026-0001", usd("1000.00"), "b1")] * 4)
    refusals = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in refusals] == [ReceiptKnown] * 3, results
    assert lovelace.trial_balance()["assets:bank"] == "1,000.00 USD"
    lovelace.assert_books_hold()


def test_a_month_without_any_client_earns_nothing_and_closes(firm: Flask) -> None:
    assert retainers.close(OCTOBER).recognized == usd("0.00")
    with pytest.raises(EntryNotFound), reading() as session:
        ledger.entry_of(session, f"allocation:{OCTOBER}")
    lovelace.assert_books_hold()
