"""No account number stays in a bank's text, however it is written; nothing else is taken out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.bank_files.discretion import clean

IBANS = (
    *("DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"),
    *("TR330006100519786457841326", "AE070331234567890123456", "BR1800360305000010009795493C1"),
    *("UA213223130000026007233566001", "LC55HEMM000100010012001200023015"),
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Fee", "Fee"),
        ("to DE89370400440532013000", "to (account)"),
        ("IBAN:DE89 3704 0044 0532 0130 00 Rent", "IBAN:(account) Rent"),
        ("ibande89370400440532013000rent", "iban(account)rent"),
        ("DE89-3704-0044-0532-0130-00", "(account)"),
        ("DE88370400440532013000", "DE88370400440532013000"),
        ("RF18539007547034", "RF18539007547034"),
        ("a\r\nb\tc\x00d", "a b c d"),
        ("", ""),
    ],
)
def test_an_account_is_taken_out_and_the_rest_stays(text: str, kept: str) -> None:
    assert clean(text, most=140) == kept


@given(st.text(max_size=30), st.sampled_from(IBANS), st.text(max_size=30))
def test_an_account_is_found_wherever_it_stands(before: str, iban: str, after: str) -> None:
    assert iban not in clean(f"{before} {iban} {after}", most=500)


@given(st.text(max_size=2_000), st.integers(1, 140))
def test_what_is_kept_is_one_short_line(text: str, most: int) -> None:
    kept = clean(text, most=most)
    assert len(kept) <= most
    assert kept.isprintable()
