"""Of every body behind the proxy what nobody has read, which would cost the answer."""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, Response, request

from api.parts import parts

MOST_LEFT = 16_000_000
"""More than the proxy lets through for any route."""


def register(app: Flask) -> None:
    """The proxy holds the whole body before it asks, so that nobody is waited for."""
    if parts(app).settings.behind_proxy:
        app.after_request(_read_to_the_end)


def _read_to_the_end(response: Response) -> Response:
    """A connection that is closed on unread bytes is reset, and the proxy may lose the refusal that was on its way."""
    stream, left = request.environ["wsgi.input"], MOST_LEFT
    # A body that breaks off or is badly chunked has no rest; the answer stands.
    with suppress(OSError):
        while left > 0 and (chunk := stream.read(min(left, 1 << 16))):
            left -= len(chunk)
    return response
