"""The form of a backup file: its first line, its compressed rest, and the age file around both."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import pyrage
from pydantic import ConfigDict, Field, TypeAdapter, with_config

from firm.backup.errors import InvalidBackup, InvalidRecipient

FORMAT = "chambers-backup/1"
MOST_HEADER = 1_000_000
CHUNK = 1 << 16
_GZIP = 31
_AGE = b"age-encryption.org/"

_Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""What both databases can hold."""


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself. Amounts of the trial balance are in minor units."""

    format: str
    engine: str
    schema: str
    at: Annotated[str, Field(pattern=r"\+00:00$")]
    """ISO 8601 in UTC."""
    entries: _Count
    trial_balance: list[list[str | int]]
    chain_seq: _Count
    chain_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    @property
    def taken_at(self) -> datetime:
        return datetime.fromisoformat(self.at)


_HEADERS = TypeAdapter(Header)


class Packing:
    """A readable stream of the header's line and the compressed database, made while it is read."""

    def __init__(self, header: Header, database: BinaryIO) -> None:
        self._waiting = bytearray(json.dumps(asdict(header)).encode() + b"\n")
        self._database = database
        self._pack = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._over = False

    def read(self, size: int = -1) -> bytes:
        while not self._over and (size < 0 or len(self._waiting) < size):
            chunk = self._database.read(CHUNK)
            self._over = not chunk
            self._waiting += self._pack.flush() if self._over else self._pack.compress(chunk)
        size = len(self._waiting) if size < 0 else size
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken


class Unpacking:
    """A writable stream that hands the header to `opened`, and the database to what `opened` answers with."""

    def __init__(self, opened: Callable[[Header], Callable[[bytes], Any]]) -> None:
        self._opened = opened
        self._line = bytearray()
        self._give: Callable[[bytes], Any] | None = None
        self._unpack = zlib.decompressobj(_GZIP)

    def write(self, data: bytes) -> int:
        rest = bytes(data)
        if self._give is None:
            self._line += rest
            line, newline, rest = bytes(self._line).partition(b"\n")
            if not newline:
                if len(self._line) > MOST_HEADER:
                    raise InvalidBackup("This is no backup of Chambers.")
                return len(data)
            self._give = self._opened(_header(line))
        while rest:
            try:
                self._give(self._unpack.decompress(rest, CHUNK * 16))
            except zlib.error:
                raise InvalidBackup("This backup is damaged; take another one.") from None
            if self._unpack.unused_data:
                raise InvalidBackup("This backup has something behind its end; take another one.")
            rest = self._unpack.unconsumed_tail
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def refuse_unfinished(self) -> None:
        """Raises `InvalidBackup` unless all of it has come."""
        if self._give is None or not self._unpack.eof:
            raise InvalidBackup("This backup ends too early; take another one.")


def recipients_of(texts: list[str]) -> list[Any]:
    """The keys that a backup is encrypted to. Raises `InvalidRecipient`."""
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError:
        raise InvalidRecipient("A recipient of backups is a public key of age: age1 and 58 more characters.") from None


def identity_of(path: Path) -> Any:
    """The private key in a file that `chambers backup-key` or age-keygen wrote. Raises `InvalidBackup`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("AGE-SECRET-KEY-"):
            try:
                return pyrage.x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError:
                break
    raise InvalidBackup(f"{path.name} holds no private key of age.")


def unpack(path: Path, sink: Unpacking, *, identity: Path | None) -> None:
    """Send a file through the sink, and make sure that it came whole. Raises `InvalidBackup`."""
    with path.open("rb") as file:
        encrypted = file.read(len(_AGE)) == _AGE
        file.seek(0)
        if not encrypted and identity is not None:
            raise InvalidBackup(f"{path.name} is not encrypted; leave --identity out if it is your own all the same.")
        if not encrypted:
            for chunk in iter(lambda: file.read(CHUNK), b""):
                sink.write(chunk)
        elif identity is None:
            raise InvalidBackup(f"{path.name} is encrypted; name the file of its private key with --identity.")
        else:
            try:
                pyrage.decrypt_io(file, sink, [identity_of(identity)])
            except (pyrage.DecryptError, OSError):
                raise InvalidBackup("This identity does not open the backup, or the backup is damaged.") from None
    sink.refuse_unfinished()


def _header(line: bytes) -> Header:
    try:
        header = _HEADERS.validate_json(line)
        datetime.fromisoformat(header.at)
    except ValueError:
        raise InvalidBackup("This is no backup of Chambers.") from None
    if header.format != FORMAT:
        raise InvalidBackup(f"This is a backup of the form {header.format}; this version reads {FORMAT}.")
    return header
