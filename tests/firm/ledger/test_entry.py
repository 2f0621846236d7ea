"""What an entry must be before the database sees it, and how accountants write it."""

from __future__ import annotations

import pytest

from firm.ledger import accounts, queries
from firm.ledger.accounts import InvalidReserveName, reserve_fund
from firm.ledger.entry import Entry, Line, UnbalancedEntry, credit, debit
from firm.money import Money
from tests.firm.books import DAY, OCTOBER, sale, usd


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ((), "at least two lines"),
        ((debit(accounts.BANK, usd("1.00")),), "at least two lines"),
        ((debit(accounts.BANK, usd("1.00")), credit(accounts.RETAINERS, usd("0.99"))), "differ by 0.01 USD"),
        ((debit(accounts.BANK, usd("0.00")), credit(accounts.RETAINERS, usd("0.00"))), "is of zero"),
        ((debit(accounts.BANK, usd("1.00")), credit(accounts.BANK, Money(100, "EUR"))), "differ by 1.00"),
    ],
)
def test_what_does_not_balance_is_not_even_an_entry(lines: tuple[Line, ...], sentence: str) -> None:
    with pytest.raises(UnbalancedEntry, match=sentence):
        Entry("x", DAY, "Wrong", lines)


def test_an_entry_belongs_to_the_month_of_its_day() -> None:
    assert sale("sale:1", usd("1.00")).month == OCTOBER


def test_negating_twice_gives_the_line_again() -> None:
    line = credit(accounts.PAYABLES, usd("1.00"), maintainer_id="mnt_ada", package_id="pkg_ssh")
    assert line.negated().amount == usd("1.00")
    assert line.negated().negated() == line


def test_lines_are_written_with_their_amounts_aligned() -> None:
    lines = [debit(accounts.BANK, usd("10000.00")), credit(accounts.DEFERRED, usd("2.50"), engagement_id="e")]
    assert queries.as_text(lines) == (
        "dr assets:bank                    10,000.00 USD\ncr liabilities:deferred-revenue        2.50 USD"
    )
    assert queries.as_text([]) == ""


@pytest.mark.parametrize("name", ["", "On-Ramp", "a b", "1st", "x" * 41, "ü", "on_ramp", "a:b", "on-ramp\n"])
def test_a_reserve_s_name_fits_into_an_account_code(name: str) -> None:
    assert reserve_fund("on-ramp") == "equity:funds:reserves:on-ramp"
    with pytest.raises(InvalidReserveName, match="lower-case letters"):
        reserve_fund(name)
