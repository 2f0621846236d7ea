"""Every type of problem that the API can answer, read from the classes that raise them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import api
import firm
import payouts
import staffing
from api.errors import TYPE, status_of_kind
from firm.errors import ChambersError, InvariantBroken

ABOVE_ALL = {
    "bad-request": (400, "The request itself is malformed."),
    "unauthorized": (401, "No token, or none that opens anything."),
    "not-found": (404, "There is nothing at this address, or nothing that the caller may see."),
    "method-not-allowed": (405, "The address does not take this method; the Allow header names those it takes."),
    "precondition-failed": (412, "Somebody changed the thing since the caller read it."),
    "request-entity-too-large": (413, "The body is over 1 MB."),
    "request-uri-too-long": (414, "The address is too long."),
    "unsupported-media-type": (415, "The body is not application/json, or is compressed."),
    "invalid-body": (422, "Fields of the body are missing, unknown or of a wrong type; `errors` names each."),
    "invalid-parameter": (
        422,
        "Parameters of the query or the path are missing, unknown or cannot be read; `errors` names each.",
    ),
    "precondition-required": (428, "A change of one thing needs If-Match."),
    "internal-error": (500, "Something went wrong here, not with the request."),
    "database-away": (503, "The database is not reachable."),
}
"""Those that no class of ours stands for."""


def problem_types() -> list[dict[str, object]]:
    """Each `type` with its status and what it means, by status and name."""
    found = {slug: (status, meaning) for slug, (status, meaning) in ABOVE_ALL.items()}
    for kind in _kinds():
        found.setdefault(kind.slug(), (status_of_kind(kind), (inspect.getdoc(kind) or "").partition("\n\n")[0]))
    return [
        {"type": TYPE + slug, "status": status, "description": " ".join(meaning.split())}
        for slug, (status, meaning) in sorted(found.items(), key=lambda item: (item[1][0], item[0]))
    ]


def _kinds() -> Iterator[type[ChambersError]]:
    """The classes of the house, whichever of its modules have been imported so far."""
    for package in (firm, staffing, payouts):
        _import_all(package)
    waiting: list[type[ChambersError]] = [ChambersError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind is not ChambersError and not issubclass(kind, InvariantBroken) and _is_ours(kind):
            yield kind


def _is_ours(kind: type) -> bool:
    """Commands raise some that never reach the API."""
    top = kind.__module__.partition(".")[0]
    houses = {package.__name__ for package in (firm, staffing, payouts, api)}
    return top in houses and not kind.__module__.startswith("api.commands")


def _import_all(package: ModuleType) -> None:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
