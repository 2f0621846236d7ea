"""Whether the process lives and whether it can serve."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from firm.db import db, reading
from migrations.run import is_current

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Any:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Any:
    """The database answers and has the schema of this version; otherwise 503 with the reason."""
    try:
        with reading() as session:
            session.execute(text("SELECT 1"))
        current = is_current(db.engine)
    except SQLAlchemyError:
        return jsonify({"status": "not ready", "reason": "the database is not reachable"}), 503
    if not current:
        return jsonify({"status": "not ready", "reason": "the schema is of another version; run chambers migrate"}), 503
    return jsonify({"status": "ready"})
