"""Reading advisories: what a record says, and what is done with one that says nothing."""

from __future__ import annotations

import json
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from staffing.work.osv import Advisory, BrokenArchive, Named, NoRecords, Skipped, parse, read_records

SSH = "golang.org/x/crypto/ssh"


def record(**changes: Any) -> dict[str, Any]:
    return {
        "schema_version": "1.3.1",
        "id": "GO-2026-5005",
        "modified": "2026-10-09T08:00:00Z",
        "published": "2026-10-08T17:02:03.25+02:00",
        "aliases": ["CVE-2026-0001"],
        "summary": "A client can exhaust the memory of a server",
        "affected": [
            {
                "package": {"name": "golang.org/x/crypto", "ecosystem": "Go"},
                "ecosystem_specific": {"imports": [{"path": SSH, "symbols": ["NewServerConn"]}]},
            }
        ],
        "references": [
            {"type": "FIX", "url": "https://go.example.org/cl/1"},
            {"type": "ADVISORY", "url": "https://vuln.example.org/GO-2026-5005"},
        ],
    } | changes


def read(raw: dict[str, Any] | str | bytes) -> Advisory | Skipped:
    content = json.dumps(raw) if isinstance(raw, dict) else raw
    return parse("x.json", content if isinstance(content, bytes) else content.encode())


def advisory(**changes: Any) -> Advisory:
    found = read(record(**changes))
    assert isinstance(found, Advisory), found
    return found


def fill(folder: Path, *ids: str) -> Path:
    for one in ids:
        (folder / f"{one}.json").write_text(json.dumps(record(id=one)))
    return folder


def pack(path: Path, members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def outcome(path: Path) -> list[str]:
    """Ids of what was read, and names of what was skipped."""
    return [one.id if isinstance(one, Advisory) else f"skipped {one.name}" for one in read_records(path)]


def test_a_record_says_what_when_and_where_it_is_published() -> None:
    assert advisory() == Advisory(
        id="GO-2026-5005",
        aliases=("CVE-2026-0001",),
        summary="A client can exhaust the memory of a server",
        published_at=datetime(2026, 10, 8, 15, 2, 3, 250_000, tzinfo=UTC),
        modified_at=datetime(2026, 10, 9, 8, tzinfo=UTC),
        withdrawn_at=None,
        packages=frozenset({Named("Go", "golang.org/x/crypto"), Named("Go", SSH)}),
        url="https://vuln.example.org/GO-2026-5005",
    )


def test_the_zero_date_means_that_the_date_is_not_known() -> None:
    zero = "0001-01-01T00:00:00Z"
    found = advisory(published=zero, modified=zero, withdrawn=zero)
    assert (found.published_at, found.modified_at, found.withdrawn_at) == (None, None, None)


def test_the_least_record_has_only_an_id() -> None:
    found = read({"id": "X-1"})
    assert isinstance(found, Advisory)
    assert (found.summary, found.url, found.published_at, found.packages) == ("", None, None, frozenset())


def test_without_a_summary_the_first_line_of_the_details_stands_for_it() -> None:
    assert advisory(summary="", details="It leaks.\nMore on that.").summary == "It leaks."


@pytest.mark.parametrize(
    ("package", "concerned"),
    [
        (SSH, True),
        ("golang.org/x/crypto", True),
        ("golang.org/x", True),
        (f"{SSH}/agent", False),
        ("golang.org/x/crypto/ss", False),
        ("golang.org/x/crypt", False),
        ("filippo.io/age", False),
    ],
)
def test_a_record_concerns_the_package_it_names_and_those_it_lies_in(package: str, concerned: bool) -> None:
    assert advisory().concerns(package, "Go") is concerned


@pytest.mark.parametrize(
    ("theirs", "ours", "concerned"),
    [
        ("npm", "Go", False),
        ("Go", "Go", True),
        ("Go", "go", True),
        ("Go", "golang", True),
        ("Debian:12", "debian", True),
        ("Debian:12", "Debian:11", True),
        ("crates.io", "Rust", True),
        ("Go", "Gopherland", False),
        ("", "Go", False),
        ("", "", False),
    ],
)
def test_a_record_concerns_the_package_of_its_own_ecosystem_only(theirs: str, ours: str, concerned: bool) -> None:
    specific = {"imports": [{"path": "age/armor"}]}
    affected = [{"package": {"name": "age", "ecosystem": theirs}, "ecosystem_specific": specific}]
    found = advisory(affected=affected)
    assert found.concerns("age", ours) is concerned
    assert found.concerns("age/armor", ours) is concerned
    assert found.ecosystems_of("age") == {theirs.partition(":")[0]}


def test_only_addresses_of_the_web_are_evidence() -> None:
    urls = ["javascript:alert(1)", "file:///etc/passwd", "https://a.example/\x00", "http://b.example/"]
    assert advisory(references=[{"type": "ADVISORY", "url": url} for url in urls]).url == "http://b.example/"
    assert advisory(references=[{"type": "WEB", "url": url} for url in urls[:3]]).url is None


def test_control_characters_of_a_summary_become_spaces() -> None:
    assert advisory(summary="nul\x00 and\x1b[31m red\n").summary == "nul  and [31m red"
    assert advisory(summary="half \ud83c a pair").summary == "half   a pair"
    assert advisory(summary="", details="a\x00b\nc").summary == "a b"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "it is not valid JSON"),
        ('{"id": "X-1"', "it is not valid JSON"),
        ('{"id": "X-1", "id": "X-2"}', "a field is named twice"),
        ('{"id": "X-1", "affected": [{"package": {"name": "a", "name": "b"}}]}', "a field is named twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"id": "X-1", "x": ' + '{"x": ' * 100_000, "nested too deeply"),
        (b'{"id": "gr\xf6\xdfe"}', "it is not UTF-8"),
        ('{"id": "X-1", "n": ' + "9" * 10_000 + "}", "it is not valid JSON"),
        ("[]", "it is not an OSV record"),
        ("null", "it is not an OSV record"),
        ("{}", "it is not an OSV record: id"),
        ('{"id": ""}', "it is not an OSV record: id"),
        ('{"id": "X\\u0000"}', "it is not an OSV record: id"),
        ('{"id": "' + "X" * 201 + '"}', "it is not an OSV record: id"),
        ('{"id": "\\ud800"}', "it is not an OSV record: id"),
        ('{"id": "X-1", "summary": 5}', "it is not an OSV record: summary"),
        ('{"id": "X-1", "published": "yesterday"}', "it is not an OSV record: published"),
        ('{"id": "X-1", "published": "2026-10-08T17:02:03"}', "it is not an OSV record: published"),
        ('{"id": "X-1", "published": "9999-12-31T23:59:59-14:00"}', "it is not an OSV record: published"),
        ('{"id": "X-1", "affected": ["x"]}', "it is not an OSV record: affected.0"),
    ],
)
def test_what_is_no_record_is_skipped_with_its_name_and_a_reason(raw: str | bytes, reason: str) -> None:
    found = read(raw)
    assert isinstance(found, Skipped)
    assert found.name == "x.json"
    assert reason in found.reason


