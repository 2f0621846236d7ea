"""What a payment pays for, without a database: the oldest first, and what came back in its old place."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm.ledger.queries import Movement
from firm.money import Money
from payouts.remittance.rules import Cover, NotCovered, covers
from payouts.runs.entries import payout_of

DAY = date(2026, 10, 31)


def owed(month: int, amount: int) -> Movement:
    """So much came to be owed; negative for what is to be set off."""
    source = f"earnings:2026-{month:02d}:grace" if amount > 0 else f"adjustment:{month}"
    return moved(source, -amount, DAY.replace(month=month, day=1))


def paid(payout: str, amount: int) -> Movement:
    return moved(f"payout:{payout}", amount)


def came_back(payout: str, amount: int, how: str = "returned") -> Movement:
    return moved(f"payout-{how}:{payout}", -amount)


def moved(source: str, debit: int, on: date = DAY) -> Movement:
    return Movement("grace", Money(debit, "USD"), on, source)


def parts(cover: Cover) -> list[tuple[str, int]]:
    return [(part.source.split(":")[1], part.amount.minor) for part in cover.parts]


CASES: list[tuple[str, list[Movement], int, list[tuple[str, int]], int]] = [
    ("all of one month", [owed(9, 500)], 500, [("2026-09", 500)], 0),
    ("a part of it", [owed(9, 500)], 200, [("2026-09", 200)], 300),
    ("the oldest first", [owed(8, 100), owed(9, 500)], 300, [("2026-08", 100), ("2026-09", 200)], 300),
    (
        "after an earlier payment",
        [owed(8, 100), paid("a", 60), owed(9, 500)],
        540,
        [("2026-08", 40), ("2026-09", 500)],
        0,
    ),
    (
        "a set-off goes first, and stands in its place",
        [owed(8, 100), owed(9, -30), owed(10, 500)],
        570,
        [("2026-08", 100), ("9", -30), ("2026-10", 500)],
        0,
    ),
    ("a set-off in a part payment", [owed(8, 100), owed(9, -30)], 50, [("2026-08", 80), ("9", -30)], 20),
    (
        "what came back is owed in its old place",
        [owed(8, 100), paid("a", 100), owed(9, 500), came_back("a", 100)],
        300,
        [("2026-08", 100), ("2026-09", 200)],
        300,
    ),
    (
        "what came back after another payment went on",
        [owed(8, 100), owed(9, 500), paid("a", 100), paid("b", 500), came_back("a", 100, "refused")],
        100,
        [("2026-08", 100)],
        0,
    ),
    (
        "a part that came back is what was taken last",
        [owed(8, 100), owed(9, 500), paid("a", 600), came_back("a", 120)],
        120,
        [("2026-09", 120)],
        0,
    ),
    (
        "a set-off comes back with its payment",
        [owed(8, 100), owed(9, -30), paid("a", 70), came_back("a", 70)],
        70,
        [("2026-08", 100), ("9", -30)],
        0,
    ),
]


@pytest.mark.parametrize(
    ("name", "movements", "amount", "expected", "remaining"), CASES, ids=[case[0] for case in CASES]
)
def test_a_payment_covers(
    name: str, movements: list[Movement], amount: int, expected: list[tuple[str, int]], remaining: int
) -> None:
    cover = covers(movements, Money(amount, "USD"))
    assert parts(cover) == expected
    assert cover.remaining.minor == remaining


@pytest.mark.parametrize("movements", [[], [owed(9, 99)], [owed(9, 100), owed(10, -1)], [owed(9, 100), paid("a", 1)]])
def test_a_payment_of_more_than_is_owed_breaks(movements: list[Movement]) -> None:
    with pytest.raises(NotCovered):
        covers(movements, Money(100, "USD"))


@pytest.mark.parametrize(
    ("source", "payout"),
    [
        ("payout:pay_1", "pay_1"),
        ("payout-returned:pay_1", "pay_1"),
        ("payout-refused:pay_1", "pay_1"),
        ("payout-reversed:trr_1:pay_1", "pay_1"),
        ("payout-reversed:a:b:pay_1", "pay_1"),
        ("earnings:2026-10:mnt_1", ""),
        ("payouts-fee:2026-10", ""),
    ],
)
def test_movements_of_payouts_are_told_by_their_cause(source: str, payout: str) -> None:
    assert payout_of(source) == payout


@given(st.data())
def test_parts_always_sum_to_the_payment_and_nothing_is_paid_twice(data: st.DataObject) -> None:
    """Random histories of earning, correcting, paying and coming back."""
    movements: list[Movement] = []
    live: dict[str, int] = {}
    balance = 0
    for step in range(data.draw(st.integers(1, 25))):
        kind = data.draw(st.sampled_from(["earn", "correct", "pay", "return"]))
        on = DAY + timedelta(days=step)
        if kind == "earn" or (kind != "return" and balance <= 0):
            amount = data.draw(st.integers(1, 1000))
            movements.append(moved(f"earnings:{step}:grace", -amount, on))
            balance += amount
        elif kind == "correct":
            amount = data.draw(st.integers(1, balance))
            movements.append(moved(f"adjustment:{step}", amount, on))
            balance -= amount
        elif kind == "pay":
            amount = data.draw(st.integers(1, balance))
            cover = covers(movements, Money(amount, "USD"))
            assert sum(part.amount.minor for part in cover.parts) == amount
            assert cover.remaining.minor == balance - amount
            assert all(0 < abs(part.amount.minor) <= abs(part.whole.minor) for part in cover.parts)
            movements.append(paid(f"p{step}", amount))
            live[f"p{step}"] = amount
            balance -= amount
        elif live:
            payout = data.draw(st.sampled_from(sorted(live)))
            movements.append(came_back(payout, live[payout]))
            balance += live.pop(payout)
    if balance > 0:
        whole = covers(movements, Money(balance, "USD"))
        assert whole.remaining.minor == 0
        assert sum(part.amount.minor for part in whole.parts) == balance
