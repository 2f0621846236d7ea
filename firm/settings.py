"""Settings from the environment. A wrong or missing one is named in one sentence at start."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
from difflib import get_close_matches
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from firm.errors import Misconfigured

LOG_LEVELS = ("debug", "info", "warning", "error")
_DEFAULT_DATABASE = "sqlite:///var/chambers.db"
_IN_MEMORY = "it names no file or database, and books in memory are gone when the command ends"
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}", re.ASCII)
_STRIPE_KEY = re.compile(r"[sr]k_(test|live)_[0-9A-Za-z_]{1,250}", re.ASCII)
_SIGNING_SECRET = re.compile(r"whsec_[0-9A-Za-z+/=_-]{1,250}", re.ASCII)


def _by_its_own_name(field: str) -> AliasChoices:
    """Some variables are named as their provider's users name them everywhere, without our prefix."""
    return AliasChoices(field.upper(), field)


class Settings(BaseSettings):
    """All settings, each read from `CHAMBERS_` and its name in capitals; those of Stripe without `CHAMBERS_`."""

    model_config = SettingsConfigDict(env_prefix="CHAMBERS_", extra="ignore", frozen=True)

    database_url: str = Field(default=_DEFAULT_DATABASE)
    """Where the books are: `sqlite:///path/to/file.db` or `postgresql://user@host/name`."""

    secret_keys: SecretStr = Field(default=SecretStr(""))
    """Keys for bank details at rest, newest first: `id:base64-of-32-bytes`, comma-separated."""

    lost_secret_keys: str = Field(default="")
    """Ids of keys that are lost for good, comma-separated: what they sealed has to be entered anew."""

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

    smtp_url: SecretStr = Field(default=SecretStr(""))
    """The mail server that sends notices: `smtps://user:password@host`, or `smtp://` for STARTTLS. Unset, people do."""

    mail_from: str = Field(default="")
    """Whom notices are from: `office@firm.example` or `The firm <office@firm.example>`."""

    backup_recipients: str = Field(default="")
    """Public keys of age that backups are encrypted to, comma-separated. Keep the private ones elsewhere."""

    postgresql_programs: Path | None = Field(default=None)
    """The folder of pg_dump and psql, where PATH does not have those of the server's version."""

    live: bool = Field(default=False)
    """Whether real money may move: without it, a live key of a payment provider is refused."""

    onboarding_page: str = Field(default="")
    """The page of the firm's that payees come back to from a payment provider; it asks for a fresh link if needed."""

    stripe_api_key: SecretStr = Field(default=SecretStr(""), validation_alias=_by_its_own_name("stripe_api_key"))
    """The key to Stripe; while the firm goes from one key to the next, both, the new one first, comma-separated."""

    stripe_api_base: str = Field(default="", validation_alias=_by_its_own_name("stripe_api_base"))
    """Where Stripe is, for tests; by http on this machine only."""

    stripe_calls_a_second: int = Field(
        default=5, ge=1, le=10_000, validation_alias=_by_its_own_name("stripe_calls_a_second")
    )
    """How often each of our processes calls Stripe at most: its own limits hold for all of them together."""

    stripe_webhook_secrets: SecretStr = Field(
        default=SecretStr(""), validation_alias=_by_its_own_name("stripe_webhook_secrets")
    )
    """The signing secrets of the endpoint for the firm's own account, comma-separated: new and old in a rotation."""

    stripe_connect_webhook_secrets: SecretStr = Field(
        default=SecretStr(""), validation_alias=_by_its_own_name("stripe_connect_webhook_secrets")
    )
    """The same of the endpoint for what happens in payees' accounts."""

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

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not _is_mail_server(text):
            raise ValueError("write the mail server as smtps://user:password@host or smtp://host:587")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if value and (not value.isprintable() or _ADDRESS.fullmatch(parseaddr(value)[1]) is None):
            raise ValueError("write it as office@firm.example or as Name <office@firm.example>")
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

    @field_validator("onboarding_page")
    @classmethod
    def _safe_page(cls, value: str) -> str:
        _refuse_unsafe_address(value)
        return value

    @field_validator("stripe_api_key")
    @classmethod
    def _well_formed_stripe_keys(cls, value: SecretStr, read: ValidationInfo) -> SecretStr:
        modes = {_mode_of(key) for key in _parts(value.get_secret_value())}
        if "" in modes:
            raise ValueError("write each key as Stripe shows it: sk_test_, rk_test_, sk_live_ or rk_live_ and the rest")
        if len(modes) > 1:
            raise ValueError("a test key and a live key never go together")
        if "live" in modes and not read.data.get("live"):
            raise ValueError("a live key moves real money; set CHAMBERS_LIVE=1 to say that this is meant")
        return value

    @field_validator("stripe_api_base")
    @classmethod
    def _safe_stripe_base(cls, value: str) -> str:
        _refuse_unsafe_address(value)
        return value.rstrip("/")

    @field_validator("stripe_webhook_secrets", "stripe_connect_webhook_secrets")
    @classmethod
    def _well_formed_signing_secrets(cls, value: SecretStr) -> SecretStr:
        if not all(_SIGNING_SECRET.fullmatch(one) for one in _parts(value.get_secret_value())):
            raise ValueError("write each secret as Stripe shows it: whsec_ and the rest")
        return value

    @property
    def stripe_keys(self) -> list[str]:
        """The keys to Stripe, the one to use first; empty when the firm does not pay over Stripe."""
        return _parts(self.stripe_api_key.get_secret_value())

    @property
    def stripe_is_live(self) -> bool:
        """Whether Stripe moves real money under our keys."""
        return any(_mode_of(key) == "live" for key in self.stripe_keys)

    @property
    def stripe_signing_secrets(self) -> list[str]:
        """What signs the events of the firm's own account."""
        return _parts(self.stripe_webhook_secrets.get_secret_value())

    @property
    def stripe_connect_signing_secrets(self) -> list[str]:
        """What signs the events of payees' accounts."""
        return _parts(self.stripe_connect_webhook_secrets.get_secret_value())

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
    def lost_keys(self) -> frozenset[str]:
        """The ids of keys that are lost for good."""
        return frozenset(_parts(self.lost_secret_keys))

    @property
    def sqlite_path(self) -> Path | None:
        """The database file when the books are in SQLite."""
        url = make_url(self.database_url)
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _is_mail_server(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    return parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and port != 0 and bare and text.isprintable()


def _parts(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.split(",")) if part]


