"""Reading the books: balances, entries, trial balance. Balances come from the kept rows, not from postings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, func, select, union_all
from sqlalchemy.orm import Session

from firm import ids
from firm.ledger.entry import Line
from firm.ledger.journal import EntryNotFound
from firm.ledger.model import BALANCE_KEY, DIMENSIONS, balance, balance_delta, journal_entry, posting
from firm.listing import WHOLE, Slice, where_given
from firm.money import Money
from firm.month import Month

_LATER = journal_entry.alias("later")
_TAKEN_BACK_BY = (
    select(_LATER.c.id).where(_LATER.c.reverses_id == journal_entry.c.id).scalar_subquery().label("taken_back_by")
)


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """A journal entry as it stands in the books."""

    number: int
    source: str
    on: date
    narration: str
    adjusts: Month | None
    reverses: int | None
    posted_at: datetime
    posted_by: str
    lines: tuple[Line, ...]
    reversed_by: int | None = None
    """The entry that takes it back."""

    def __str__(self) -> str:
        return as_text(self.lines)


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account's balance, debit positive."""

    account: str
    balance: Money


@dataclass(frozen=True, slots=True)
class Movement:
    """One posting on an account: whose, how much (debit positive), when, and what caused it."""

    maintainer_id: str
    amount: Money
    on: date
    source: str


def as_text(lines: Iterable[Line]) -> str:
    """Lines as accountants write them, "dr assets:bank   10,000.00 USD", amounts aligned."""
    rows = [(line.account, line.amount) for line in lines]
    width = max((len(account) for account, _ in rows), default=0)
    figures = [str(Money(abs(amount.minor), amount.currency)) for _, amount in rows]
    column = max(map(len, figures), default=0)
    return "\n".join(
        f"{'dr' if amount.minor > 0 else 'cr'} {account:<{width}}   {figure:>{column}}"
        for (account, amount), figure in zip(rows, figures, strict=True)
    )


def balance_of(session: Session, account: str, currency: str, **dimensions: str) -> Money:
    """One account's balance, debit positive; with dimensions (`maintainer_id=…`), that part of it."""
    rows = _current(*_where(account, currency, dimensions))
    return Money(int(session.scalar(select(func.coalesce(func.sum(rows.c.amount_minor), 0))) or 0), currency)


def balances_by(session: Session, account: str, currency: str, dimension: str) -> dict[str, Money]:
    """One account's balances by one dimension, in the order of its ids; zero balances are left out."""
    rows = _current(*_where(account, currency, {}), keys=(dimension,))
    by = rows.c[dimension]
    found = session.execute(select(by, func.sum(rows.c.amount_minor)).group_by(by).order_by(by))
    return {key: Money(int(amount), currency) for key, amount in found if amount}


def trial_balance(session: Session) -> list[AccountBalance]:
    """Every account that was ever posted to, in the order of code and currency."""
    rows = _current(keys=("account", "currency"))
    found = session.execute(
        select(rows.c.account, rows.c.currency, func.sum(rows.c.amount_minor))
        .group_by(rows.c.account, rows.c.currency)
        .order_by(rows.c.account, rows.c.currency)
    )
    return [AccountBalance(account, Money(int(amount), currency)) for account, currency, amount in found]


def balances(session: Session) -> list[list[Any]]:
    """The trial balance in JSON's values, to compare books by: account, currency and amount in minor units."""
    return sorted([row.account, row.balance.currency, row.balance.minor] for row in trial_balance(session))


def number_of_entries(session: Session) -> int:
    """How many entries the journal has."""
    return session.scalar(select(func.count()).select_from(journal_entry)) or 0


def number_of(key: str) -> int:
    """The number of the entry that callers know by this id. Raises `EntryNotFound` for what is no such id."""
    number = ids.number_of("ent", key)
    if number is None:
        raise EntryNotFound(f"There is no journal entry {key!r}.")
    return number


def entry(session: Session, number: int) -> PostedEntry:
    """One entry with its lines. Raises `EntryNotFound`."""
    found = entries(session, numbers=[number])
    if not found:
        raise EntryNotFound(f"There is no journal entry number {number}.")
    return found[0]


def reversal_of(session: Session, number: int) -> PostedEntry | None:
    """The entry that takes this one back, or None."""
    found = session.scalar(select(journal_entry.c.id).where(journal_entry.c.reverses_id == number))
    return None if found is None else entry(session, found)


def entry_of(session: Session, source: str) -> PostedEntry:
    """The entry that one cause was booked as. Raises `EntryNotFound`."""
    number = session.scalar(select(journal_entry.c.id).where(journal_entry.c.source == source))
    if number is None:
        raise EntryNotFound(f"Nothing is booked for {source}.")
    return entry(session, number)


