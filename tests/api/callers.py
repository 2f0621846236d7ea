"""Callers of the API: a bearer token, requests that expect a status, and the firm of the examples behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from firm.access.tokens import issue_token
from firm.actor import Actor, Role
from tests import lovelace
from tests.api import polite
from tests.api.described import assert_described
from tests.api.going_on import assert_points

PROBLEM = "application/problem+json"
SYSTEM = Actor("test", Role.SYSTEM)


@dataclass(frozen=True)
class Caller:
    """Somebody with a token. `get` and `post` fail unless the answer has the expected status."""

    app: Flask
    headers: Mapping[str, str]
    authenticator: str = ""

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        answer = polite.send(self.app.test_client(), method, path, headers, secret=self.authenticator, **options)
        assert_described(self.app, method, path, answer)
        assert_points(self.app, method, path, self.headers, answer)
        return answer

    def get(self, path: str, status: int = 200) -> Any:
        return _told(self.send("GET", path), status)

    def post(self, path: str, body: object = None, status: int = 201) -> Any:
        return _told(self.send("POST", path, json=body) if body is not None else self.send("POST", path), status)

    def post_raw(self, path: str, raw: bytes, content_type: str = "application/json", **options: Any) -> TestResponse:
        return self.send("POST", path, data=raw, content_type=content_type, **options)


def bearing(app: Flask, secret: str) -> Caller:
    return Caller(app, {"Authorization": f"Bearer {secret}"})


def anonymous(app: Flask) -> Caller:
    return Caller(app, {})


def as_role(app: Flask, role: Role, *, name: str | None = None, subject: str | None = None) -> Caller:
    """A caller with a new token of the role."""
    with app.app_context():
        issued = issue_token(name=name or str(role), role=role, subject_id=subject, by=SYSTEM, now=lovelace.BEFORE)
    secret = polite.authenticator(app, issued, SYSTEM) if role in (Role.LEAD, Role.APPROVER) else ""
    return Caller(app, {"Authorization": f"Bearer {issued.secret}"}, secret)


def problem_of(answer: TestResponse) -> dict[str, Any]:
    """The problem document of an answer, after checking that it is one and shows nothing of the inside."""
    assert answer.content_type == PROBLEM, answer.content_type
    problem: dict[str, Any] = answer.get_json()
    assert {"type", "title", "status", "detail", "request_id"} <= set(problem) <= {*_KEYS}
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert problem["detail"].strip()
    text = answer.get_data(as_text=True)
    for inside in ("Traceback", "SELECT ", "INSERT ", "sqlite", "psycopg", "sqlalchemy", ".py", "site-packages"):
        assert inside not in text, text
    return problem


_KEYS = ("type", "title", "status", "detail", "request_id", "errors")


def money(amount: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def _told(answer: TestResponse, status: int) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    if status >= 400:
        return problem_of(answer)
    return answer.get_json() if answer.is_json and status != 204 else answer.get_data()
