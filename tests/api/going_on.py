"""Holding each 201 of a test against what it points at: whoever made a thing can go on with it at once."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from werkzeug.test import TestResponse

from api import creations


def assert_points(app: Flask, method: str, path: str, headers: Mapping[str, str], answer: TestResponse) -> None:
    """Fails unless a 201 says where its thing is shown, and its version as shown there to the same caller."""
    if answer.status_code != 201 or "Idempotent-Replayed" in answer.headers:
        return
    endpoint, _ = app.url_map.bind("localhost").match(path.partition("?")[0], method=method)
    if endpoint in creations.NOTHING_TO_SHOW:
        return
    where = answer.headers["Location"]
    shown = app.test_client().get(where, headers=dict(headers))
    if shown.status_code in (401, 403):
        # A token that replaced itself opens nothing any more; one that only writes reads nothing.
        return
    assert (shown.status_code, shown.headers["ETag"]) == (200, answer.headers["ETag"]), (method, path, where)
