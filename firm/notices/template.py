"""The words of a kind of notice, with places for its figures."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

from firm.errors import InvariantBroken

MOST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Template:
    """A name, a subject of one line and a text, both with `{places}` for figures: plain text, put in as it is."""

    name: str
    subject: str
    text: str

    def filled(self, figures: Mapping[str, str]) -> tuple[str, str]:
        """Subject and text. A name with a line break in it stays within its line: it can add no header."""
        told = {name: one_line(value) for name, value in figures.items()}
        return one_line(_filled(self.subject, told))[:MOST_SUBJECT], _filled(self.text, told)


def one_line(text: str) -> str:
    """Text without control characters and with single spaces: what stands in a header or a sentence."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _filled(text: str, figures: Mapping[str, str]) -> str:
    # Only plain names are places: `str.format` would let a template reach into what it is given.
    parts = []
    for literal, name, form, conversion in string.Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            if name not in figures or form or conversion:
                raise InvariantBroken(f"A notice has a place {name!r} that nothing is put into.")
            parts.append(figures[name])
    return "".join(parts)
