"""Reading OSV records, the open format of vulnerability databases, from a folder or a zip. Knows no database.

The outside world's JSON is read by pydantic models that take what we use and ignore the rest. A record that cannot
be read is skipped and named; it never stops the others.
"""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from firm.errors import Invalid
from staffing.work import ecosystems

MOST_RECORDS = 200_000
MOST_BYTES = 5_000_000
MOST_BYTES_IN_ALL = 2_000_000_000
MOST_RATIO = 100
"""How far a member over a megabyte may unpack: beyond this it is a bomb, not a record."""

UNKNOWN_YEAR = 1
"""The zero date 0001-01-01 stands for "not known" in records written by Go programs."""

_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError)
"""What the reading of a damaged or encrypted zip raises, at its opening or in a member."""


class NoRecords(Invalid):
    """The path holds no record."""


class BrokenArchive(Invalid):
    """The zip cannot be read, or is not safe to."""


@dataclass(frozen=True, slots=True)
class Named:
    """A package or an import path that a record names, and the ecosystem it is of; empty where none is given."""

    ecosystem: str
    name: str


@dataclass(frozen=True, slots=True)
class Advisory:
    """A record, as far as the product uses it. Moments are None where the record does not know them."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    published_at: datetime | None
    modified_at: datetime | None
    withdrawn_at: datetime | None
    packages: frozenset[Named]
    url: str | None

    def concerns(self, package: str, ecosystem: str) -> bool:
        """Whether the record names the package of this ecosystem, or an import path that lies inside it."""
        return any(ecosystems.same(found, ecosystem) for found in self.ecosystems_of(package))

    def ecosystems_of(self, package: str) -> set[str]:
        """The ecosystems in which the record names a package of this name, whoever's it is."""
        inside = f"{package}/"
        return {one.ecosystem for one in self.packages if one.name == package or one.name.startswith(inside)}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is no usable record, and why."""

    name: str
    reason: str


def _known(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        # pydantic would take a number for seconds, or for milliseconds if it is large.
        raise ValueError("a moment is written as text")
    return None if value is None or value.startswith(f"{UNKNOWN_YEAR:04d}-") else value


def _listed(value: Any) -> Any:
    """The format allows null for a list: https://ossf.github.io/osv-schema/."""
    return [] if value is None else value


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it lies beyond the calendar") from error


