"""Restored books: silent until somebody has reconciled them, and nobody is paid a second time."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api import evidence
from api.parts import parts
from firm.audit import sequencer
from firm.audit.anchors import AnchorBroken
from firm.backup.form import Header
from firm.db import db, reading, transaction
from firm.errors import Invalid
from firm.recovery import operations as recovery
from firm.recovery.operations import NothingToReconcile, NotReconciled, Unfinished
from payouts import month_end
from tests import lovelace
from tests.firm.backup.restores import RESTORED, back_up, broken, restore, with_books
from tests.lovelace import AFTER, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank


def test_restored_books_hold_every_anchor_up_to_the_backup(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    settings = {"audit_key": _secret(bytes(range(32))), "audit_anchors": anchors}

    def before() -> Header:
        lovelace.set_up()
        sequencer.run(now=AFTER)
        evidence.drop(by=LEAD, now=AFTER)
        sequencer.run(now=AFTER)
        header = back_up(tmp_path / "b.age")
        month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
        sequencer.run(now=AFTER)
        evidence.drop(by=LEAD, now=AFTER)
        return header

    def after() -> None:
        # What was anchored after the backup is lost, and verification says so, until the restore has signed for it.
        assert broken() == ["audit-anchored"]
        lost = evidence.cut(header.chain_seq, header.chain_hash, now=RESTORED)
        assert [anchor.seq > header.chain_seq for anchor in lost] == [True]
        assert broken() == []
        assert evidence.cut(header.chain_seq, header.chain_hash, now=RESTORED) == []
        sequencer.run(now=RESTORED)
        evidence.drop(by=LEAD, now=RESTORED)
        sequencer.run(now=RESTORED)
        assert broken() == []
        # Put somewhere else, the signed cut is no way to lose what was anchored since.
        lines = anchors.read_text().splitlines()
        [cut] = [line for line in lines if "cut_at" in line]
        anchors.write_text("\n".join([*lines, cut]) + "\n")
        with pytest.raises(AnchorBroken, match="signed for another place"):
            list(evidence.kept())

    header = with_books(parts().settings.database_url, before, **settings)
    restore(tmp_path / "b.age", elsewhere, identity)
    with_books(elsewhere, after, **settings)


def _secret(seed: bytes) -> Any:
    return SecretStr(base64.b64encode(seed).decode())


def an_approved_run() -> str:
    lovelace.set_up()
    month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
    return paying.approved()


def test_restored_books_send_nothing_and_then_pay_nobody_a_second_time(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    number, bank = an_approved_run(), Bank()
    back_up(tmp_path / "b.age")
    # After the backup the run is sent, and then the books are lost.
    paying.send(number, bank)
    left = bank.amounts()
    assert len(left) == 2
    bank.asked.clear()

    def on_restored_books() -> None:
        for refused in (lambda: paying.send(number, bank, now=RESTORED), paying.draft):
            with pytest.raises(NotReconciled, match="send nothing yet"):
                refused()
        with pytest.raises(DBAPIError, match="not reconciled"), db.engine.begin() as connection:
            connection.execute(text(_ATTEMPT))
        assert bank.asked == bank.looked_up == []
        assert set(paying.states(number).values()) == {"reserved"}
        recovery.reconcile(note="Compared with the statements of 1 November.", by=LEAD, now=RESTORED)
        paying.send(number, bank, now=RESTORED)
        # What left from the lost books is found by its key, and not sent again.
        assert bank.asked == []
        assert len(bank.looked_up) == 2
        assert bank.amounts() == left
        assert set(paying.states(number).values()) == {"sent"}
        assert broken() == []

    restore(tmp_path / "b.age", elsewhere, identity)
    with_books(elsewhere, on_restored_books)


_ATTEMPT = (
    "INSERT INTO payout_attempt (id, payout_id, number, key, request_digest, state, started_at, leased_until)"
    " SELECT 'att_raw', MIN(id), 9, 'k', 'd', 'sending', '2026-11-01 09:00:00', '2026-11-01 09:02:00' FROM payout"
)


def test_an_attempt_that_was_under_way_is_not_taken_over_before(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    bank = Bank(loses_answer_for={"Grace", "Ada"}, finds=False)
    number = an_approved_run()
    paying.send(number, bank)
    assert set(paying.states(number).values()) == {"unknown"}
    back_up(tmp_path / "b.age")

    def on_restored_books() -> None:
        taken = text("UPDATE payout_attempt SET leased_until = '2027-01-01 00:00:00'")
        with pytest.raises(DBAPIError, match="not reconciled"), db.engine.begin() as connection:
            connection.execute(taken)
        recovery.reconcile(note="compared", by=LEAD, now=RESTORED)
        with db.engine.begin() as connection:
            connection.execute(taken)

    restore(tmp_path / "b.age", elsewhere, identity)
    with_books(elsewhere, on_restored_books)


def test_an_interrupted_restore_is_not_reconciled_but_done_again(app: Flask) -> None:
    lovelace.set_up()
    with transaction() as session:
        session.add(recovery.begun(source="backup", taken_at=AFTER, chain=(0, "0" * 64), now=RESTORED))
    with pytest.raises(Unfinished, match="restore once more"):
        recovery.reconcile(note="compared", by=LEAD, now=RESTORED)


def test_a_restoration_is_reconciled_once_with_a_note_and_stays(app: Flask, elsewhere: str, tmp_path: Path) -> None:
    lovelace.set_up()
    with pytest.raises(NothingToReconcile):
        recovery.reconcile(note="why not", by=LEAD, now=AFTER)
    back_up(tmp_path / "b", plain=True)

    def on_restored_books() -> None:
        with pytest.raises(Invalid, match="how it was checked"):
            recovery.reconcile(note="  ", by=LEAD, now=RESTORED)
        for attack in (
            "DELETE FROM restoration",
            "UPDATE restoration SET restored_at = '2020-01-01 00:00:00'",
            "INSERT INTO restoration SELECT * FROM restoration",
        ):
            with pytest.raises(DBAPIError), db.engine.begin() as connection:
                connection.execute(text(attack))
        recovery.reconcile(note="compared", by=LEAD, now=RESTORED)
        with pytest.raises(DBAPIError), db.engine.begin() as connection:
            connection.execute(text("UPDATE restoration SET note = 'something else'"))
        with pytest.raises(NothingToReconcile):
            recovery.reconcile(note="again", by=LEAD, now=RESTORED)
        with reading() as session:
            verbs = session.scalars(text("SELECT verb FROM audit_record ORDER BY id DESC LIMIT 2")).all()
        assert verbs == ["firm.reconciled", "firm.restored"]

    restore(tmp_path / "b", elsewhere)
    with_books(elsewhere, on_restored_books)
