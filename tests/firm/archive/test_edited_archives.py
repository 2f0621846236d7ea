"""An archive that somebody edited, digests of the manifest and all, does not come in."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.commands.archives import WAYS
from api.verification import archive_walks
from firm.access import presence, principals
from firm.actor import Role
from firm.archive import restoring
from firm.archive.opening import InvalidArchive
from firm.audit import sequencer
from firm.db import db
from migrations import run
from staffing.reports import operations as reports
from tests.databases import SECRET_KEYS, core_of
from tests.firm.archive.test_archives import TABLES, a_firm_with_a_past, export, state
from tests.lovelace import AFTER, LEAD, OCTOBER

Row = dict[str, Any]


def _figures(row: Row, old: str, new: str, *, digest: bool) -> Row:
    """Other figures on a paper, with the digest that belongs to them or without."""
    figures = row["figures"].replace(old, new)
    assert figures != row["figures"]
    return {"figures": figures} | ({"sha256": hashlib.sha256(figures.encode()).hexdigest()} if digest else {})


EDITS: dict[str, tuple[str, Callable[[Row], Row], str]] = {
    "a client's name": ("client", lambda row: {"name": f"{row['name']} Evil"}, "states-on-record.*what client"),
    "a character no name has": ("client", lambda row: {"name": f"{row['name']}\0b"}, "states-on-record|refuse"),
    "a guarantee": ("pay_terms", lambda row: {"guarantee_minor": 99}, "states-on-record.*what pay_terms"),
    "a signed fee": ("engagement", lambda row: {"fee_minor": row["fee_minor"] + 1}, "what engagement"),
    "a number too large": ("engagement", lambda row: {"notice_days": 10**40}, "value that no column takes|refuse"),
    "an account's holder": ("destination", lambda row: {"holder": "Mallory"}, "what destination"),
    "a role": ("principal", lambda row: {"role": "lead"}, "what principal"),
    "who approved": ("payout_run", lambda row: {"prepared_at": row["prepared_at"].replace("09:", "08:")}, "payout_run"),
    "a payout's amount": ("payout", lambda row: {"amount_minor": row["amount_minor"] + 1}, "payouts-"),
    "a payout's payee": ("payout", lambda row: {"payee_name": "Mallory"}, "payouts-as-approved"),
    "a statement": ("statement", lambda row: _figures(row, "00", "90", digest=False), "statements-as-issued"),
    "a statement with its digest": (
        "statement",
        lambda row: _figures(row, '"closing":{"amount":"', '"closing":{"amount":"9', digest=True),
        "statements-as-issued.*closing is not what its row says",
    ),
    "an explanation with its digest": (
        "statement",
        lambda row: _figures(row, '"explanation":"', '"explanation":"Never ', digest=True),
        "statements-as-issued.*its lines are not the month's earnings",
    ),
    "a report with its digest": (
        "funded_work_report",
        lambda row: _figures(row, "Acme", "Acne", digest=True),
        "states-on-record.*what funded_work_report",
    ),
    "an invoice": (
        "invoice",
        lambda row: _figures(row, '"total":{"amount":"', '"total":{"amount":"9', digest=False),
        "invoices-as-issued",
    ),
    "a record of the audit log": ("audit_record", lambda row: {"facts": '{"name":"other"}'}, "audit-chain"),
}


def edited(path: Path, table: str, change: Callable[[Row], Row]) -> Path:
    """The archive with the rows of a table changed, and with the digest that its new content has."""
    other = path.with_name("edited.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        rows = [json.loads(line) for line in old.read(f"{table}.jsonl").splitlines()]
        lines = b"".join(json.dumps(row | change(row)).encode() + b"\n" for row in rows)
        manifest = json.loads(old.read("manifest.json"))
        manifest["files"][f"{table}.jsonl"]["sha256"] = hashlib.sha256(lines).hexdigest()
        changed = {f"{table}.jsonl": lines, "manifest.json": json.dumps(manifest).encode()}
        for name in old.namelist():
            new.writestr(name, changed.get(name) or old.read(name))
    return other


def read_in(path: Path) -> int:
    options = {"revision": str(run.head()), "ways": WAYS, "walks": archive_walks(now=AFTER)}
    return restoring.import_archive(path, TABLES, **options, by=LEAD, now=AFTER)  # type: ignore[arg-type]


def test_every_edit_is_found_and_named_and_nothing_comes_in(app: Flask, sqlite_url: str, tmp_path: Path) -> None:
    a_firm_with_a_past()
    principals.enroll(name="Ada", role=Role.AUDITOR, by=LEAD, now=AFTER)
    presence.set_authenticator("Ada", issuer="L", keys=SECRET_KEYS, by=LEAD, now=AFTER)
    reports.issue("Acme", from_month=OCTOBER, until_month=OCTOBER.next, by=LEAD, now=AFTER)
    sequencer.run(now=AFTER)
    path = export(tmp_path / "firm.zip")
    with core_of(sqlite_url).app_context():
        for table, change, says in EDITS.values():
            with pytest.raises(InvalidArchive, match=says):
                read_in(edited(path, table, change))
            assert sum(state()[0].values()) == 0
        # As it was written it comes in, and what was left out of it is missed by nobody.
        assert read_in(path) > 0
        db.session.remove()
        db.engine.dispose()
