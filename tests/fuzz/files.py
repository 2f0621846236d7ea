"""Files that people hand in: lists as CSV, archives and backups."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyrage
from hypothesis import strategies as st
from sqlalchemy import Table

from firm import clock
from firm.archive import form, loading, opening, restoring, writing
from firm.archive.manifest import MANIFEST
from firm.audit import anchors, sequencer
from firm.backup.form import FORMAT, Header, Packing, Unpacking, unpack
from firm.csvfile import formulas
from firm.csvfile import reading as csvfile
from firm.csvfile import writing as csvwriting
from firm.db import db
from migrations import run
from payouts import imports
from tests.fuzz.inputs import blobs, damaged, reshaped, texts, values
from tests.fuzz.target import Target
from tests.lovelace import LEAD


def targets(folder: Path) -> list[Target]:
    return [*_lists(), *_archives(folder), *_backups(folder), *_anchors(folder)]


def _lists() -> Sequence[Target]:
    return (
        Target("CSV import", "CSV file", blobs, lambda raw: csvfile.read(raw, required=["name"], optional=["country"])),
        Target("CSV import", "formula guard", texts, _guard),
        *(Target("CSV import", f"rows of {kind}", _files_of(kind), _checking(kind), 0.3) for kind in imports.KINDS),
    )


def _files_of(kind: str) -> st.SearchStrategy[bytes]:
    """Files with the right header; some cells are as in the template, so that the others are read at all."""
    columns = list(imports.KINDS[kind].row.model_fields)
    [example] = csvfile.read(imports.template(kind).encode(), required=columns).lines
    known = st.sampled_from([*example.cells.values(), "Acme", "Grace", "ssh", "2026-11", ""])
    lines = st.lists(st.lists(known | texts, min_size=len(columns), max_size=len(columns)), max_size=3)
    return lines.map(lambda found: csvwriting.write(columns, found).encode("utf-8", "replace"))


def _checking(kind: str) -> Callable[[bytes], object]:
    return lambda raw: imports.check(kind, raw, by=LEAD, now=clock.now())


def _guard(text: str) -> None:
    if formulas.unguarded(formulas.guarded(text)) != text:
        raise AssertionError(text)


def _archives(folder: Path) -> Sequence[Target]:
    tables = db.metadata.sorted_tables
    whole, given = folder / "whole.zip", folder / "given.zip"
    writing.export_all(whole, tables, revision=str(run.head()), by=LEAD, now=clock.now())

    def read_in(raw: bytes) -> None:
        given.write_bytes(raw)
        # Whole after all, it is refused because the books hold a firm: nothing is written either way.
        restoring.import_archive(given, tables, revision=str(run.head()), ways={}, by=LEAD, now=clock.now())

    def read_lines(parts: tuple[Table, bytes]) -> None:
        table, raw = parts
        with zipfile.ZipFile(io.BytesIO(), "w") as archive:
            archive.writestr(f"{table.name}.jsonl", raw)
            list(loading.Loading(None, archive, {})._lines(table))  # type: ignore[arg-type]

    def read_manifest(raw: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(), "w") as archive:
            for table in form.held(tables):
                archive.writestr(f"{table.name}.jsonl", b"")
            archive.writestr(MANIFEST, raw)
            opening.checked(archive, form.held(tables), str(run.head()))

    with zipfile.ZipFile(whole) as archive:
        lines = {table: archive.read(f"{table.name}.jsonl") for table in form.held(tables)}
        manifest = archive.read(MANIFEST)
    told = [
        st.tuples(st.just(table), st.one_of(damaged(raw), reshaped(*raw.splitlines()), blobs))
        for table, raw in lines.items()
        if raw
    ]
    manifests = st.one_of(damaged(manifest), reshaped(manifest), blobs, values.map(lambda v: json.dumps(v).encode()))
    return (
        Target("archives and backups", "archive", damaged(whole.read_bytes()), read_in, 0.5),
        Target("archives and backups", "archive's lines", st.one_of(told), read_lines),
        Target("archives and backups", "archive's manifest", manifests, read_manifest),
    )


def _backups(folder: Path) -> Sequence[Target]:
    header = Header(
        FORMAT, "sqlite", str(run.head()), clock.now().isoformat(), 1, [["assets:bank", "USD", 1]], 1, "a" * 64
    )
    plain = Packing(header, io.BytesIO(b"SQLite format 3\x00" * 200)).read()
    identity, key = pyrage.x25519.Identity.generate(), folder / "key.txt"
    key.write_text(f"{identity}\n", encoding="utf-8")
    sealed = pyrage.encrypt(plain, [identity.to_public()])
    given = folder / "given.backup"

    head, _, rest = plain.partition(b"\n")
    plains = st.one_of(damaged(plain), reshaped(head).map(lambda raw: raw + b"\n" + rest), blobs)

    def read(raw: bytes, identity: Path | None) -> None:
        given.write_bytes(raw)
        unpack(given, Unpacking(lambda header: lambda data: None), identity=identity)

    return (
        Target("archives and backups", "backup", plains, lambda raw: read(raw, None)),
        Target("archives and backups", "backup, encrypted", damaged(sealed) | blobs, lambda raw: read(raw, key)),
    )


def _anchors(folder: Path) -> Sequence[Target]:
    """Lines that we wrote and signed, and lines that we might have."""
    path, key = folder / "anchors.jsonl", b"k" * 32
    sequencer.run(now=clock.now())
    anchors.drop(path, key=key, by=LEAD, now=clock.now())
    lines = path.read_bytes()

    def read(raw: bytes) -> None:
        path.write_bytes(raw)
        anchors.read(path, key=key)

    given = st.one_of(damaged(lines), reshaped(lines), blobs)
    return (Target("archives and backups", "anchors", given, read),)
