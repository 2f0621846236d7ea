"""Archives: everything goes out and comes back, between both databases, and a damaged one changes nothing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from api.app import create_core
from api.commands.archives import WAYS
from api.parts import parts
from firm.archive import restoring, writing
from firm.archive.opening import InvalidArchive
from firm.archive.restoring import NotEmpty
from firm.db import db, reading, transaction
from firm.ledger import queries as ledger
from firm.month import Month
from migrations import run
from migrations.tables import METADATA
from payouts import month_end
from payouts.rails.manual import ManualRail
from payouts.runs import approvals, preparation
from payouts.terms.model import PayTerms
from payouts.terms.operations import Proposal, new_terms
from tests import lovelace
from tests.databases import settings_for
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD, usd
from tests.payouts import paying

TABLES = METADATA.sorted_tables


def a_firm_with_a_past() -> None:
    """A closed and paid month, a canceled run, and a run that waits."""
    lovelace.set_up()
    month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
    first = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=AFTER)
    preparation.cancel(first.run.id, by=ADMINISTRATOR, now=AFTER)
    second = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=AFTER)
    approvals.propose(second.run.id, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(second.run.id, by=LEAD, now=AFTER)
    paying.pay_run(second.run.number, ManualRail())


def export(path: Path) -> Path:
    writing.export_all(path, TABLES, revision=str(run.head()), by=LEAD, now=AFTER)
    return path


def read_in(path: Path) -> int:
    return restoring.import_archive(path, TABLES, revision=str(run.head()), ways=WAYS, by=LEAD, now=AFTER)


def state() -> tuple[dict[str, int], list[list[object]]]:
    with reading() as session:
        found = writing.counts(session, restoring.held(TABLES))
        return found, ledger.balances(session)


def elsewhere(url: str, work: Callable[[], None]) -> None:
    with create_core(settings_for(url)).app_context():
        run.upgrade(db.engine)
        work()
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_firm_goes_from_either_database_to_either(
    app: Flask, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    a_firm_with_a_past()
    path = export(tmp_path / "firm.zip")
    rows, balances = state()
    other = f"sqlite:///{tmp_path}/other.db" if engine == "sqlite" else str(request.getfixturevalue("postgresql_url"))

    def check() -> None:
        assert read_in(path) == sum(rows.values())
        found, their_balances = state()
        assert found == rows | {"audit_record": rows["audit_record"] + 2}
        assert their_balances == balances
        lovelace.assert_books_hold()
        # Life goes on: the next entries, records and numbers follow those that came in.
        month_end.close(Month.parse("2026-11"), by=LEAD, now=AFTER.replace(month=12))
        lovelace.assert_books_hold()

    elsewhere(other, check)


def test_the_same_rows_give_the_same_bytes(app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    export(tmp_path / "one.zip")
    with zipfile.ZipFile(tmp_path / "one.zip") as one:
        first = {name: one.read(name) for name in one.namelist()}
    export(tmp_path / "two.zip")
    with zipfile.ZipFile(tmp_path / "two.zip") as two:
        second = {name: two.read(name) for name in two.namelist()}
    assert {name for name in first if first[name] != second[name]} == {"audit_record.jsonl", "manifest.json"}


def test_what_opens_doors_stays_behind(app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    with zipfile.ZipFile(export(tmp_path / "firm.zip")) as archive:
        names = set(archive.namelist())
        text = b"".join(archive.read(name) for name in names)
    assert names.isdisjoint({"api_token.jsonl", "keyed_answer.jsonl", "allowance.jsonl", "token_use.jsonl"})
    assert b"chm_" not in text
    assert oct((tmp_path / "firm.zip").stat().st_mode)[-3:] == "600"


def test_an_archive_is_read_into_an_empty_database_only(sqlite_app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    path = export(tmp_path / "firm.zip")
    before = state()
    with pytest.raises(NotEmpty, match="into an empty one"):
        read_in(path)
    assert state() == before


def rewritten(
    path: Path, changes: Callable[[str, bytes], bytes | None], *, more: dict[str, bytes] | None = None
) -> Path:
    """The archive again, with members changed, left out (None) or added."""
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = changes(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return other


def correct_with_an_early_id(wrong: PayTerms, identifier: str) -> PayTerms:
    """A correction whose id sorts before that of what it corrects, as from a machine whose clock is slow."""
    with transaction() as session:
        session.execute(update(PayTerms).where(PayTerms.id == wrong.id).values(superseded_at=BEFORE))
        right = new_terms(
            wrong.maintainer_id,
            Proposal(guarantee=usd("4500.00")),
            from_month=wrong.from_month,
            until_month=None,
            currency=wrong.currency,
            by=LEAD,
            now=BEFORE,
        )
        right.id, right.corrects_id, right.reason = identifier, wrong.id, "Mistyped."
        session.add(right)
    return right


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_corrections_come_in_after_what_they_correct(
    sqlite_app: Flask, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    lovelace.set_up()
    with reading() as session:
        first = session.scalars(select(PayTerms).order_by(PayTerms.id)).first()
    assert first is not None
    second = correct_with_an_early_id(first, "ptm_00000000000000000000000002")
    correct_with_an_early_id(second, "ptm_00000000000000000000000001")
    rows, _ = state()
    path = export(tmp_path / "firm.zip")
    other = f"sqlite:///{tmp_path}/other.db" if engine == "sqlite" else str(request.getfixturevalue("postgresql_url"))

    def check() -> None:
        assert read_in(path) == sum(rows.values()) + 1
        assert state()[0]["pay_terms"] == rows["pay_terms"] == 4

    elsewhere(other, check)


def test_what_corrects_something_that_is_not_there_is_refused(sqlite_app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    with reading() as session:
        first = session.scalars(select(PayTerms).order_by(PayTerms.id)).first()
    assert first is not None
    correct_with_an_early_id(first, "ptm_00000000000000000000000002")
    path = export(tmp_path / "firm.zip")
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("pay_terms.jsonl").replace(
            f'"corrects_id": "{first.id}"'.encode(), b'"corrects_id": "ptm_x"'
        )
    forged = rewritten(path, lambda name, raw: _with_digest(name, raw, path, "pay_terms", lines))

    def check() -> None:
        with pytest.raises(InvalidArchive, match="The books refuse"):
            read_in(forged)

    elsewhere(f"sqlite:///{tmp_path}/other.db", check)


def _with_digest(name: str, content: bytes, path: Path, table: str, lines: bytes) -> bytes:
    """The member, with one table's lines replaced and the manifest telling so."""
    import hashlib

    if name == f"{table}.jsonl":
        return lines
    if name == "manifest.json":
        manifest = json.loads(content)
        manifest["files"][f"{table}.jsonl"]["sha256"] = hashlib.sha256(lines).hexdigest()
        return json.dumps(manifest).encode()
    return content