def _identifier(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("it holds characters that no identifier has")
    return text


def _printable(text: str) -> str:
    """Without control characters, which some database or paper would not take."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


_Moment = Annotated[AwareDatetime | None, BeforeValidator(_known), AfterValidator(_utc)]
_Id = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_identifier)]
_Text = Annotated[str, AfterValidator(_printable)]
_Listed = BeforeValidator(_listed)


class _Package(BaseModel):
    name: _Text = ""
    ecosystem: _Text = ""


class _Import(BaseModel):
    path: _Text = ""


class _EcosystemSpecific(BaseModel):
    imports: Annotated[list[_Import], _Listed] = Field(default_factory=list)


class _Affected(BaseModel):
    package: _Package | None = None
    ecosystem_specific: _EcosystemSpecific | None = None

    def named(self) -> Iterator[Named]:
        """The package, and the import paths, which are of the package's ecosystem."""
        package = self.package or _Package()
        ecosystem = package.ecosystem.partition(":")[0]
        paths = self.ecosystem_specific.imports if self.ecosystem_specific is not None else []
        for name in (package.name, *(one.path for one in paths)):
            if name:
                yield Named(ecosystem, name)


class _Reference(BaseModel):
    type: str = ""
    url: str = ""


class _Record(BaseModel):
    id: _Id
    aliases: Annotated[list[_Text], _Listed] = Field(default_factory=list)
    summary: _Text = ""
    details: str = ""
    published: _Moment = None
    modified: _Moment = None
    withdrawn: _Moment = None
    affected: Annotated[list[_Affected], _Listed] = Field(default_factory=list)
    references: Annotated[list[_Reference], _Listed] = Field(default_factory=list)

    def advisory(self) -> Advisory:
        return Advisory(
            id=self.id,
            aliases=tuple(self.aliases),
            summary=self.summary or _printable(self.details.partition("\n")[0]),
            published_at=self.published,
            modified_at=self.modified,
            withdrawn_at=self.withdrawn,
            packages=frozenset(named for one in self.affected for named in one.named()),
            url=self._evidence(),
        )

    def _evidence(self) -> str | None:
        """The advisory's own page before any other."""
        links = [
            one for one in self.references if one.url.startswith(("https://", "http://")) and one.url.isprintable()
        ]
        links.sort(key=lambda one: one.type != "ADVISORY")
        return links[0].url if links else None


def read_records(path: Path) -> Iterator[Advisory | Skipped]:
    """Every record of a folder (with its sub-folders) or a zip, in the order of file names, or of one .json file.

    Raises `NoRecords` and `BrokenArchive`; a single bad file becomes a `Skipped`.
    """
    if path.is_dir():
        return _from_folder(path)
    if path.is_file() and path.suffix.lower() == ".json":
        return iter([_from_file(path, path.parent)])
    if path.is_file():
        return _from_zip(path)
    raise NoRecords(f"There is nothing at {path}; give a folder or a zip of OSV records, or one .json file.")


def parse(name: str, raw: bytes) -> Advisory | Skipped:
    """One record."""
    try:
        return _Record.model_validate(_json(raw)).advisory()
    except RecursionError:
        return Skipped(name, "it is nested too deeply")
    except UnicodeDecodeError:
        return Skipped(name, "it is not UTF-8 text")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the record"
        return Skipped(name, f"it is not an OSV record: {where}: {first['msg']}")
    except ValueError as error:
        return Skipped(name, f"it is not valid JSON: {error}")


def _json(raw: bytes) -> Any:
    return json.loads(raw, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)


def _parsed(name: str, raw: bytes) -> Advisory | Skipped:
    return Skipped(name, "it is larger than 5 MB") if len(raw) > MOST_BYTES else parse(name, raw)


def _from_folder(path: Path) -> Iterator[Advisory | Skipped]:
    files = sorted(file for file in path.rglob("*.json") if file.is_file())
    if not files:
        raise NoRecords(f"The folder {path} holds no .json file; give a folder of OSV records.")
    return (_from_file(file, path) for file in files)


def _from_file(file: Path, folder: Path) -> Advisory | Skipped:
    name = str(file.relative_to(folder))
    try:
        with file.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except OSError as error:
        return Skipped(name, f"it cannot be read: {error.strerror or error}")
    return _parsed(name, raw)


def _from_zip(path: Path) -> Iterator[Advisory | Skipped]:
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise BrokenArchive(f"{path} is not a readable zip; fetch it again.") from error
    members = sorted(
        (one for one in archive.infolist() if one.filename.endswith(".json")), key=lambda one: one.filename
    )
    if not members:
        raise NoRecords(f"The zip {path} holds no .json file; give a zip of OSV records.")
    _refuse_bomb(path, members)
    return _from_members(archive, members)


def _refuse_bomb(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_RECORDS or sum(one.file_size for one in members) > MOST_BYTES_IN_ALL:
        raise BrokenArchive(f"{path} holds more than is read at once; split it.")
    for one in members:
        if one.file_size > 1_000_000 and one.file_size > MOST_RATIO * max(one.compress_size, 1):
            raise BrokenArchive(f"{path} holds a file that unpacks {MOST_RATIO} times its size; it is not read.")


def _from_members(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Iterator[Advisory | Skipped]:
    with archive:
        for member in members:
            try:
                # The header's size may lie: never read more than it and the limit say.
                with archive.open(member) as stream:
                    raw = stream.read(MOST_BYTES + 1)
            except _DAMAGED:
                yield Skipped(member.filename, "it is damaged inside the zip")
                continue
            yield _parsed(member.filename, raw)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is named twice")
    return found


def _no_constant(name: str) -> Any:
    """Python reads NaN and Infinity; JSON has neither."""
    raise ValueError(f"{name} is no number")
