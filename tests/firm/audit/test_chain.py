"""The audit chain: each record once and in order, whoever writes at the same time, and every way of tampering named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from api import evidence
from api.verification import findings, told
from firm.audit import anchors, queries, sequencer
from firm.audit import operations as audit
from firm.audit.anchors import AnchorBroken, AnchorsLost, NothingToAnchor
from firm.audit.rules import FIRST, link_hash
from firm.audit.search import Search, of
from firm.db import db, reading, transaction
from tests.lovelace import AFTER, LEAD

KEY = bytes(range(32))


def write(number: int, *, verb: str = "thing.done", first: int = 0) -> None:
    for one in range(first, first + number):
        with transaction() as session:
            audit.record(session, verb, f"thing-{one}", {"number": one}, by=LEAD, now=AFTER)


def chain() -> list[Any]:
    with reading() as session:
        return list(queries.page(session))


def broken(now: Any = AFTER) -> dict[str, dict[str, Any]]:
    """The audit's checks that fail, with their first breach."""
    found = [one for one in findings(now=now) if one.invariant.name.startswith("audit-") and not one.holds]
    return {one.invariant.name: one.breaches[0] for one in found}


def tamper(*statements: str) -> None:
    """What somebody with the database in hand can do: the guards go first."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement))
        return
    raw = db.engine.raw_connection()
    raw.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    for (name,) in raw.driver_connection.execute(triggers).fetchall():  # type: ignore[union-attr]
        raw.driver_connection.execute(f"DROP TRIGGER {name}")  # type: ignore[union-attr]
    for statement in statements:
        raw.driver_connection.execute(statement)  # type: ignore[union-attr]
    raw.invalidate()


def test_every_record_is_linked_once_and_in_order(app: Flask) -> None:
    write(25)
    assert sequencer.run(now=AFTER) == 25
    assert sequencer.run(now=AFTER) == 0
    rows = chain()
    assert [row.seq for row in rows] == list(range(1, 26))
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    before = FIRST
    for row in rows:
        before = link_hash(row.seq, before, row)
        assert before == row.hash
    assert broken() == {}


def test_batches_make_the_same_chain_as_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 7)
    write(30)
    assert sequencer.run(now=AFTER) == 30
    assert broken() == {}


def test_twenty_writers_wait_for_nobody_and_none_is_lost(app: Flask) -> None:
    done = threading.Event()

    def work(worker: int) -> None:
        with app.app_context():
            write(10, first=worker * 10)

    def link() -> None:
        with app.app_context():
            while not done.is_set():
                sequencer.run(now=AFTER)

    writers = [threading.Thread(target=work, args=[worker]) for worker in range(20)]
    sequencers = [threading.Thread(target=link) for _ in range(2)]
    for thread in [*writers, *sequencers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    sequencer.run(now=AFTER + timedelta(minutes=2))
    rows = chain()
    assert [row.seq for row in rows] == list(range(1, 201))
    assert {row.subject for row in rows} == {f"thing-{number}" for number in range(200)}
    assert broken() == {}


def test_what_commits_late_under_an_early_number_is_linked_behind(app: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer: numbers are commits in order.")
    late = db.engine.connect()
    late.execute(
        text(
            "INSERT INTO audit_record (at, actor, role, verb, subject, facts)"
            " VALUES (now(), 'late', 'lead', 'thing.done', 'late', '{}')"
        )
    )
    write(3)
    assert sequencer.run(now=AFTER) == 3
    late.commit()
    late.close()
    assert sequencer.run(now=AFTER) == 1
    rows = chain()
    assert rows[-1].subject == "late"
    assert rows[-1].id < rows[0].id
    assert broken() == {}


def test_two_sequencers_do_not_work_at_once(app: Flask) -> None:
    write(3)
    assert sequencer._take_lease("one", now=AFTER)
    assert sequencer.run(now=AFTER + timedelta(seconds=30)) == 0
    assert sequencer.run(now=AFTER + timedelta(seconds=61)) == 3
    assert sequencer._link_batch("one", whole=False, now=AFTER) == 0


def test_a_sequencer_that_dies_in_a_batch_leaves_nothing_half_done(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    write(5)

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sequencer, "bulk_insert", die)
        with pytest.raises(KeyboardInterrupt):
            sequencer.run(now=AFTER)
    assert chain() == []
    assert sequencer.run(now=AFTER) == 0
    assert sequencer.run(now=AFTER + timedelta(minutes=2)) == 5
    assert broken() == {}


TAMPERINGS = {
    "an edited record": (("UPDATE audit_record SET actor = 'somebody else' WHERE subject = 'thing-3'",), 4),
    "edited facts": (("UPDATE audit_record SET facts = '{}' WHERE subject = 'thing-6'",), 7),
    "a removed link": (("DELETE FROM audit_link WHERE seq = 5",), 5),
    "a removed record": (("DELETE FROM audit_record WHERE subject = 'thing-2'",), 3),
    "swapped records": (
        (
            "UPDATE audit_link SET record_id = -1 WHERE seq = 2",
            "UPDATE audit_link SET record_id = (SELECT id FROM audit_record WHERE subject = 'thing-1') WHERE seq = 6",
            "UPDATE audit_link SET record_id = (SELECT id FROM audit_record WHERE subject = 'thing-5') WHERE seq = 2",
        ),
        2,
    ),
    "a cut end": (("DELETE FROM audit_link WHERE seq > 8",), 9),
    "another hash": (("UPDATE audit_link SET hash = 'f' WHERE seq = 1",), 1),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found_at_its_first_number(app: Flask, what: str) -> None:
    write(10)
    sequencer.run(now=AFTER)
    statements, seq = TAMPERINGS[what]
    tamper(*statements)
    assert broken()["audit-chain"]["seq"] == seq


def rewritten() -> None:
    """The whole chain computed anew over an edited record, as its author could."""
    rows, before, statements = chain(), FIRST, []
    for row in rows:
        values = dict(row._mapping) | ({"actor": "nobody"} if row.subject == "thing-3" else {})
        before = link_hash(row.seq, before, type("Row", (), values))
        statements.append(f"UPDATE audit_link SET hash = '{before}' WHERE seq = {row.seq}")
    tamper(
        "UPDATE audit_record SET actor = 'nobody' WHERE subject = 'thing-3'",
        *statements,
        f"UPDATE audit_sequencer SET hash = '{before}'",
    )


def test_a_chain_that_was_computed_anew_whole_is_found_by_an_anchor(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "anchors.jsonl"
    monkeypatch.setattr(evidence, "checkable", lambda: anchors.read(path, key=KEY))
    write(3)
    sequencer.run(now=AFTER)
    anchors.drop(path, key=KEY, by=LEAD, now=AFTER)
    write(7, first=3)
    sequencer.run(now=AFTER)
    anchors.drop(path, key=KEY, by=LEAD, now=AFTER)
    assert broken() == {}
    rewritten()
    # The eleventh is the record of the first anchor.
    assert broken()["audit-anchored"]["seq"] == 11
    assert "audit-chain" not in broken()


def test_a_chain_that_was_shortened_is_found_by_an_anchor(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "anchors.jsonl"
    monkeypatch.setattr(evidence, "checkable", lambda: anchors.read(path, key=KEY))
    write(5)
    sequencer.run(now=AFTER)
    anchors.drop(path, key=KEY, by=LEAD, now=AFTER)
    head = chain()[3].hash
    tamper("DELETE FROM audit_link WHERE seq = 5", f"UPDATE audit_sequencer SET seq = 4, hash = '{head}'")
    assert set(broken()) == {"audit-anchored"}


def test_anchors_that_are_gone_are_missed(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, later = tmp_path / "anchors.jsonl", AFTER + timedelta(hours=1)
    monkeypatch.setattr(evidence, "checkable", lambda: anchors.read(path, key=KEY))
    write(3)
    sequencer.run(now=AFTER)
    for hours in range(2):
        anchors.drop(path, key=KEY, by=LEAD, now=AFTER + timedelta(hours=hours))
        sequencer.run(now=later)
    assert broken(later) == {}
    first = path.read_text().splitlines()[0]
    path.write_text(first + "\n")
    assert broken(later)["audit-anchors-kept"]["wrong"] == "it was anchored, and the anchor is not on file"
    path.unlink()
    assert broken(later)["audit-anchors-kept"]["seq"] == 4
    with pytest.raises(AnchorsLost, match="put back a copy of the file, or begin a new one"):
        anchors.drop(path, key=KEY, by=LEAD, now=later)
    assert not path.exists()
    anchors.drop_anew(path, key=KEY, by=LEAD, now=later)
    assert broken(later) == {}


def test_a_chain_older_than_a_day_has_an_anchor(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "anchors.jsonl"
    monkeypatch.setattr(evidence, "checkable", lambda: anchors.read(path, key=KEY))
    assert broken() == {}
    write(1)
    sequencer.run(now=AFTER)
    assert broken(AFTER + timedelta(hours=23)) == {}
    told = broken(AFTER + timedelta(days=3))["audit-anchors-kept"]["wrong"]
    assert told == "no anchor of a chain that is 3 days old"
    anchors.drop(path, key=KEY, by=LEAD, now=AFTER + timedelta(days=3))
    assert broken(AFTER + timedelta(days=3)) == {}


def test_a_chain_that_goes_on_is_anchored_anew(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "anchors.jsonl"
    monkeypatch.setattr(evidence, "checkable", lambda: anchors.read(path, key=KEY))
    write(1)
    sequencer.run(now=AFTER)
    anchors.drop(path, key=KEY, by=LEAD, now=AFTER)
    sequencer.run(now=AFTER)
    assert broken(AFTER + timedelta(hours=47)) == {}
    told = broken(AFTER + timedelta(days=3))["audit-anchors-kept"]
    assert (told["seq"], told["wrong"]) == (2, "no anchor for 3 days, in which the chain went on")
    anchors.drop(path, key=KEY, by=LEAD, now=AFTER + timedelta(days=3))
    assert broken(AFTER + timedelta(days=3)) == {}


def test_without_a_key_nothing_is_said_of_anchors(app: Flask) -> None:
    write(1)
    sequencer.run(now=AFTER)
    found = {one.invariant.name: one for one in findings(now=AFTER + timedelta(days=3))}
    for name in ("audit-anchored", "audit-anchors-kept"):
        assert found[name].holds
        assert found[name].unchecked == "CHAMBERS_AUDIT_KEY is not set"
    assert found["audit-chain"].unchecked == ""
    assert told(list(found.values())).endswith("hold. 2 more were not checked.")


def test_an_anchor_is_signed(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    with pytest.raises(NothingToAnchor):
        anchors.drop(path, key=KEY, by=LEAD, now=AFTER)
    write(2)
    sequencer.run(now=AFTER)
    dropped = anchors.drop(path, key=KEY, by=LEAD, now=AFTER)
    assert list(anchors.read(path, key=KEY)) == [dropped]
    assert anchors.newest(path, key=KEY) == dropped
    with pytest.raises(AnchorBroken, match="Line 1"):
        list(anchors.read(path, key=bytes(32)))
    path.write_text(path.read_text().replace('"seq": 2', '"seq": 1'))
    with pytest.raises(AnchorBroken, match="Line 1"):
        list(anchors.read(path, key=KEY))


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: b"[" * 100_000,
        lambda line: line.replace(b'"seq": 2', b'"seq": Infinity'),
        lambda line: line.replace(b'"seq": 2', b'"seq": [2]'),
        lambda line: line.replace(b"{", b'{"cut_at": 1e999, '),
        lambda line: line.replace(b'"hash"', b'"hush"'),
    ],
    ids=["brackets", "infinite", "a list", "beyond any range", "without its hash"],
)
def test_a_damaged_line_of_anchors_is_named(app: Flask, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "anchors.jsonl"
    write(2)
    sequencer.run(now=AFTER)
    anchors.drop(path, key=KEY, by=LEAD, now=AFTER)
    whole = path.read_bytes()
    path.write_bytes(whole + damage(whole))
    assert path.read_bytes() != whole * 2
    with pytest.raises(AnchorBroken, match="Line 2"):
        anchors.read(path, key=KEY)


def test_a_record_left_waiting_too_long_is_named(app: Flask) -> None:
    write(1)
    assert broken(AFTER + timedelta(minutes=9)) == {}
    assert set(broken(AFTER + timedelta(minutes=11))) == {"audit-sequenced"}
    assert sequencer.waiting_since(now=AFTER + timedelta(minutes=11)) == timedelta(minutes=11)
    sequencer.run(now=AFTER + timedelta(minutes=11))
    assert broken(AFTER + timedelta(minutes=11)) == {}
    assert sequencer.waiting_since(now=AFTER) == timedelta(0)


def test_the_history_of_a_thing_is_read_by_subject_actor_and_verb(app: Flask) -> None:
    write(3)
    write(1, verb="thing.undone")
    sequencer.run(now=AFTER)
    with reading() as session:
        of_thing = queries.page(session, search=Search(of("thing-0")))
        undone = queries.page(session, search=Search(verb="thing.undone", actor="lead"))
        assert queries.page(session, search=Search(actor="nobody")) == []
    assert [row.verb for row in of_thing] == ["thing.done", "thing.undone"]
    assert [row.subject for row in undone] == ["thing-0"]
