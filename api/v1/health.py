"""Whether the process lives and whether it can serve."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify

from api.parts import parts
from api.readiness import checks

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Any:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Any:
    """Each check with its reason; 503 while one fails that answers need, and during a graceful stop."""
    found = list(checks(parts().settings))
    ready = all(check.ok for check in found if check.needed)
    body = {
        "status": "ready" if ready else "not ready",
        "checks": {check.name: {"ok": check.ok, "reason": check.reason} for check in found},
    }
    return jsonify(body), 200 if ready else 503
