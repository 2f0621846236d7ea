"""The people of the firm, and the names they go by."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.db import reading
from firm.particulars import InvalidParticulars
from staffing.maintainers import operations as maintainers
from staffing.maintainers import queries
from staffing.maintainers.operations import AliasTaken, MaintainerNameTaken
from staffing.maintainers.queries import MaintainerNotFound
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import BEFORE, LEAD


@pytest.fixture
def grace(app: Flask) -> str:
    """Grace, alone in the firm."""
    lovelace.establish()
    return hire("Grace", "grace@lovelace.example")


def hire(name: str, email: str, *, grade: str = "junior", works_as: str = "subcontractor") -> str:
    return maintainers.add(name=name, email=email, country="US", grade=grade, works_as=works_as, by=LEAD, now=BEFORE).id


def test_somebody_is_found_by_every_name_and_address_they_go_by(grace: str) -> None:
    maintainers.add_alias("Grace", name="G. Hopper", email="grace@navy.example", by=LEAD, now=BEFORE)
    with reading() as session:
        directory = queries.directory(session)
    assert directory.who("Amazing Grace", "GRACE@navy.example") == grace
    assert directory.who("g. hopper", "") == grace
    assert directory.who("Charles", "charles@example.org") is None


def test_a_name_says_nothing_about_whoever_has_an_address_of_somebody_else(grace: str) -> None:
    with reading() as session:
        directory = queries.directory(session)
    assert directory.who("Grace", "someone.else@corp.example") is None
    assert directory.who("Grace", "") == grace


def test_an_alias_may_be_added_again_and_belongs_to_one_person(grace: str) -> None:
    for _ in range(2):
        aliases = maintainers.add_alias("Grace", email="grace@navy.example", by=LEAD, now=BEFORE)
    assert [alias.value for alias in aliases] == ["grace", "grace@lovelace.example", "grace@navy.example"]
    hire("Ada", "ada@lovelace.example")
    with refused(AliasTaken, "grace@navy.example is an alias of another maintainer already"):
        maintainers.add_alias("Ada", email="grace@navy.example", by=LEAD, now=BEFORE)


@pytest.mark.parametrize("nothing", [{}, {"name": "", "email": ""}])
def test_an_alias_that_says_neither_name_nor_address_is_refused(grace: str, nothing: dict[str, str]) -> None:
    with refused(InvalidParticulars, "Say another name or another e-mail address under which the maintainer appears"):
        maintainers.add_alias("Grace", **nothing, by=LEAD, now=BEFORE)


def test_two_maintainers_have_two_names_and_two_addresses(grace: str) -> None:
    with refused(MaintainerNameTaken, "There is a maintainer named 'Grace' already"):
        hire("Grace", "other@lovelace.example")
    with refused(AliasTaken, "grace@lovelace.example is an alias of another maintainer already"):
        hire("Grace Hopper", "grace@lovelace.example")


@pytest.mark.parametrize(
    ("grade", "works_as", "words"),
    [
        ("hero", "owner", "'hero' is not known here; use one of lead, associate, junior"),
        ("junior", "volunteer", "'volunteer' is not known here; use one of owner, employee, subcontractor"),
    ],
)
def test_grades_and_ways_to_work_are_those_of_the_trade(grace: str, grade: str, works_as: str, words: str) -> None:
    with refused(InvalidParticulars, words):
        hire("Ada", "ada@lovelace.example", grade=grade, works_as=works_as)


def test_somebody_nobody_knows_is_not_found(grace: str) -> None:
    with refused(MaintainerNotFound, "There is no maintainer 'Charles'"):
        maintainers.add_alias("Charles", name="Chuck", by=LEAD, now=BEFORE)
