"""Gunicorn's worker and logger in our terms: problems for what it refuses itself, and no line with an address in it."""

from __future__ import annotations

import json
import logging
from typing import Any

from gunicorn import glogging, util  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.sync import SyncWorker  # type: ignore[import-untyped]

from api import logs
from api.logs import told
from firm import ids
from firm.settings import load

log = logging.getLogger("chambers.server")

REFUSALS: tuple[tuple[tuple[type[Exception], ...], int, str, str], ...] = (
    ((errors.LimitRequestLine,), 414, "URI Too Long", "The address is too long; send at most 4 kB."),
    (
        (errors.LimitRequestHeaders,),
        431,
        "Request Header Fields Too Large",
        "The headers are too large or too many; send at most 100, each of at most 8 kB.",
    ),
    ((errors.UnsupportedTransferCoding,), 501, "Not Implemented", "This transfer coding is not understood."),
    ((errors.ExpectationFailed,), 417, "Expectation Failed", "This Expect header is not understood."),
    ((errors.ForbiddenProxyRequest,), 403, "Forbidden", "This proxy is not one of ours."),
    ((errors.ParseException,), 400, "Bad Request", "This is not a request of HTTP/1.1 as the standard writes it."),
)
OURS = (500, "Internal Error", "Something went wrong here, not with your request; quote the request id.")
"""What the application tried to send and may not."""


class Worker(SyncWorker):  # type: ignore[misc]
    """A sync worker whose own refusals are problem documents and name nobody in the log."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        status, reason, detail = answer_to(exc)
        request_id = ids.new("req")
        fields = told("refused", request_id=request_id, status=status, error=type(exc).__name__)
        if status == 500:
            log.error("a request failed outside the application", exc_info=exc, extra=fields)
        else:
            log.warning("a request was refused before the application", extra=fields)
        try:
            util.write_nonblock(client, problem_bytes(status, reason, detail, request_id))
        except OSError:
            log.debug("the caller is gone")


class Log(glogging.Logger):  # type: ignore[misc]
    """Gunicorn's own messages in our form; its access lines, which hold addresses and queries, are not written."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        logs.configure(load(), default_level="info")

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """The application writes one line a request itself."""


def answer_to(error: Exception) -> tuple[int, str, str]:
    """Status, reason and sentence for something that gunicorn could not or would not read."""
    if isinstance(error, (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)):
        return OURS
    for kinds, status, reason, detail in REFUSALS:
        if isinstance(error, kinds):
            return status, reason, detail
    return OURS


def problem_bytes(status: int, reason: str, detail: str, request_id: str) -> bytes:
    """A whole HTTP answer with a problem document."""
    slug = reason.lower().replace(" ", "-")
    body = json.dumps(
        {
            "type": f"https://chambers.invalid/problems/{slug}",
            "title": reason,
            "status": status,
            "detail": detail,
            "request_id": request_id,
        }
    ).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Cache-Control: no-store\r\nX-Request-Id: {request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
