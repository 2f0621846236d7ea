"""What the value of a setting may be: each check says in half a sentence what is wrong with it."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LOG_LEVELS = ("debug", "info", "warning", "error")
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}", re.ASCII)
_STRIPE_KEY = re.compile(r"[sr]k_(test|live)_[0-9A-Za-z_]{1,250}", re.ASCII)
_SIGNING_SECRET = re.compile(r"whsec_[0-9A-Za-z+/=_-]{1,250}", re.ASCII)


def parts(text: str) -> list[str]:
    """What stands between the commas."""
    return [part for part in (piece.strip() for piece in text.split(",")) if part]


def parse_keys(text: str) -> dict[str, bytes]:
    """Key id to 32 bytes, in the order they are written."""
    keys: dict[str, bytes] = {}
    for part in parts(text):
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


def parse_key(text: str) -> bytes:
    """A key that stands alone: 32 bytes as base64."""
    try:
        return parse_keys(f"only:{text}")["only"]
    except ValueError:
        raise ValueError("write it as base64 of 32 bytes") from None


def mode_of(key: str) -> str:
    """`test` or `live`, or nothing for what is no key of Stripe's."""
    found = _STRIPE_KEY.fullmatch(key)
    return found[1] if found else ""


def _known_database(value: str) -> str:
    try:
        backend = make_url(value).get_backend_name()
    except (ArgumentError, ValueError):
        raise ValueError("it is not a database address such as sqlite:///var/chambers.db") from None
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"{backend} is not supported; use sqlite or postgresql")
    return value


def _known_synchronous(value: str) -> str:
    if value not in ("FULL", "NORMAL"):
        raise ValueError("use FULL or NORMAL")
    return value


def _known_level(value: str | None) -> str | None:
    if value is not None and value.lower() not in LOG_LEVELS:
        raise ValueError(f"use one of {', '.join(LOG_LEVELS)}")
    return value and value.lower()


def _known_format(value: str) -> str:
    if value not in ("json", "text"):
        raise ValueError("use json or text")
    return value


def _ports(value: str) -> str:
    for part in value.split(","):
        if not (part.strip().isascii() and part.strip().isdigit() and 0 < int(part) < 65536):
            raise ValueError("write ports as numbers, such as 443,8443")
    return value


def _mail_server(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and not _is_mail_server(text):
        raise ValueError("write the mail server as smtps://user:password@host or smtp://host:587")
    return value


def _is_mail_server(text: str) -> bool:
    try:
        address = urlsplit(text)
        port = address.port
    except ValueError:
        return False
    bare = address.path in ("", "/") and not address.query and not address.fragment
    return address.scheme in ("smtp", "smtps") and bool(address.hostname) and port != 0 and bare and text.isprintable()


def _sender(value: str) -> str:
    if value and (not value.isprintable() or _ADDRESS.fullmatch(parseaddr(value)[1]) is None):
        raise ValueError("write it as office@firm.example or as Name <office@firm.example>")
    return value


def _keys(value: SecretStr) -> SecretStr:
    parse_keys(value.get_secret_value())
    return value


def _key(value: SecretStr) -> SecretStr:
    if value.get_secret_value():
        parse_key(value.get_secret_value())
    return value


def _recipients(value: str) -> str:
    if not all(_RECIPIENT.fullmatch(one) for one in parts(value)):
        raise ValueError("write each recipient as age shows it: age1 and 58 more letters and digits")
    return value


def _stripe_keys(value: SecretStr) -> SecretStr:
    modes = {mode_of(key) for key in parts(value.get_secret_value())}
    if "" in modes:
        raise ValueError("write each key as Stripe shows it: sk_test_, rk_test_, sk_live_ or rk_live_ and the rest")
    if len(modes) > 1:
        raise ValueError("a test key and a live key never go together")
    return value


def _signing_secrets(value: SecretStr) -> SecretStr:
    if not all(_SIGNING_SECRET.fullmatch(one) for one in parts(value.get_secret_value())):
        raise ValueError("write each secret as Stripe shows it: whsec_ and the rest")
    return value


def _safe_address(text: str) -> str:
    """An address that keys or people are sent to: by https, or by http to this very machine."""
    if not text:
        return text
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
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


DatabaseUrl = Annotated[str, AfterValidator(_known_database)]
Synchronous = Annotated[str, AfterValidator(_known_synchronous)]
LogLevel = Annotated[str | None, AfterValidator(_known_level)]
LogFormat = Annotated[str, AfterValidator(_known_format)]
Ports = Annotated[str, AfterValidator(_ports)]
MailServer = Annotated[SecretStr, AfterValidator(_mail_server)]
Sender = Annotated[str, AfterValidator(_sender)]
Keys = Annotated[SecretStr, AfterValidator(_keys)]
OneKey = Annotated[SecretStr, AfterValidator(_key)]
Recipients = Annotated[str, AfterValidator(_recipients)]
SafeAddress = Annotated[str, AfterValidator(_safe_address)]
StripeKeys = Annotated[SecretStr, AfterValidator(_stripe_keys)]
SigningSecrets = Annotated[SecretStr, AfterValidator(_signing_secrets)]
