"""Settings from the environment. A wrong or missing one is named in one sentence at start."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from firm.errors import Misconfigured

LOG_LEVELS = ("debug", "info", "warning", "error")
_DEFAULT_DATABASE = "sqlite:///var/chambers.db"
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}", re.ASCII)


class Settings(BaseSettings):
    """All settings, each read from `CHAMBERS_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="CHAMBERS_", extra="ignore", frozen=True)

    database_url: str = Field(default=_DEFAULT_DATABASE)
    """Where the books are: `sqlite:///path/to/file.db` or `postgresql://user@host/name`."""

    secret_keys: SecretStr = Field(default=SecretStr(""))
    """Keys for bank details at rest, newest first: `id:base64-of-32-bytes`, comma-separated."""

    sqlite_synchronous: str = Field(default="FULL")
    """FULL survives a power cut and is for real books; NORMAL is for throw-away ones."""

    requests_per_minute: int = Field(default=1200, ge=1, le=1_000_000)
    """How many requests one token may make in a minute, on all workers together."""

    strangers_per_minute: int = Field(default=60, ge=1, le=1_000_000)
    """How many requests without a valid token one address may make in a minute, so that guessing is slow."""

    behind_proxy: bool = Field(default=False)
    """Whether a reverse proxy of ours stands in front: only then are its X-Forwarded headers believed."""

    log_level: str | None = Field(default=None)
    """debug, info, warning or error; unless set, the server logs from info and commands from warning."""

    log_format: str = Field(default="json")
    """json, one object a line, or text for people."""

    least_free_mb: int = Field(default=200, ge=0)
    """Below this much free disk beside the books the process says that it is not ready."""

    audit_key: SecretStr = Field(default=SecretStr(""))
    """The seed that signs anchors of the audit chain: base64 of 32 bytes. Keep it where the database is not."""

    audit_anchors: Path = Field(default=Path("var/audit-anchors.jsonl"))
    """The file of anchors; best on another machine or a medium that only grows."""

    papers: Path = Field(default=Path("var/papers"))
    """The folder that the worker writes a month's statements into, a folder for each month."""

    webhook_ports: str = Field(default="443")
    """The ports that webhooks may be sent to, comma-separated."""

    webhooks_to_loopback: bool = Field(default=False)
    """Whether webhooks may be sent to this very machine, also by http: for trying them out, never in production."""

    backup_recipients: str = Field(default="")
    """Public keys of age that backups are encrypted to, comma-separated. Keep the private ones elsewhere."""

    postgresql_programs: Path | None = Field(default=None)
    """The folder of pg_dump and psql, where PATH does not have those of the server's version."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            backend = make_url(value).get_backend_name()
        except (ArgumentError, ValueError):
            raise ValueError("it is not a database address such as sqlite:///var/chambers.db") from None
        if backend not in ("sqlite", "postgresql"):
            raise ValueError(f"{backend} is not supported; use sqlite or postgresql")
        return value

    @field_validator("sqlite_synchronous")
    @classmethod
    def _known_synchronous(cls, value: str) -> str:
        if value not in ("FULL", "NORMAL"):
            raise ValueError("use FULL or NORMAL")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str | None) -> str | None:
        if value is not None and value.lower() not in LOG_LEVELS:
            raise ValueError(f"use one of {', '.join(LOG_LEVELS)}")
        return value and value.lower()

    @field_validator("log_format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        if value not in ("json", "text"):
            raise ValueError("use json or text")
        return value

    @field_validator("webhook_ports")
    @classmethod
    def _known_ports(cls, value: str) -> str:
        for part in value.split(","):
            if not (part.strip().isascii() and part.strip().isdigit() and 0 < int(part) < 65536):
                raise ValueError("write ports as numbers, such as 443,8443")
        return value

    @field_validator("secret_keys")
    @classmethod
    def _well_formed_keys(cls, value: SecretStr) -> SecretStr:
        _parse_keys(value.get_secret_value())
        return value

    @field_validator("audit_key")
    @classmethod
    def _well_formed_audit_key(cls, value: SecretStr) -> SecretStr:
        try:
            _parse_keys(f"audit:{value.get_secret_value()}" if value.get_secret_value() else "")
        except ValueError:
            raise ValueError("write it as base64 of 32 bytes") from None
        return value

    @field_validator("backup_recipients")
    @classmethod
    def _well_formed_recipients(cls, value: str) -> str:
        if not all(_RECIPIENT.fullmatch(one) for one in _parts(value)):
            raise ValueError("write each recipient as age shows it: age1 and 58 more letters and digits")
        return value

    @property
    def recipients(self) -> list[str]:
        """The public keys that backups are encrypted to."""
        return _parts(self.backup_recipients)

    @property
    def anchor_key(self) -> bytes | None:
        """The 32 bytes that sign anchors, or None."""
        text = self.audit_key.get_secret_value()
        return _parse_keys(f"audit:{text}")["audit"] if text else None

    @property
    def ports(self) -> frozenset[int]:
        """The ports that webhooks may be sent to."""
        return frozenset(int(part) for part in self.webhook_ports.split(","))

    @property
    def keys(self) -> dict[str, bytes]:
        """Key id to 32 bytes, newest first; empty when none are set."""
        return _parse_keys(self.secret_keys.get_secret_value())

    @property
    def sqlite_path(self) -> Path | None:
        """The database file when the books are in SQLite."""
        url = make_url(self.database_url)
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _parts(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.split(",")) if part]


def _parse_keys(text: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for part in _parts(text):
        name, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("write each key as id:base64-of-32-bytes") from None
        if not name.isalnum() or len(key) != 32:
            raise ValueError("write each key as id:base64-of-32-bytes, the id of letters and digits")
        if name in keys:
            raise ValueError(f"the key id {name} is there twice")
        keys[name] = key
    return keys


def load() -> Settings:
    """Read the environment. Raises `Misconfigured` with one sentence that names the variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "CHAMBERS_" + "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"The environment variable {name} is wrong: {reason}.") from None


def for_database(settings: Settings, url: str) -> Settings:
    """The same settings for another database. Raises `Misconfigured`."""
    try:
        return Settings(**(settings.model_dump() | {"database_url": url}))
    except ValidationError:
        raise Misconfigured(f"{url!r} is not a database address such as postgresql://user@host/name.") from None
