"""Every cell of the matrix answers something the description knows; another's looks like nothing at all."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.described import assert_described
from tests.api.matrix import cells

OWN_ONLY = ("maintainer", "client")


@pytest.fixture(scope="module")
def bearers(app: Flask) -> dict[str, dict[str, str]]:
    return cells.callers(app)


def ask(app: Flask, method: str, path: str, headers: dict[str, str]) -> TestResponse:
    body = {} if method in ("POST", "PATCH", "PUT") else None
    return app.test_client().open(path, method=method, json=body, headers=headers)


@pytest.mark.parametrize("who", cells.LETTERS)
def test_every_answer_of_the_matrix_is_described(app: Flask, bearers: dict[str, dict[str, str]], who: str) -> None:
    with app.app_context():
        things = cells.things()
    for _, method, rule, kind in cells.rows(app):
        path = cells.address(rule, kind, things)
        assert_described(app, method, path, ask(app, method, path, bearers[who]))


def told(answer: TestResponse, key: str) -> str:
    """An answer without what differs between any two requests: their id, and the key that was asked for."""
    request_id = answer.headers["X-Request-Id"]
    return re.sub(re.escape(request_id) + "|" + re.escape(key), "…", answer.get_data(as_text=True))


@pytest.mark.parametrize("who", OWN_ONLY)
def test_anothers_answers_exactly_as_one_that_is_not_there(
    app: Flask, bearers: dict[str, dict[str, str]], who: str
) -> None:
    with app.app_context():
        things = cells.things()
    compared = 0
    for _, method, rule, kind in cells.rows(app):
        if kind != "other":
            continue
        theirs, nothing = (cells.address(rule, each, things) for each in ("other", "missing"))
        hidden, missing = (ask(app, method, path, bearers[who]) for path in (theirs, nothing))
        if hidden.status_code != 404:
            continue
        assert missing.status_code == 404, rule
        assert told(hidden, theirs.split("/")[3]) == told(missing, nothing.split("/")[3]), rule
        assert set(hidden.headers.keys()) == set(missing.headers.keys()), rule
        compared += 1
    assert compared >= 5
