"""Bodies that are files: larger than JSON may be, of one of a few media types, and never compressed."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

MOST_BYTES = {
    "bank_files.received": 10_000_000,
    "payment_proofs.added": 5_000_000,
}
"""The routes that take a file, and how large it may be."""

XML = ("application/xml", "text/xml")
DOCUMENTS = ("application/pdf", "image/png", "image/jpeg")


def register(app: Flask) -> None:
    """After authentication, so that nobody else can send so much; before whatever reads the body."""
    app.before_request(_allow)


def _allow() -> None:
    most = MOST_BYTES.get(request.endpoint or "")
    if most is None or request.method != "POST":
        return
    request.max_content_length = most + 1
    if request.content_length is not None and request.content_length > most:
        raise RequestEntityTooLarge


def body_of(types: Collection[str]) -> bytes:
    """The file as it came. Raises HTTP 413 and 415."""
    if request.mimetype not in types or request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType(f"Send the file itself as {' or '.join(types)}, not compressed.")
    raw = request.get_data(cache=True)
    if len(raw) > MOST_BYTES[request.endpoint or ""]:
        raise RequestEntityTooLarge
    return raw


def described(types: Collection[str]) -> dict[str, object]:
    """The body as OpenAPI describes it."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in types}
    return {"required": True, "content": content}
