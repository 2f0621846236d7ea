"""Figures are put into a notice as they are, and none can break out of its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm.errors import InvariantBroken
from firm.notices.template import MOST_SUBJECT, Template, one_line

GREETING = Template("greeting", "News for {name}", "Dear {name},\n\nit is {what}.\n")


def test_figures_stand_in_their_places() -> None:
    assert GREETING.filled({"name": "Grace", "what": "November"}) == (
        "News for Grace",
        "Dear Grace,\n\nit is November.\n",
    )


@given(st.text(), st.text())
def test_whatever_a_name_is_the_subject_is_one_line_and_the_text_keeps_its_lines(name: str, what: str) -> None:
    subject, text = GREETING.filled({"name": name, "what": what})
    assert len(subject) <= MOST_SUBJECT
    assert subject.isprintable()
    assert text.count("\n") == 3


@pytest.mark.parametrize("name", ["{what}", "{0}", "{name.__class__}", "{{name}}"])
def test_a_name_that_looks_like_a_place_is_a_name(name: str) -> None:
    assert GREETING.filled({"name": name, "what": "secret"})[0] == f"News for {name}"


@pytest.mark.parametrize("text", ["{nobody}", "{name.__class__}", "{name!r}", "{name:>9}", "{}"])
def test_a_place_that_nothing_is_put_into_is_a_bug(text: str) -> None:
    with pytest.raises(InvariantBroken, match="a place"):
        Template("broken", "x", text).filled({"name": "Grace"})


def test_control_characters_are_no_part_of_a_line() -> None:
    assert one_line("Grace\r\nBcc: mallory@evil.example\x00\u2028!") == "Grace Bcc: mallory@evil.example !"
