"""A paper as an HTTP response: the same bytes each time, and nothing in it that a browser would run."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from firm.documents import papers

FORMATS = {"pdf": "application/pdf", "html": "text/html; charset=utf-8"}


def rendered(figures: Mapping[str, object], number: str, form: str) -> Response:
    content = papers.pdf(figures) if form == "pdf" else papers.html(figures)
    response = Response(content, content_type=FORMATS[form])
    response.headers["Content-Disposition"] = f'inline; filename="{number}.{form}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response
