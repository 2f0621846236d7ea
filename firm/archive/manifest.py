"""The manifest of an archive: what it says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, with_config

MANIFEST = "manifest.json"


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True, slots=True)
class File:
    """What one file of an archive holds."""

    rows: Annotated[int, Field(ge=0)]
    sha256: str


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True, slots=True)
class Manifest:
    """Amounts of the trial balance are in minor units; `left_out` says why there is no file of a table."""

    format: int
    schema: str
    """The revision of the schema that wrote it."""
    at: Annotated[str, Field(pattern=r"\+00:00$")]
    """ISO 8601 in UTC."""
    files: dict[str, File]
    left_out: dict[str, str]
    trial_balance: list[list[str | int]]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files.values())

    @property
    def taken_at(self) -> datetime:
        return datetime.fromisoformat(self.at)


_MANIFESTS = TypeAdapter(Manifest)


def read(raw: bytes) -> Manifest:
    """Raises `ValueError` for what is no manifest."""
    manifest = _MANIFESTS.validate_json(raw)
    datetime.fromisoformat(manifest.at)
    return manifest


def written(manifest: Manifest) -> bytes:
    """The manifest as JSON, the same for the same one."""
    return json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
