"""Settings from the environment. A wrong or missing one is named in one sentence at start."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from firm.errors import Misconfigured
from firm.setting_values import (
    DatabaseUrl,
    Keys,
    LogFormat,
    LogLevel,
    MailServer,
    OneKey,
    Ports,
    Recipients,
    SafeAddress,
    Sender,
    SigningSecrets,
    StripeKeys,
    Synchronous,
    mode_of,
    parse_key,
    parse_keys,
    parts,
)

_DEFAULT_DATABASE = "sqlite:///var/chambers.db"
_IN_MEMORY = "it names no file or database, and books in memory are gone when the command ends"


def _by_its_own_name(field: str) -> AliasChoices:
    """Some variables are named as their provider's users name them everywhere, without our prefix."""
    return AliasChoices(field.upper(), field)


class Settings(BaseSettings):
    """All settings, each read from `CHAMBERS_` and its name in capitals; those of Stripe without `CHAMBERS_`."""

    model_config = SettingsConfigDict(env_prefix="CHAMBERS_", extra="ignore", frozen=True)

    database_url: DatabaseUrl = Field(default=_DEFAULT_DATABASE)
    """Where the books are: `sqlite:///path/to/file.db` or `postgresql://user@host/name`."""

    secret_keys: Keys = Field(default=SecretStr(""))
    """Keys for bank details at rest, newest first: `id:base64-of-32-bytes`, comma-separated."""

    lost_secret_keys: str = Field(default="")
    """Ids of keys that are lost for good, comma-separated: what they sealed has to be entered anew."""

    sqlite_synchronous: Synchronous = Field(default="FULL")
    """FULL survives a power cut and is for real books; NORMAL is for throw-away ones."""

    requests_per_minute: int = Field(default=1200, ge=1, le=1_000_000)
    """How many requests one token may make in a minute, on all workers together."""

    strangers_per_minute: int = Field(default=60, ge=1, le=1_000_000)
    """How many requests without a valid token one address may make in a minute, so that guessing is slow."""

    behind_proxy: bool = Field(default=False)
    """Whether a reverse proxy of ours stands in front: only then are its X-Forwarded headers believed."""

    log_level: LogLevel = Field(default=None)
    """debug, info, warning or error; unless set, the server logs from info and commands from warning."""

    log_format: LogFormat = Field(default="json")
    """json, one object a line, or text for people."""

    least_free_mb: int = Field(default=200, ge=0)
    """Below this much free disk beside the books the process says that it is not ready."""

    audit_key: OneKey = Field(default=SecretStr(""))
    """The seed that signs anchors of the audit chain: base64 of 32 bytes. Keep it where the database is not."""

    audit_anchors: Path = Field(default=Path("var/audit-anchors.jsonl"))
    """The file of anchors; best on another machine or a medium that only grows."""

    papers: Path = Field(default=Path("var/papers"))
    """The folder that the worker writes a month's statements into, a folder for each month."""

    webhook_ports: Ports = Field(default="443")
    """The ports that webhooks may be sent to, comma-separated."""

    webhooks_to_loopback: bool = Field(default=False)
    """Whether webhooks may be sent to this very machine, also by http: for trying them out, never in production."""

    smtp_url: MailServer = Field(default=SecretStr(""))
    """The mail server that sends notices: `smtps://user:password@host`, or `smtp://` for STARTTLS. Unset, people do."""

    mail_from: Sender = Field(default="")
    """Whom notices are from: `office@firm.example` or `The firm <office@firm.example>`."""

    backup_recipients: Recipients = Field(default="")
    """Public keys of age that backups are encrypted to, comma-separated. Keep the private ones elsewhere."""

    postgresql_programs: Path | None = Field(default=None)
    """The folder of pg_dump and psql, where PATH does not have those of the server's version."""

    live: bool = Field(default=False)
    """Whether real money may move: without it, a live key of a payment provider is refused."""

    onboarding_page: SafeAddress = Field(default="")
    """The page of the firm's that payees come back to from a payment provider; it asks for a fresh link if needed."""

    stripe_api_key: StripeKeys = Field(default=SecretStr(""), validation_alias=_by_its_own_name("stripe_api_key"))
    """The key to Stripe; while the firm goes from one key to the next, both, the new one first, comma-separated."""

    stripe_api_base: SafeAddress = Field(default="", validation_alias=_by_its_own_name("stripe_api_base"))
    """Where Stripe is, for tests; by http on this machine only."""

    stripe_calls_a_second: int = Field(
        default=5, ge=1, le=10_000, validation_alias=_by_its_own_name("stripe_calls_a_second")
    )
    """How often each of our processes calls Stripe at most: its own limits hold for all of them together."""

    stripe_webhook_secrets: SigningSecrets = Field(
        default=SecretStr(""), validation_alias=_by_its_own_name("stripe_webhook_secrets")
    )
    """The signing secrets of the endpoint for the firm's own account, comma-separated: new and old in a rotation."""

    stripe_connect_webhook_secrets: SigningSecrets = Field(
        default=SecretStr(""), validation_alias=_by_its_own_name("stripe_connect_webhook_secrets")
    )
    """The same of the endpoint for what happens in payees' accounts."""

    @field_validator("stripe_api_key")
    @classmethod
    def _meant(cls, value: SecretStr, read: ValidationInfo) -> SecretStr:
        if any(mode_of(key) == "live" for key in parts(value.get_secret_value())) and not read.data.get("live"):
            raise ValueError("a live key moves real money; set CHAMBERS_LIVE=1 to say that this is meant")
        return value

    @field_validator("stripe_api_base")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def stripe_keys(self) -> list[str]:
        """The keys to Stripe, the one to use first; empty when the firm does not pay over Stripe."""
        return parts(self.stripe_api_key.get_secret_value())

    @property
    def stripe_is_live(self) -> bool:
        """Whether Stripe moves real money under our keys."""
        return any(mode_of(key) == "live" for key in self.stripe_keys)

    @property
    def stripe_signing_secrets(self) -> list[str]:
        """What signs the events of the firm's own account."""
        return parts(self.stripe_webhook_secrets.get_secret_value())

    @property
    def stripe_connect_signing_secrets(self) -> list[str]:
        """What signs the events of payees' accounts."""
        return parts(self.stripe_connect_webhook_secrets.get_secret_value())

    @property
    def recipients(self) -> list[str]:
        """The public keys that backups are encrypted to."""
        return parts(self.backup_recipients)

    @property
    def anchor_key(self) -> bytes | None:
        """The 32 bytes that sign anchors, or None."""
        text = self.audit_key.get_secret_value()
        return parse_key(text) if text else None

    @property
    def ports(self) -> frozenset[int]:
        """The ports that webhooks may be sent to."""
        return frozenset(int(part) for part in self.webhook_ports.split(","))

    @property
    def keys(self) -> dict[str, bytes]:
        """Key id to 32 bytes, newest first; empty when none are set."""
        return parse_keys(self.secret_keys.get_secret_value())

    @property
    def lost_keys(self) -> frozenset[str]:
        """The ids of keys that are lost for good."""
        return frozenset(parts(self.lost_secret_keys))

    @property
    def sqlite_path(self) -> Path | None:
        """The database file when the books are in SQLite."""
        url = make_url(self.database_url)
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


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
