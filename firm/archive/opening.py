"""Opening an archive: what is in it, and whether that is as it was written."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Table

from firm.archive.form import FORMAT
from firm.archive.manifest import MANIFEST, Manifest, read
from firm.errors import Invalid

MOST_MEMBERS = 1_000
MOST_RATIO = 200
DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    OSError,
    EOFError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a damaged file makes the readers of zip and JSON raise: a place before its beginning, a method or a password
that no archive of ours has, brackets without end."""


class InvalidArchive(Invalid):
    """A file that is no archive of ours, is damaged, or is of another version."""


def opened(path: Path) -> zipfile.ZipFile:
    """The archive, not looked into yet. Raises `InvalidArchive`."""
    try:
        return zipfile.ZipFile(path)
    except DAMAGE:
        raise InvalidArchive(f"{path.name} is no archive, or is damaged; take another copy of it.") from None


def checked(archive: zipfile.ZipFile, tables: Sequence[Table], revision: str) -> Manifest:
    """The manifest, when every file is there, is as it was written, and is of this version.

    Raises `InvalidArchive`.
    """
    members = archive.infolist()
    wanted = {f"{table.name}.jsonl" for table in tables} | {MANIFEST}
    if len(members) > MOST_MEMBERS or {member.filename for member in members} != wanted or len(members) != len(wanted):
        raise InvalidArchive("The archive does not hold the files that an archive of this version holds.")
    for member in members:
        if member.file_size > MOST_RATIO * max(member.compress_size, 100):
            raise InvalidArchive(
                f"{member.filename} would grow more than {MOST_RATIO} times; that is no archive of ours."
            )
    try:
        manifest = read(archive.read(MANIFEST))
        if (manifest.format, manifest.schema) != (FORMAT, revision):
            raise InvalidArchive(
                f"The archive is of schema {manifest.schema}, this is {revision}; use the version that wrote it."
            )
        if manifest.files.keys() != wanted - {MANIFEST}:
            raise InvalidArchive("The manifest names other files than an archive of this version holds.")
        for name, stated in manifest.files.items():
            if _digest(archive, name) != stated.sha256:
                raise InvalidArchive(f"{name} is not what was written; take another copy of the archive.")
    except DAMAGE as error:
        raise InvalidArchive("The archive is damaged; take another copy of it.") from error
    return manifest


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
