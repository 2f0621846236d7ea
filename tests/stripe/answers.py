"""What goes over the wire: a request as it was understood, an answer, and a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Request:
    """A request as it was understood. `account` is the connected account it speaks for, None for the platform."""

    id: str
    operation: str
    path: str
    captures: tuple[str, ...]
    parameters: dict[str, Any]
    account: str | None
    key: str | None

    @property
    def second_api(self) -> bool:
        return self.path.startswith("/v2/")

    @property
    def subject(self) -> str:
        """The id in the path."""
        return self.captures[0]


@dataclass(slots=True)
class Answer:
    """Status, body (a JSON value, or bytes as they are) and headers."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer that is no success. `executed` refusals are kept under the idempotency key, others are not."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        executed: bool = True,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param, self.kind = status, message, code, param, kind
        self.executed = executed
        self.headers = headers or {}

    def again(self) -> Refusal:
        """A copy to raise: an exception that is raised twice holds on to the frames of the first time."""
        kept = {"code": self.code, "param": self.param, "kind": self.kind, "executed": self.executed}
        return Refusal(self.status, self.message, headers=self.headers, **kept)  # type: ignore[arg-type]

    def answer(self, *, second_api: bool) -> Answer:
        error: dict[str, Any] = {"message": self.message}
        if second_api:
            error["code"] = self.code or "invalid_fields"
            if self.kind != "invalid_request_error":
                error["type"] = self.kind
        else:
            error |= {"type": self.kind}
            error |= {} if self.code is None else {"code": self.code}
            error |= {} if self.param is None else {"param": self.param}
        return Answer(self.status, {"error": error}, dict(self.headers))


def missing(what: str, id: str, *, second_api: bool = False, param: str = "id", status: int = 404) -> Refusal:
    """There is no such thing. Named by a parameter, it is a 400; named by the path, a 404."""
    code = "not_found" if second_api else "resource_missing"
    return Refusal(status, f"No such {what}: '{id}'", code=code, param=None if second_api else param)
