"""Posting and reversing: one cause is booked once, whole, and in an open month."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from firm.audit.model import audit_record
from firm.db import reading, transaction
from firm.errors import Refused
from firm.ledger import accounts, journal, periods, queries
from firm.ledger.entry import Entry, credit, debit
from firm.ledger.journal import AlreadyPosted, AlreadyReversed, EntryNotFound, UnknownAccount
from firm.ledger.model import journal_entry, posting
from firm.ledger.periods import EarlierMonthOpen, MonthClosed
from firm.listing import Slice
from firm.money import Money
from firm.month import Month
from tests.firm import books
from tests.firm.books import CLERK, DAY, NOW, OCTOBER, sale, usd

NOVEMBER_DAY = date(2026, 11, 5)
pytestmark = pytest.mark.usefixtures("ledger")


def number_of_rows() -> tuple[int, int, int]:
    with reading() as session:
        tables = (journal_entry, posting, audit_record)
        entries, lines, records = (session.scalar(select(func.count()).select_from(table)) for table in tables)
    return entries or 0, lines or 0, records or 0


def balance(account: str, currency: str = "USD", **dimensions: str) -> str:
    with reading() as session:
        return str(queries.balance_of(session, account, currency, **dimensions))


def test_an_entry_stands_in_the_books_as_it_was_posted() -> None:
    entry = Entry(
        "receipt:1",
        DAY,
        "Received from Acmé ✓",
        (
            debit(accounts.BANK, usd("100.00")),
            credit(accounts.RECEIVABLES, usd("60.00"), client_id="cli_acme"),
            credit(accounts.RECEIVABLES, usd("40.00"), client_id="cli_globex"),
        ),
        adjusts=OCTOBER.previous,
    )
    [number] = books.post(entry)
    with reading() as session:
        posted = queries.entry(session, number)
    assert posted.lines == entry.lines
    assert (posted.source, posted.on, posted.narration) == ("receipt:1", DAY, "Received from Acmé ✓")
    assert (posted.adjusts, posted.reverses) == (OCTOBER.previous, None)
    assert (posted.posted_at, posted.posted_by) == (NOW, "clerk")
    assert str(posted) == (
        "dr assets:bank          100.00 USD\ncr assets:receivables    60.00 USD\ncr assets:receivables    40.00 USD"
    )
    assert books.breaches() == {}


def test_a_batch_stands_in_the_books_like_single_entries() -> None:
    entries = [sale(f"sale:{number}", usd("1.00"), client_id=f"cli_{number % 3}") for number in range(50)]
    numbers = books.post_many(entries)
    assert numbers == sorted(set(numbers))
    with reading() as session:
        assert [queries.entry(session, number).lines for number in numbers] == [entry.lines for entry in entries]
    assert balance(accounts.BANK) == "50.00 USD"
    assert balance(accounts.BANK, client_id="cli_0") == "17.00 USD"
    assert books.breaches() == {}


def test_an_empty_batch_is_no_entry() -> None:
    assert books.post_many([]) == []
    assert number_of_rows() == (0, 0, 0)


def test_every_posting_leaves_an_audit_record() -> None:
    books.post(sale("sale:1", usd("1.00")))
    books.post_many([sale("sale:2", usd("1.00")), sale("sale:3", usd("1.00"))])
    with reading() as session:
        verbs = session.execute(select(audit_record.c.verb, audit_record.c.actor).order_by(audit_record.c.id)).all()
    assert verbs == [("entry.posted", "clerk"), ("entries.posted", "clerk")]


def test_one_cause_is_booked_once() -> None:
    books.post(sale("sale:1", usd("1.00")))
    before = number_of_rows()
    with pytest.raises(AlreadyPosted, match="sale:1 is in the books already"):
        books.post(sale("sale:1", usd("2.00")))
    with pytest.raises(AlreadyPosted):
        books.post_many([sale("sale:2", usd("2.00")), sale("sale:1", usd("2.00"))])
    assert number_of_rows() == before
    assert balance(accounts.BANK) == "1.00 USD"


def test_a_batch_that_names_a_cause_twice_is_not_booked_at_all() -> None:
    with pytest.raises(AlreadyPosted, match="one of 2 entries"):
        books.post_many([sale("sale:1", usd("2.00")), sale("sale:1", usd("2.00"))])
    assert number_of_rows() == (0, 0, 0)


def test_an_account_outside_the_chart_takes_no_line() -> None:
    wrong = Entry("x", DAY, "Wrong", (debit("assets:cellar", usd("1.00")), credit(accounts.BANK, usd("1.00"))))
    with pytest.raises(UnknownAccount, match="assets:cellar in USD"):
        books.post(wrong)
    with pytest.raises(UnknownAccount, match="assets:cellar in USD"):
        books.post_many([wrong])
    assert number_of_rows() == (0, 0, 0)


def test_an_account_takes_no_line_of_a_currency_that_is_not_open() -> None:
    with pytest.raises(UnknownAccount, match="assets:bank in JPY"):
        books.post(sale("sale:1", Money(100, "JPY")))


def test_an_entry_of_two_currencies_balances_in_each() -> None:
    bought = Entry(
        "exchange:1",
        DAY,
        "Bought euros",
        (
            debit(accounts.BANK, Money(100_00, "EUR")),
            credit(accounts.EXCHANGE, Money(100_00, "EUR")),
            debit(accounts.EXCHANGE, usd("108.00")),
            credit(accounts.BANK, usd("108.00")),
        ),
    )
    books.post(bought)
    assert balance(accounts.BANK, "EUR") == "100.00 EUR"
    assert balance(accounts.BANK) == "-108.00 USD"
    assert books.breaches() == {}


# --- Months ---


def test_a_closed_month_takes_no_entry() -> None:
    books.post(sale("sale:1", usd("1.00")))
    assert books.close()
    before = number_of_rows()
    with pytest.raises(MonthClosed, match="October 2026 is closed; post the correction in an open month"):
        books.post(sale("sale:2", usd("1.00")))
    with pytest.raises(MonthClosed, match="October 2026 is closed"):
        books.post_many([sale("sale:3", usd("1.00"), on=NOVEMBER_DAY), sale("sale:4", usd("1.00"))])
    assert number_of_rows() == before


def test_what_comes_late_is_booked_later_and_says_what_it_adjusts() -> None:
    books.post(sale("sale:1", usd("1.00")))
    books.close()
    [number] = books.post(sale("sale:2", usd("1.00"), on=NOVEMBER_DAY, adjusts=OCTOBER))
    with reading() as session:
        assert queries.entry(session, number).adjusts == OCTOBER
    assert books.breaches() == {}


def test_an_entry_adjusts_an_earlier_month_only() -> None:
    with pytest.raises(Exception, match="adjusts_an_earlier_month"):
        books.post(sale("sale:1", usd("1.00"), adjusts=OCTOBER))
    assert number_of_rows() == (0, 0, 0)


def test_closing_twice_changes_nothing() -> None:
    assert books.close()
    before = number_of_rows()
    assert not books.close()
    assert number_of_rows() == before


def test_closing_opens_the_next_month() -> None:
    books.close()
    books.post(sale("sale:1", usd("1.00"), on=NOVEMBER_DAY))
    with reading() as session:
        assert periods.is_closed(session, OCTOBER)
        assert not periods.is_closed(session, OCTOBER.next)
        assert periods.earliest_open(session, first=OCTOBER) == OCTOBER.next


def test_months_are_closed_in_their_order() -> None:
    with pytest.raises(EarlierMonthOpen, match="Close October 2026 first"):
        books.close(OCTOBER.next)


def test_opening_a_month_twice_is_harmless_and_a_closed_one_stays_closed() -> None:
    books.close()
    for _ in range(2):
        with transaction() as session:
            periods.open_month(session, OCTOBER)
            periods.open_month(session, Month(2027, 5))
    with reading() as session:
        assert periods.is_closed(session, OCTOBER)


def test_a_step_of_a_close_is_claimed_once() -> None:
    claimed = []
    for _ in range(2):
        with transaction() as session:
            periods.open_month(session, OCTOBER)
            claimed.append(periods.claim_step(session, OCTOBER, "recognize", items=0, total_minor=0, by=CLERK, now=NOW))
    with transaction() as session:
        periods.set_result(session, OCTOBER, "recognize", items=3, total_minor=500)
    with reading() as session:
        [step] = periods.steps(session, OCTOBER)
    assert claimed == [True, False]
    assert (step.name, step.items, step.total_minor, step.done_by) == ("recognize", 3, 500, "clerk")


# --- Reversals ---


def test_a_reversal_is_the_exact_negation() -> None:
    [number] = books.post(sale("sale:1", usd("12.34"), client_id="cli_acme"))
    undone = books.reverse(number)
    with reading() as session:
        original, reversal = queries.entry(session, number), queries.entry(session, undone)
    assert reversal.lines == tuple(line.negated() for line in original.lines)
    assert (reversal.reverses, reversal.source, reversal.adjusts) == (number, f"reversal:{number}", None)
    assert reversal.narration == "Reversal of: Sale sale:1 (a mistake)"
    assert balance(accounts.BANK) == "0.00 USD"
    assert books.breaches() == {}


def test_an_entry_of_a_closed_month_is_reversed_in_an_open_one() -> None:
    [number] = books.post(sale("sale:1", usd("12.34")))
    books.close()
    with pytest.raises(MonthClosed):
        books.reverse(number)
    undone = books.reverse(number, on=NOVEMBER_DAY)
    with reading() as session:
        assert queries.entry(session, undone).adjusts == OCTOBER
    assert books.breaches() == {}


def test_an_entry_is_reversed_at_most_once() -> None:
    [number] = books.post(sale("sale:1", usd("12.34")))
    books.reverse(number)
    with pytest.raises((AlreadyReversed, AlreadyPosted)):
        books.reverse(number)
    assert balance(accounts.BANK) == "0.00 USD"


def test_a_reversal_can_itself_be_reversed() -> None:
    [number] = books.post(sale("sale:1", usd("12.34")))
    books.reverse(books.reverse(number))
    assert balance(accounts.BANK) == "12.34 USD"
    assert books.breaches() == {}


def test_a_reversal_is_not_dated_before_its_entry() -> None:
    [number] = books.post(sale("sale:1", usd("1.00")))
    with pytest.raises(Refused, match="before the entry it reverses, in October 2026"):
        books.reverse(number, on=date(2026, 9, 30))


def test_what_is_not_in_the_books_cannot_be_reversed_or_read() -> None:
    with pytest.raises(EntryNotFound, match="no journal entry number 77"):
        books.reverse(77)
    with reading() as session, pytest.raises(EntryNotFound, match="number 77"):
        queries.entry(session, 77)
    with reading() as session, pytest.raises(EntryNotFound, match="Nothing is booked for nothing:1"):
        queries.entry_of(session, "nothing:1")


def test_a_rolled_back_entry_leaves_no_trace() -> None:
    def post_and_fail() -> None:
        with transaction() as session:
            journal.post(session, sale("sale:1", usd("1.00")), by=CLERK, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        post_and_fail()
    assert number_of_rows() == (0, 0, 0)
    assert balance(accounts.BANK) == "0.00 USD"
    books.post(sale("sale:1", usd("1.00")))
    assert books.breaches() == {}


# --- Reading ---


def test_balances_are_told_apart_by_what_they_concern() -> None:
    books.post(
        sale("sale:1", usd("1.00"), client_id="cli_acme", engagement_id="eng_1"),
        sale("sale:2", usd("2.00"), client_id="cli_acme", engagement_id="eng_2"),
        sale("sale:3", usd("4.00"), client_id="cli_globex", engagement_id="eng_3"),
        sale("sale:4", Money(8_00, "EUR"), client_id="cli_acme"),
        sale("sale:5", usd("16.00")),
    )
    assert balance(accounts.BANK) == "23.00 USD"
    assert balance(accounts.BANK, client_id="cli_acme") == "3.00 USD"
    assert balance(accounts.BANK, client_id="cli_acme", engagement_id="eng_2") == "2.00 USD"
    assert balance(accounts.BANK, client_id="cli_nobody") == "0.00 USD"
    with reading() as session:
        by_client = queries.balances_by(session, accounts.RETAINERS, "USD", "client_id")
    assert by_client == {"": usd("-16.00"), "cli_acme": usd("-3.00"), "cli_globex": usd("-4.00")}


def test_the_trial_balance_names_every_account_used_and_sums_to_zero() -> None:
    books.post(sale("sale:1", usd("1.00")), sale("sale:2", Money(5_00, "EUR")))
    with reading() as session:
        rows = queries.trial_balance(session)
    assert [(row.account, str(row.balance)) for row in rows] == [
        ("assets:bank", "5.00 EUR"),
        ("assets:bank", "1.00 USD"),
        ("income:retainers", "-5.00 EUR"),
        ("income:retainers", "-1.00 USD"),
    ]


def test_entries_are_listed_by_month_and_page() -> None:
    numbers = books.post(*(sale(f"sale:{i}", usd("1.00"), on=NOVEMBER_DAY if i % 2 else DAY) for i in range(6)))
    with reading() as session:
        first = queries.entries(session, Slice(limit=2), month=OCTOBER)
        rest = queries.entries(session, Slice((first[-1].number,)), month=OCTOBER)
        everything = queries.entries(session)
    assert [entry.source for entry in (*first, *rest)] == ["sale:0", "sale:2", "sale:4"]
    assert [entry.number for entry in everything] == numbers


def test_the_largest_amounts_are_booked_exactly() -> None:
    most = Money(10**15, "USD")
    books.post(sale("sale:1", most), sale("sale:2", -most), sale("sale:3", usd("0.01")))
    assert balance(accounts.BANK) == "0.01 USD"
    assert books.breaches() == {}
