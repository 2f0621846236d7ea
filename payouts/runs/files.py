"""The files that a run's payments are taken to the bank in: written once, sealed, and the same bytes each time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import reading, transaction, use_case
from firm.money import Money
from firm.profile import operations as profiles
from firm.recovery import operations as recovery
from firm.secrets import SealedColumn, SecretKeys
from payouts.destinations import opening
from payouts.rails.rail import Batch, Rail
from payouts.runs import queries
from payouts.runs.model import Payout, PayoutRun, RailFile
from payouts.runs.model import payout as payouts_table
from payouts.runs.orders import order_of

WRITTEN = faults.point("rail-file.written", "a file for the bank is written, nothing is committed")
SEALED = SealedColumn("rail_file", "content_sealed", "rail_file.content:{id}")


def file_of(run: str, rail: str, *, keys: SecretKeys, by: Actor, now: datetime) -> str:
    """The file to take to the bank, the same bytes each time; each reading of it is audited."""
    with transaction() as session:
        recovery.refuse_unreconciled(session)
        found = queries.find_file(session, queries.find(session, run).id, rail)
        audit.record(session, "rail-file.opened", found.id, {"rail": rail}, by=by, now=now)
        return keys.open(found.content_sealed, place=_file_place(found.id))


def paid_by(run: str, rail: str) -> tuple[int, Money]:
    """How many payouts the file of a run on a rail pays, and what they come to. Raises `FileNotWritten`."""
    with reading() as session:
        found = queries.find(session, run)
        queries.find_file(session, found.id, rail)
        # What was sent was written into the file; whatever became of it since, the file stays as it is.
        sent = [one for one in queries.payouts_of(session, found.id) if one.rail == rail and one.state in queries.SENT]
        return len(sent), Money(sum(one.amount_minor for one in sent), found.currency)


def rails_of(run: str) -> set[str]:
    """The rails on which a run has a file for the bank."""
    with reading() as session:
        query = select(RailFile.rail).where(RailFile.run_id == queries.find(session, run).id)
        return set(session.scalars(query))


@use_case
def refuse_without_payer(rail: Rail, *, keys: SecretKeys, by: Actor, now: datetime) -> None:
    """Raise what the rail raises when it could write no file from the firm's account: asked before anything is sent.

    A payout that is sent waits for its file, and nobody can take it back any more.
    """
    with transaction() as session:
        payer = opening.payer(session, keys, why=f"rail:{rail.describe().name}", by=by, now=now)
    rail.file(Batch("NONE", now, now.date(), ()), payer)


def lacking(rails: Mapping[str, Rail]) -> Select[tuple[str]]:
    """Selects the ids of runs that have sent something over a rail that writes files, and whose file is not there."""
    names = sorted(name for name, rail in rails.items() if rail.describe().writes_files)
    written = exists().where(RailFile.run_id == payouts_table.c.run_id, RailFile.rail == payouts_table.c.rail)
    return select(payouts_table.c.run_id).where(
        payouts_table.c.state == "sent", payouts_table.c.rail.in_(names), ~written
    )


@use_case
def write_all(key: str, *, rails: Mapping[str, Rail], keys: SecretKeys, by: Actor, now: datetime) -> PayoutRun:
    """Write each rail's file once, when nothing of it is left to send."""
    with transaction() as session:
        run = queries.find(session, key)
        # One writer of a run's files at a time; on SQLite the transaction is that already.
        session.execute(select(PayoutRun.id).where(PayoutRun.id == run.id).with_for_update())
        payouts = queries.payouts_of(session, run.id)
        for name in sorted({payout.rail for payout in payouts} & rails.keys()):
            if not rails[name].describe().writes_files:
                continue
            ours = [payout for payout in payouts if payout.rail == name]
            if any(payout.state in ("reserved", "sending", "unknown") for payout in ours):
                continue
            sent = [payout for payout in ours if payout.state == "sent"]
            if sent and not _file_written(session, run.id, name):
                _write_file(session, run, name, rails[name], sent, keys, by=by, now=now)
        return run


def _file_written(session: Session, run_id: str, rail: str) -> bool:
    query = select(RailFile.id).where(RailFile.run_id == run_id, RailFile.rail == rail)
    return session.scalar(query) is not None


def _write_file(
    session: Session,
    run: PayoutRun,
    name: str,
    rail: Rail,
    payouts: list[Payout],
    keys: SecretKeys,
    *,
    by: Actor,
    now: datetime,
) -> None:
    today = now.astimezone(profiles.current(session).zone).date()
    message_id = f"{run.number}-{run.id[-8:]}"
    tries = queries.sent_attempts(session, run.id)
    orders = [order_of(session, one, tries[one.id].key, tries[one.id].request, keys, by=by, now=now) for one in payouts]
    batch = Batch(message_id, now, today + timedelta(days=1), orders)
    content = rail.file(batch, opening.payer(session, keys, why=f"file:{message_id}", by=by, now=now))
    if content is None:
        return
    identifier = ids.new("fil")
    session.add(
        RailFile(
            id=identifier,
            run_id=run.id,
            rail=name,
            message_id=message_id,
            content_sealed=keys.seal(content, place=_file_place(identifier)),
            sha256=hashlib.sha256(content.encode()).hexdigest(),
            created_at=now,
        )
    )
    facts = {"run": run.number, "payouts": len(payouts)}
    audit.record(session, "rail-file.written", identifier, facts, by=by, now=now)
    faults.reached(WRITTEN)


def _file_place(identifier: str) -> str:
    return SEALED.place_of(identifier)
