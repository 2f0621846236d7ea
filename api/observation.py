"""Watching every request: its line in the log, and its place in the metrics."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from api import metrics
from api.logs import told

log = logging.getLogger("chambers.request")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "(none)"


def register(app: Flask) -> None:
    """Before everything else: what is registered first begins first and ends last."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_gone)


def _begin() -> None:
    g.started = time.perf_counter()
    metrics.IN_FLIGHT.inc()


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.started
    # Never the address itself: it may hold an id, a name or a query of the caller's.
    route = request.url_rule.rule if request.url_rule is not None else NO_ROUTE
    method = request.method if request.method in _METHODS else "OTHER"
    metrics.REQUESTS.labels(method, route, str(response.status_code)).inc()
    metrics.SECONDS.labels(method, route).observe(seconds)
    if log.isEnabledFor(logging.INFO):
        log.info("%s %s %s", method, route, response.status_code, extra=_fields(method, route, response, seconds))
    return response


def _fields(method: str, route: str, response: Response, seconds: float) -> dict[str, object]:
    fields: dict[str, object] = {
        "method": method,
        "route": route,
        "status": response.status_code,
        "duration_ms": round(seconds * 1000, 1),
    }
    actor = g.get("actor")
    if actor is not None:
        fields["token_id"] = actor.token_id
    problem = g.get("problem")
    if problem is not None:
        fields["problem"] = problem
    if "Idempotent-Replayed" in response.headers:
        fields["replayed"] = True
    return told("request", **fields)


def _gone(_error: BaseException | None) -> None:
    # An answer that is streamed keeps the request's context, which is then taken down twice.
    if g.pop("started", None) is not None:
        metrics.IN_FLIGHT.dec()
