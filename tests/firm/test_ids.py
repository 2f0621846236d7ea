"""Ids sort by their making and never come twice."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm import ids


def test_later_ids_sort_later_also_within_a_millisecond() -> None:
    made = [ids.new("eng") for _ in range(5_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_many_ids_are_in_order_and_follow_those_before() -> None:
    before = ids.new("inv")
    many = ids.new_many("inv", 1_000)
    after = ids.new("inv")
    assert [before, *many, after] == sorted({before, *many, after})


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = [one for many in threads.map(lambda _: ids.new_many("pay", 500), range(16)) for one in many]
        made += threads.map(lambda _: ids.new("pay"), range(500))
    assert len(set(made)) == 16 * 500 + 500


def test_a_forked_child_never_makes_its_parent_s_ids() -> None:
    ids.new("eng")
    children = [_ids_of_a_fork(200) for _ in range(3)]
    made = [one for child in children for one in child] + ids.new_many("eng", 200)
    assert len(set(made)) == 800


def _ids_of_a_fork(number: int) -> list[str]:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of forks beside threads; that is what gunicorn does too.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(ids.new_many("eng", number)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        made = pipe.read().splitlines()
    assert os.waitpid(child, 0)[1] == 0
    return made


@given(st.integers(0, 2**63 - 1))
def test_a_number_reads_back_from_its_id(number: int) -> None:
    identifier = ids.numbered("je", number)
    assert ids.number_of("je", identifier) == number
    assert ids.is_id(identifier)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_numbered_ids_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert (one < other) == (ids.numbered("je", one) < ids.numbered("je", other))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "je",
        "je_",
        "eng_00000000000001",
        "je_0000000000001",
        "je_000000000000001",
        "je_0000000000000U",
        "je_0000000000000l",
        "je_ZZZZZZZZZZZZZZ",
        "je_00000000000001\n",
        "je_٠٠٠٠٠٠٠٠٠٠٠٠٠١",
        "je_01K9ABCDEFGHJKMNPQRSTVWXYZ",
    ],
)
def test_other_text_is_no_numbered_id(text: str) -> None:
    assert ids.number_of("je", text) is None


def test_names_of_things_are_no_ids() -> None:
    assert ids.is_id(ids.new("eng"))
    for name in ("Acme", "ssh", "INV-2026-0001", "eng_", "a_0123456789ABCD", "eng-01K9", "ENG_01K900000000000000"):
        assert not ids.is_id(name)


def test_an_id_fits_its_column() -> None:
    assert len(ids.new("abcde")) <= 34