def entries(
    session: Session,
    part: Slice = WHOLE,
    *,
    numbers: Sequence[int] | None = None,
    month: Month | None = None,
    account: str | None = None,
    kind: str | None = None,
) -> list[PostedEntry]:
    """Entries in the order of their numbers; `kind` is the first word of their sources, such as "recognition"."""
    query = where_given(select(journal_entry, _TAKEN_BACK_BY), (journal_entry.c.month, month))
    if numbers is not None:
        query = query.where(journal_entry.c.id.in_(numbers))
    if account is not None:
        query = query.where(journal_entry.c.id.in_(select(posting.c.entry_id).where(posting.c.account == account)))
    if kind is not None:
        query = query.where(journal_entry.c.source.startswith(f"{kind}:", autoescape=True))
    heads = session.execute(part.of(query, journal_entry.c.id)).all()
    lines = _lines(session, [head.id for head in heads])
    return [
        PostedEntry(
            head.id,
            head.source,
            head.on_date,
            head.narration,
            head.adjusts_month,
            head.reverses_id,
            head.posted_at,
            head.posted_by,
            tuple(lines[head.id]),
            head.taken_back_by,
        )
        for head in heads
    ]


def movements(session: Session, account: str, currency: str, month: Month) -> list[Movement]:
    """What a month's entries moved on one account, in their order."""
    rows = session.execute(
        select(posting.c.maintainer_id, posting.c.amount_minor, journal_entry.c.on_date, journal_entry.c.source)
        .join(journal_entry, journal_entry.c.id == posting.c.entry_id)
        .where(journal_entry.c.month == month, *_on_account(account, currency))
        .order_by(posting.c.entry_id, posting.c.line)
    )
    return [Movement(row.maintainer_id, Money(row.amount_minor, currency), row.on_date, row.source) for row in rows]


def history(session: Session, account: str, currency: str, *, maintainer_id: str, until: str) -> list[Movement]:
    """What moved on one account for one maintainer before the entry of a cause, in the order of the entries.

    Raises `EntryNotFound` when nothing is booked for that cause.
    """
    last = session.scalar(select(journal_entry.c.id).where(journal_entry.c.source == until))
    if last is None:
        raise EntryNotFound(f"Nothing is booked for {until}.")
    rows = session.execute(
        select(posting.c.maintainer_id, posting.c.amount_minor, journal_entry.c.on_date, journal_entry.c.source)
        .join(journal_entry, journal_entry.c.id == posting.c.entry_id)
        .where(posting.c.maintainer_id == maintainer_id, posting.c.entry_id < last, *_on_account(account, currency))
        .order_by(posting.c.entry_id, posting.c.line)
    )
    return [Movement(row.maintainer_id, Money(row.amount_minor, currency), row.on_date, row.source) for row in rows]


def moved_after(session: Session, account: str, currency: str, month: Month) -> dict[str, Money]:
    """What later months' entries moved on one account, by maintainer: the way back from today's balances."""
    rows = session.execute(
        select(posting.c.maintainer_id, func.sum(posting.c.amount_minor))
        .join(journal_entry, journal_entry.c.id == posting.c.entry_id)
        .where(journal_entry.c.month > month, *_on_account(account, currency))
        .group_by(posting.c.maintainer_id)
    )
    return {maintainer_id: Money(int(minor), currency) for maintainer_id, minor in rows}


def moved_between(
    session: Session,
    account: str,
    currency: str,
    first: Month,
    last: Month,
    *,
    sources: str,
    maintainer_id: str | None = None,
) -> dict[str, Money]:
    """What the months from `first` to `last` moved on one account, by maintainer: entries whose source begins so."""
    query = (
        select(posting.c.maintainer_id, func.sum(posting.c.amount_minor))
        .join(journal_entry, journal_entry.c.id == posting.c.entry_id)
        .where(
            journal_entry.c.month.between(first, last),
            journal_entry.c.source.startswith(sources, autoescape=True),
            *_on_account(account, currency),
        )
        .group_by(posting.c.maintainer_id)
    )
    if maintainer_id is not None:
        query = query.where(posting.c.maintainer_id == maintainer_id)
    return {key: Money(int(minor), currency) for key, minor in session.execute(query)}


def _on_account(account: str, currency: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return posting.c.account == account, posting.c.currency == currency


def _lines(session: Session, numbers: Sequence[int]) -> dict[int, list[Line]]:
    lines: dict[int, list[Line]] = {number: [] for number in numbers}
    rows = session.execute(
        select(posting).where(posting.c.entry_id.in_(numbers)).order_by(posting.c.entry_id, posting.c.line)
    )
    for row in rows:
        dimensions = (getattr(row, name) for name in DIMENSIONS)
        lines[row.entry_id].append(Line(row.account, Money(row.amount_minor, row.currency), *dimensions))
    return lines


def _where(account: str, currency: str, dimensions: dict[str, str]) -> list[tuple[str, str]]:
    return [("account", account), ("currency", currency), *dimensions.items()]


def _current(*where: tuple[str, str], keys: Sequence[str] = BALANCE_KEY) -> Subquery:
    """The kept balances and the deltas not folded into them yet, as one set of rows."""
    parts = []
    for table in (balance, balance_delta):
        conditions: list[ColumnElement[bool]] = [table.c[name] == value for name, value in where]
        parts.append(select(*(table.c[key] for key in keys), table.c.amount_minor).where(*conditions))
    return union_all(*parts).subquery()
