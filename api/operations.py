"""Long work as an operation: asked for with `Prefer: respond-async`, answered with 202, done by a worker.

Without the header the same routes do the work within the request, as they always did: a small firm needs no worker,
and its scripts need no loop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from api.auth import current_actor, now
from api.errors import document
from firm.errors import NotFound
from firm.jobs import operations as jobs
from firm.jobs.model import Job

ENDPOINTS = {
    "months.close": "months.closed",
    "payout-runs.release": "payout_runs.released",
    "statements.render": "statements.papers_made",
}
"""The kinds of jobs that are operations, and the route whose line in the policy says who may ask for one."""

RETRY_AFTER = "1"

PREFER: Mapping[str, Any] = {
    "in": "header",
    "name": "Prefer",
    "schema": {"type": "string"},
    "description": "`respond-async`: answer 202 with an operation, and do the work in the background.",
}


class OperationNotFound(NotFound):
    """No operation has this id; work that nobody asked for is none."""


def find(session: Session, key: str) -> Job:
    """Raises `OperationNotFound`."""
    job = session.get(Job, key)
    if job is None or job.kind not in ENDPOINTS:
        raise OperationNotFound(f"There is no operation {key!r}.")
    return job


def is_preferred() -> bool:
    """Whether the caller would rather not wait (RFC 7240)."""
    wishes = request.headers.get("Prefer", "").replace(";", ",").split(",")
    return any(wish.strip().lower() == "respond-async" for wish in wishes)


def accept(kind: str, payload: Mapping[str, str]) -> Response:
    """Promise the work and say where it can be watched."""
    job = jobs.ask(kind, payload, by=current_actor(), now=now())
    response = shown(job)
    response.status_code = 202
    response.headers["Location"] = f"/v1/operations/{job.id}"
    if is_preferred():
        response.headers["Preference-Applied"] = "respond-async"
    return response


def shown(job: Job) -> Response:
    """An operation, with a hint of when to look again while it is under way."""
    from api.v1.operations import OperationSchema  # imported here: the routes that are described by it import us

    response = jsonify(OperationSchema().dump(shape(job)))
    if job.state in ("queued", "running"):
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def shape(job: Job) -> dict[str, Any]:
    """An operation as it is shown: its progress, and its result or the problem it ended with."""
    ended: dict[str, Any] = json.loads(job.result) if job.result else {}
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "result": ended["href"] if job.state == "done" else None,
        "problem": _parked(job) if job.state == "parked" else ended if job.state == "refused" else None,
        "created_at": job.created_at,
        "created_by": job.created_by,
        "finished_at": job.finished_at,
    }


def _parked(job: Job) -> dict[str, Any]:
    sentence = f"This kept failing and waits for the firm's own people. {job.last_error or ''}".rstrip()
    return document(500, "internal-error", sentence, title="Internal error") | {"request_id": job.request_id or ""}
