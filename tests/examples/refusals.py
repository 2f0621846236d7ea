"""What every refusal has in common: the right class, a sentence that says what to do, and nothing half done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from firm.db import db, reading
from firm.errors import ChambersError


def all_rows() -> dict[str, list[str]]:
    """Every row of every table."""
    with reading() as session:
        return {
            name: sorted(repr(tuple(row)) for row in session.execute(text(f'SELECT * FROM "{name}"')))
            for name in sorted(db.metadata.tables)
        }


@contextmanager
def refused(kind: type[ChambersError], words: str) -> Iterator[None]:
    """The work inside is refused with a sentence that holds the words, and leaves every table as it was."""
    before = all_rows()
    with pytest.raises(kind, match=words) as caught:
        yield
    assert type(caught.value) is kind
    assert caught.value.message.endswith((".", "`."))
    assert caught.value.message[0].isupper() or caught.value.message[0] in "'\"`" or caught.value.message[0].isalnum()
    assert all_rows() == before
