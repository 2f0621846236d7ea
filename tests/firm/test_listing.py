"""Slices of lists: read one after the other, in either order, they are the whole list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select

from firm.listing import WHOLE, Slice, where_given

names = st.lists(st.text("abc", min_size=1, max_size=3), unique=True)


@given(names, st.integers(1, 4), st.booleans())
def test_slices_of_worked_out_rows_make_the_whole(rows: list[str], limit: int, newest_first: bool) -> None:
    read: list[str] = []
    part = Slice(limit=limit, newest_first=newest_first)
    while found := part.among(rows, key=lambda row: row):
        read += found
        part = Slice((found[-1],), limit, newest_first)
    assert read == sorted(rows, reverse=newest_first)


lines = Table("line", MetaData(), Column("whose", String), Column("number", Integer), Column("kind", String))


@given(st.sets(st.tuples(st.sampled_from("abc"), st.integers(1, 12))), st.integers(1, 4), st.booleans())
def test_slices_of_a_query_in_the_order_of_two_columns_make_the_whole(
    rows: set[tuple[str, int]], limit: int, newest_first: bool
) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        lines.create(connection)
        if rows:
            connection.execute(lines.insert(), [{"whose": whose, "number": number} for whose, number in rows])
        query, read = select(lines.c.whose, lines.c.number), []
        part = Slice(limit=limit, newest_first=newest_first)
        while found := connection.execute(part.of(query, lines.c.whose, lines.c.number)).all():
            read += [tuple(row) for row in found]
            part = Slice(read[-1], limit, newest_first)
    engine.dispose()
    assert read == sorted(rows, reverse=newest_first)


def test_without_bounds_a_slice_is_everything_and_what_is_not_given_wants_nothing() -> None:
    query = select(lines.c.number)
    assert str(WHOLE.of(query, lines.c.number)) == str(query.order_by(lines.c.number.asc()))
    assert str(where_given(query, (lines.c.whose, None))) == str(query)
    assert "whose = " in str(where_given(query, (lines.c.whose, "ada"), (lines.c.kind, None)))