def _naming_fewer(manifest: bytes, left_out: str) -> bytes:
    said = json.loads(manifest)
    del said["files"][left_out]
    return json.dumps(said).encode()


def _row_with(column: str, value: object) -> Callable[[Path], Path]:
    """A client whose row was edited, digests and all."""

    def change(path: Path) -> Path:
        with zipfile.ZipFile(path) as archive:
            row = json.loads(archive.read("client.jsonl").splitlines()[0])
        lines = json.dumps(row | {column: value}).encode() + b"\n"
        return rewritten(path, lambda name, raw: _with_digest(name, raw, path, "client", lines))

    return change


def _cut(path: Path, bytes_lost: int) -> Path:
    path.write_bytes(path.read_bytes()[bytes_lost:])
    return path


DAMAGES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a changed row": (
        lambda path: rewritten(
            path, lambda name, raw: raw.replace(b"Acme", b"Acne") if name == "client.jsonl" else raw
        ),
        "client.jsonl is not what was written",
    ),
    "a missing file": (
        lambda path: rewritten(path, lambda name, raw: None if name == "client.jsonl" else raw),
        "does not hold the files",
    ),
    "a file too many": (
        lambda path: rewritten(path, lambda name, raw: raw, more={"../../etc/passwd": b"x"}),
        "does not hold the files",
    ),
    "another version": (
        lambda path: rewritten(
            path, lambda name, raw: raw.replace(b'"schema": "', b'"schema": "x') if name == "manifest.json" else raw
        ),
        "The archive is of schema x",
    ),
    "no manifest of ours": (
        lambda path: rewritten(path, lambda name, raw: b"[]" if name == "manifest.json" else raw),
        "The archive is damaged",
    ),
    "a manifest of brackets": (
        lambda path: rewritten(path, lambda name, raw: b"[" * 3_000 if name == "manifest.json" else raw),
        "The archive is damaged",
    ),
    "a manifest without its moment": (
        lambda path: rewritten(
            path, lambda name, raw: raw.replace(b'"at"', b'"on"') if name == "manifest.json" else raw
        ),
        "The archive is damaged",
    ),
    "a manifest that names fewer files": (
        lambda path: rewritten(
            path, lambda name, raw: _naming_fewer(raw, "client.jsonl") if name == "manifest.json" else raw
        ),
        "The manifest names other files",
    ),
    "its beginning": (lambda path: _cut(path, 21), "The archive is damaged"),
    "a bomb": (
        lambda path: rewritten(path, lambda name, raw: b" " * 50_000_000 if name == "client.jsonl" else raw),
        "would grow more than",
    ),
    "no row": (
        lambda path: rewritten(path, lambda name, raw: _with_digest(name, raw, path, "client", b'{"id": 1}\n')),
        "holds a line that is no row of client",
    ),
    "a value of another kind": (_row_with("name", ["Acme"]), "holds a line that is no row of client"),
    "a number for a moment": (_row_with("created_at", 7), "holds a line that is no row of client"),
    "a moment nowhere": (_row_with("created_at", "2026-10-01T09:00:00"), "holds a line that is no row of client"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_refused_whole(sqlite_app: Flask, tmp_path: Path, damage: str) -> None:
    lovelace.set_up()
    make, words = DAMAGES[damage]
    path = make(export(tmp_path / "firm.zip"))

    def check() -> None:
        with pytest.raises(InvalidArchive, match=words):
            read_in(path)
        assert sum(state()[0].values()) == 0

    elsewhere(f"sqlite:///{tmp_path}/other.db", check)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip at all"])
def test_what_is_no_archive_is_refused(sqlite_app: Flask, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "firm.zip"
    path.write_bytes(content)
    with pytest.raises(InvalidArchive, match="is no archive, or is damaged"):
        read_in(path)


def test_books_that_do_not_balance_do_not_come_in(app: Flask, tmp_path: Path) -> None:
    a_firm_with_a_past()
    path = export(tmp_path / "firm.zip")
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("posting.jsonl").replace(b'"amount_minor": 1', b'"amount_minor": 2', 1)
    forged = rewritten(path, lambda name, raw: _with_digest(name, raw, path, "posting", lines))

    def check() -> None:
        with pytest.raises(InvalidArchive, match="The books refuse"):
            read_in(forged)
        assert sum(state()[0].values()) == 0

    elsewhere(f"sqlite:///{tmp_path}/other.db", check)
