"""The metrics of the server and of the business, for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api import metrics
from api.auth import now
from firm.db import reading

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def shown() -> Response:
    """Requests over all workers, and what about the business needs attention."""
    with reading() as session:
        text = metrics.exposition(session, now())
    return Response(text, content_type=CONTENT_TYPE_LATEST)
