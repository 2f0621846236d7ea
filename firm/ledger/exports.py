"""The journal as files that other programs of accounting read: hledger, Beancount, and a table in CSV.

A file holds whole entries, so that it balances by itself; it is written a page at a time, however long the books are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.csvfile import writing
from firm.db import reading, transaction, use_case
from firm.errors import Invalid, NotFound
from firm.ledger import queries
from firm.ledger.entry import Line
from firm.ledger.model import DIMENSIONS, journal_entry
from firm.ledger.queries import PostedEntry
from firm.month import Month

PAGE = 500
COLUMNS = (
    *("entry", "on", "source", "narration", "adjusts", "reverses", "posted_at", "posted_by"),
    *("account", "amount", "currency"),
    *DIMENSIONS,
)


class UnknownFormat(NotFound):
    """The journal is not written in this format."""


class EmptyRange(Invalid):
    """A range of months ends after it begins."""


@use_case
def note_export(form: str, *, first: Month | None, until: Month | None, by: Actor, now: datetime) -> None:
    """Put on record that somebody takes the journal of the months in [first, until) out, before they get a line of it.

    None is no end on that side. Raises `UnknownFormat`, `EmptyRange`.
    """
    if form not in FORMATS:
        raise UnknownFormat(f"The journal is not exported as {form!r}; take one of {', '.join(FORMATS)}.")
    if first is not None and until is not None and until <= first:
        raise EmptyRange(
            "`until_month` is the first month not covered; it lies after `from_month`.", field="until_month"
        )
    with transaction() as session:
        facts = {"format": form, "from_month": first and str(first), "until_month": until and str(until)}
        audit.record(session, "ledger.exported", "firm", facts, by=by, now=now)


def written(form: str, *, first: Month | None, until: Month | None) -> Iterator[str]:
    """The journal of the months in [first, until) in one of `FORMATS`, piece by piece, in the order of its entries."""
    heading, entry_text = FORMATS[form]
    with reading() as session:
        top = heading(session)
    # Never from within a view: whoever stops listening would leave it open.
    yield top
    after = 0
    while True:
        with reading() as session:
            found = _entries(session, first, until, after)
        if not found:
            return
        yield "".join(map(entry_text, found))
        after = found[-1].number


def _entries(session: Session, first: Month | None, until: Month | None, after: int) -> list[PostedEntry]:
    query = select(journal_entry.c.id).where(journal_entry.c.id > after)
    if first is not None:
        query = query.where(journal_entry.c.month >= first)
    if until is not None:
        query = query.where(journal_entry.c.month < until)
    numbers = list(session.scalars(query.order_by(journal_entry.c.id).limit(PAGE)))
    return queries.entries(session, numbers=numbers) if numbers else []


def _hledger_heading(session: Session) -> str:
    return "; Debits are positive, credits negative.\n"


def _hledger(entry: PostedEntry) -> str:
    # In a description a semicolon begins a comment, whose tags end with a comma.
    head = f"\n{entry.on.isoformat()} ({_id(entry)}) {_plain(entry.narration).replace(';', ',')}\n"
    facts = "".join(f"    ; {name}: {_plain(value).replace(',', ' ')}\n" for name, value in _facts(entry))
    lines = "".join(
        f"    {line.account}  {line.amount.decimal} {line.amount.currency}{_tags(line)}\n" for line in entry.lines
    )
    return head + facts + lines


def _tags(line: Line) -> str:
    tags = ", ".join(f"{name}: {value}" for name, value in _dimensions(line))
    return f"  ; {tags}" if tags else ""


def _beancount_heading(session: Session) -> str:
    """Beancount takes no posting on an account before the day on which it was opened."""
    currencies: dict[str, list[str]] = {}
    for row in queries.trial_balance(session):
        currencies.setdefault(row.account, []).append(row.balance.currency)
    day = session.scalar(select(func.min(journal_entry.c.on_date)))
    return "".join(f"{day} open {_capital(account)} {','.join(found)}\n" for account, found in currencies.items())


def _beancount(entry: PostedEntry) -> str:
    head = f'\n{entry.on.isoformat()} * "{_escaped(entry.narration)}"\n  entry: "{_id(entry)}"\n'
    facts = "".join(f'  {name}: "{_escaped(value)}"\n' for name, value in _facts(entry))
    lines = [
        f"  {_capital(line.account)}  {_amount(line)}\n"
        + "".join(f'    {name}: "{value}"\n' for name, value in _dimensions(line))
        for line in entry.lines
    ]
    return head + facts + "".join(lines)


def _capital(account: str) -> str:
    """Every part of an account begins with a capital there: Assets:Unbilled-revenue."""
    return ":".join(part[:1].upper() + part[1:] for part in account.split(":"))


def _escaped(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace('"', '\\"')


def _csv_heading(session: Session) -> str:
    return writing.write(COLUMNS, [])


def _csv(entry: PostedEntry) -> str:
    reverses = ids.numbered("ent", entry.reverses) if entry.reverses else None
    head = (_id(entry), entry.on, entry.source, entry.narration, entry.adjusts, reverses)
    who = (_moment(entry.posted_at), entry.posted_by)
    return "".join(
        writing.line_of((*head, *who, line.account, line.amount, line.amount.currency, *_values(line)))
        for line in entry.lines
    )


def _amount(line: Line) -> str:
    return f"{line.amount.decimal} {line.amount.currency}"


def _id(entry: PostedEntry) -> str:
    return ids.numbered("ent", entry.number)


def _facts(entry: PostedEntry) -> Iterable[tuple[str, str]]:
    """What stands in the notes of an entry."""
    yield "source", entry.source
    if entry.adjusts is not None:
        yield "adjusts", str(entry.adjusts)
    if entry.reverses is not None:
        yield "reverses", ids.numbered("ent", entry.reverses)
    yield "posted_by", entry.posted_by


def _values(line: Line) -> tuple[str, ...]:
    return tuple(getattr(line, name) for name in DIMENSIONS)


def _dimensions(line: Line) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in zip(DIMENSIONS, _values(line), strict=True) if value)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(text: str) -> str:
    """On one line, whatever somebody wrote: a line of its own would be another entry."""
    return " ".join(text.split())


FORMATS: dict[str, tuple[Callable[[Session], str], Callable[[PostedEntry], str]]] = {
    "hledger": (_hledger_heading, _hledger),
    "beancount": (_beancount_heading, _beancount),
    "csv": (_csv_heading, _csv),
}
"""Each format: how its file begins, and how it writes an entry."""
