"""How entries reach PostgreSQL: one statement for one entry, COPY for many, and no row that all writers lock.

Balances are appended as deltas, which `balances.fold` adds up now and then: an UPDATE of one busy row (the
bank's) by eight writers runs at a seventh of the speed and deadlocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, String, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.bulk import bulk_insert
from firm.columns import UtcMoment
from firm.ledger import rows
from firm.ledger.entry import Entry
from firm.ledger.model import balance_delta, journal_entry, posting
from firm.ledger.periods import MonthClosed
from firm.month import Month

CLOSED_PERIOD = "CH001"
"""The SQLSTATE with which the guard on `journal_entry` refuses a closed month."""

_LINE_ARRAYS = (
    "unnest(:accounts, :currencies, :amounts, :clients, :engagements, :packages, :maintainers)"
    " WITH ORDINALITY AS l(account, currency, amount_minor, client_id, engagement_id, package_id,"
    " maintainer_id, line)"
)
_post = text(
    f"""
    WITH opened AS (
        INSERT INTO period (month) VALUES (:month) ON CONFLICT DO NOTHING
    ), entry AS (
        INSERT INTO journal_entry (source, month, on_date, narration, adjusts_month, reverses_id,
                                   line_count, posted_at, posted_by)
        VALUES (:source, :month, :on_date, :narration, :adjusts_month, :reverses_id,
                :line_count, :posted_at, :posted_by)
        RETURNING id
    ), lines AS (
        INSERT INTO posting (entry_id, line, line_count, account, currency, amount_minor,
                             client_id, engagement_id, package_id, maintainer_id)
        SELECT entry.id, l.line, :line_count, l.account, l.currency, l.amount_minor,
               l.client_id, l.engagement_id, l.package_id, l.maintainer_id
        FROM entry, {_LINE_ARRAYS}
    ), deltas AS (
        INSERT INTO balance_delta (account, currency, amount_minor,
                                   client_id, engagement_id, package_id, maintainer_id)
        SELECT l.account, l.currency, l.amount_minor,
               l.client_id, l.engagement_id, l.package_id, l.maintainer_id
        FROM {_LINE_ARRAYS}
    ), witness AS (
        INSERT INTO audit_record (at, actor, role, on_behalf_of, token_id, request_id, verb, subject, facts)
        SELECT :posted_at, :posted_by, :role, :on_behalf_of, :token_id, :request_id, :verb, entry.id::text, :facts
        FROM entry
    )
    SELECT id FROM entry
    """  # noqa: S608 (the part put in is a constant)
).bindparams(
    *(
        bindparam(name, type_=ARRAY(String))
        for name in ("accounts", "currencies", "clients", "engagements", "packages", "maintainers")
    ),
    bindparam("amounts", type_=ARRAY(BigInteger)),
    *(bindparam(name, type_=String) for name in ("adjusts_month", "on_behalf_of", "token_id", "request_id", "month")),
    bindparam("reverses_id", type_=BigInteger),
    bindparam("line_count", type_=Integer),
    bindparam("posted_at", type_=UtcMoment),
)


def post(session: Session, entry: Entry, *, by: Actor, now: datetime) -> int:
    """One statement, and so one round trip beside the commit."""
    witness = audit.values("entry.posted", "", rows.facts([entry]), by=by, now=now)
    parameters = rows.of_entry(entry, 0, by=by, now=now) | _columns(entry)
    parameters["month"] = str(entry.month)
    parameters["adjusts_month"] = None if entry.adjusts is None else str(entry.adjusts)
    parameters |= {name: witness[name] for name in ("role", "on_behalf_of", "token_id", "request_id", "verb", "facts")}
    del parameters["id"]
    with _closed_months_explained([entry.month]):
        return int(session.execute(_post, parameters).scalar_one())


def post_many(session: Session, entries: Sequence[Entry], *, by: Actor, now: datetime) -> list[int]:
    """COPY into each table; the entries come last and seal their lines."""
    months = sorted({entry.month for entry in entries})
    session.execute(
        text("INSERT INTO period (month) VALUES (:month) ON CONFLICT DO NOTHING"),
        [{"month": str(month)} for month in months],
    )
    numbers = _claim_numbers(session, len(entries))
    numbered = list(zip(entries, numbers, strict=True))
    lines = [line for entry, number in numbered for line in rows.of_lines(entry, number)]
    heads = [rows.of_entry(entry, number, by=by, now=now) for entry, number in numbered]
    with _closed_months_explained(months):
        bulk_insert(session, posting, lines)
        bulk_insert(session, journal_entry, heads)
        bulk_insert(session, balance_delta, rows.changes(entries))
    span = f"{numbers[0]}-{numbers[-1]}"
    audit.record(session, "entries.posted", span, rows.facts(entries), by=by, now=now)
    return numbers


@contextmanager
def _closed_months_explained(months: Sequence[Month]) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == CLOSED_PERIOD:
            raise MonthClosed(months[0]) from error
        raise


def _claim_numbers(session: Session, count: int) -> list[int]:
    sequence = text("SELECT nextval(pg_get_serial_sequence('journal_entry', 'id')) FROM generate_series(1, :count)")
    return [int(number) for number in session.scalars(sequence, {"count": count})]


def _columns(entry: Entry) -> dict[str, Any]:
    lines = entry.lines
    return {
        "accounts": [line.account for line in lines],
        "currencies": [line.amount.currency for line in lines],
        "amounts": [line.amount.minor for line in lines],
        "clients": [line.client_id for line in lines],
        "engagements": [line.engagement_id for line in lines],
        "packages": [line.package_id for line in lines],
        "maintainers": [line.maintainer_id for line in lines],
    }