def _mode_of(key: str) -> str:
    """`test` or `live`, or nothing for what is no key of Stripe's."""
    found = _STRIPE_KEY.fullmatch(key)
    return found[1] if found else ""


def _refuse_unsafe_address(text: str) -> None:
    """An address that keys or people are sent to: by https, or by http to this very machine."""
    if not text:
        return
    try:
        address = urlsplit(text)
        host, _ = address.hostname or "", address.port
    except ValueError:
        raise ValueError("it is not an address such as https://pay.firm.example") from None
    here = address.scheme == "http" and (host == "localhost" or _is_loopback(host))
    if not host or not (here or address.scheme == "https"):
        raise ValueError("use https; http is for this machine only")
    if address.username is not None or address.query or address.fragment:
        raise ValueError("write it without a user, a query or a fragment")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
    _refuse_misspelled()
    try:
        return _kept(Settings())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        name = name if name.startswith("STRIPE_") else f"CHAMBERS_{name}"
        reason = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"The environment variable {name} is wrong: {reason}.") from None


def _kept(settings: Settings) -> Settings:
    if _is_in_memory(settings):
        raise Misconfigured(f"The environment variable CHAMBERS_DATABASE_URL is wrong: {_IN_MEMORY}.")
    return settings


def _is_in_memory(settings: Settings) -> bool:
    return make_url(settings.database_url).database in (None, "", ":memory:")


def _refuse_misspelled() -> None:
    """A variable that is nearly one of ours would be ignored, and books made where nobody wants them."""
    known = [f"CHAMBERS_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(set(os.environ) - set(known)):
        if name.startswith("CHAMBERS") and (meant := get_close_matches(name, known, n=1, cutoff=0.9)):
            raise Misconfigured(f"The environment variable {name} is no setting; {meant[0]} may be meant.")


def for_database(settings: Settings, url: str, *, named: str) -> Settings:
    """The same settings for another database. Raises `Misconfigured`, which says what of `named` is wrong."""
    try:
        found = Settings(**(settings.model_dump() | {"database_url": url}))
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"{named} is wrong: {reason}.") from None
    if _is_in_memory(found):
        raise Misconfigured(f"{named} is wrong: {_IN_MEMORY}.")
    return found
