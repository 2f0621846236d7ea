"""The API's own description: the OpenAPI document, and a page to browse it that loads nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Blueprint, Response, current_app, jsonify, send_from_directory

blueprint = Blueprint("docs", __name__)
ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Chambers API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="api"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body></html>
"""
_START = 'SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", validatorUrl: null });\n'


@blueprint.get("/openapi.json")
def openapi() -> Any:
    """The OpenAPI 3.1 document of this API."""
    return jsonify(current_app.extensions["openapi"]())


@blueprint.get("/docs")
def page() -> Response:
    """The document, to be read in a browser."""
    return Response(_PAGE, content_type="text/html; charset=utf-8")


@blueprint.get("/docs/start.js")
def start() -> Response:
    return Response(_START, content_type="text/javascript; charset=utf-8")


@blueprint.get("/docs/assets/<path:name>")
def asset(name: str) -> Any:
    return send_from_directory(ASSETS, name)