def test_a_folder_is_read_in_the_order_of_names_and_with_its_sub_folders(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    fill(tmp_path / "more", "X-3")
    fill(tmp_path, "X-1", "X-2")
    (tmp_path / "README.md").write_text("no record")
    assert sorted(outcome(tmp_path)) == ["X-1", "X-2", "X-3"]
    assert outcome(tmp_path) == outcome(tmp_path)


def test_a_bad_file_never_stops_the_others(tmp_path: Path) -> None:
    fill(tmp_path, "X-1", "X-9")
    (tmp_path / "X-2.json").write_text("{")
    (tmp_path / "X-3.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "X-4.json").write_text(" " * 5_000_001)
    # A file that opens and whose reading fails.
    (tmp_path / "X-5.json").symlink_to("/proc/self/mem")
    (tmp_path / "X-6.json").symlink_to("absent")
    (tmp_path / "X-7.json").mkdir()
    skipped = [f"skipped X-{number}.json" for number in (2, 3, 4, 5)]
    assert outcome(tmp_path) == ["X-1", *skipped, "X-9"]


@pytest.mark.parametrize("name", ["X-1.json", "X-1.JSON"])
def test_one_file_is_read_as_one_record(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps(record(id="X-1")))
    assert outcome(tmp_path / name) == ["X-1"]
    (tmp_path / name).write_text("{")
    assert outcome(tmp_path / name) == [f"skipped {name}"]


def test_a_zip_is_read_like_a_folder(tmp_path: Path) -> None:
    members = {"b/X-2.json": json.dumps(record(id="X-2")), "X-1.json": json.dumps(record(id="X-1")), "README": "x"}
    assert outcome(pack(tmp_path / "all.zip", members | {"X-0.json": "{"})) == ["skipped X-0.json", "X-1", "X-2"]


def test_a_path_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRecords, match="There is nothing at"):
        read_records(tmp_path / "absent")
    with pytest.raises(NoRecords, match=r"holds no \.json file; give a folder"):
        read_records(tmp_path)
    with pytest.raises(NoRecords, match=r"holds no \.json file; give a zip"):
        read_records(pack(tmp_path / "all.zip", {"README": "x"}))


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04", b"PK\x05\x06" + bytes(10)])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "all.zip").write_bytes(content)
    with pytest.raises(BrokenArchive, match="is not a readable zip; fetch it again"):
        read_records(tmp_path / "all.zip")


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    bomb = pack(tmp_path / "bomb.zip", {"X-1.json": b" " * 4_000_000})
    assert bomb.stat().st_size < 10_000
    with pytest.raises(BrokenArchive, match="unpacks 100 times its size; it is not read"):
        read_records(bomb)


def test_a_zip_that_would_unpack_to_more_than_is_read_at_once_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "all.zip", {"X-1.json": "{}" * 300, "X-2.json": "{}" * 300})
    for name, value in (("MOST_BYTES_IN_ALL", 1_000), ("MOST_RECORDS", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(f"staffing.work.osv.{name}", value)
            with pytest.raises(BrokenArchive, match="more than is read at once; split it"):
                read_records(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_damaged_is_skipped_and_the_others_are_read(tmp_path: Path, method: int) -> None:
    members = {f"X-{n}.json": json.dumps(record(id=f"X-{n}", summary=f"{n}" * 300)) for n in (1, 2, 3)}
    path = pack(tmp_path / "all.zip", members, method)
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("X-2.json").header_offset + 30 + len("X-2.json")
    content = bytearray(path.read_bytes())
    content[at + 10 : at + 60] = b"\xff" * 50
    path.write_bytes(content)
    assert outcome(path) == ["X-1", "skipped X-2.json", "X-3"]


def test_a_member_that_lies_about_its_size_is_skipped(tmp_path: Path) -> None:
    path = pack(tmp_path / "all.zip", {"X-1.json": b" " * 6_000_000, "X-2.json": json.dumps(record(id="X-2"))})
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 6_000_000), struct.pack("<I", 1_000)))
    assert outcome(path) == ["skipped X-1.json", "X-2"]


def test_an_encrypted_member_is_skipped(tmp_path: Path) -> None:
    path = pack(tmp_path / "all.zip", {"X-1.json": json.dumps(record(id="X-1"))})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert outcome(path) == ["skipped X-1.json"]
