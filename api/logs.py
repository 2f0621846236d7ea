"""Logs: one JSON object a line on standard error, each with the request's id.

No line holds a name, an address, a query, a body or a secret: requests are named by the pattern of their route,
callers by the id of their token, errors by their type and the places they passed. `redaction` stands behind that.
"""

from __future__ import annotations

import json
import logging
import logging.config
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import g, has_app_context

from api.redaction import redact
from firm.errors import ChambersError
from firm.settings import Settings


class JsonLines(logging.Formatter):
    """A record as one JSON object: moment, level, logger, message, request id, and the fields of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(json.dumps(_fields(record), ensure_ascii=False, default=str))


class TextLines(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        found = _fields(record)
        start = " ".join(str(found.pop(name)) for name in ("at", "level", "logger", "message"))
        rest = " ".join(f"{name}={value}" for name, value in found.items())
        return redact(f"{start} {rest}".replace("\n", " ").rstrip())


def told(event: str, **fields: Any) -> dict[str, Any]:
    """What to hand to a logger's `extra`: the kind of line and its fields."""
    return {"fields": {"event": event, **fields}}


def configure(settings: Settings, *, default_level: str) -> None:
    """Send every logger of the process to standard error in our form."""
    lines = JsonLines if settings.log_format == "json" else TextLines
    description = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": lines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": (settings.log_level or default_level).upper(), "handlers": ["stderr"]},
        # It says at every look at the schema which engine it found.
        "loggers": {"alembic": {"level": "WARNING"}},
    }
    logging.config.dictConfig(description)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    moment = datetime.fromtimestamp(record.created, UTC)
    found: dict[str, Any] = {
        "at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    request_id = g.get("request_id") if has_app_context() else None
    if request_id:
        found["request_id"] = request_id
    found.update(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1] is not None:
        found["error"] = list(_chain(record.exc_info[1]))
    return found


def _chain(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """An error and what caused it: types and places. Other people's messages quote values, so only ours are kept."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
        if isinstance(error, ChambersError):
            found["message"] = error.message
        sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
        if sqlstate:
            found["sqlstate"] = sqlstate
        found["places"] = [_place(frame) for frame in traceback.extract_tb(error.__traceback__)]
        yield found
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _place(frame: traceback.FrameSummary) -> str:
    return f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}"
