"""Every type of problem that the API can answer, read from the classes that raise them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from http import HTTPStatus
from itertools import groupby
from operator import itemgetter
from types import ModuleType

import api
import firm
import payouts
import staffing
from api.errors import NAMES, TYPE, status_of_kind
from firm.errors import ChambersError, Invalid, Refused

ABOVE_ALL = {
    "bad-request": (400, "The request itself is malformed."),
    "not-found": (404, "There is nothing at this address, or nothing that the caller may see."),
    "method-not-allowed": (405, "The address does not take this method; the Allow header names those it takes."),
    "precondition-failed": (412, "Somebody changed the thing since the caller read it."),
    "request-timeout": (408, "The request came too slowly."),
    "content-too-large": (413, "The body is over 1 MB, or a file over what its route takes."),
    "uri-too-long": (414, "The address is too long."),
    "unsupported-media-type": (415, "The body is not application/json, or is compressed."),
    "invalid-body": (422, "Fields of the body are missing, unknown or of a wrong type; `errors` names each."),
    "invalid-parameter": (
        422,
        "Parameters of the query or the path are missing, unknown or cannot be read; `errors` names each.",
    ),
    "expectation-failed": (417, "The Expect header is not understood."),
    "precondition-required": (428, "A change of one thing needs If-Match."),
    "request-header-fields-too-large": (431, "The headers are too large or too many."),
    "internal-error": (500, "Something went wrong here, not with the request."),
    "not-implemented": (501, "The transfer coding is not understood."),
    "database-away": (503, "The database is not reachable."),
    "unavailable": (503, "The service is starting or stopping."),
    "gateway-timeout": (
        504,
        "The answer takes too long; the same request may be sent again under its Idempotency-Key.",
    ),
    "http-version-not-supported": (505, "The version of HTTP is not spoken here."),
}
"""Those that no class of ours stands for: of HTTP itself, of the server, and of the proxy in front of it."""

KINDS = (ChambersError, Invalid, Refused)
"""Nothing is raised as one of these alone."""

ELSEWHERE = ("api.commands", "firm.archive", "firm.backup", "staffing.work.git", "staffing.work.osv")
"""Where only commands come, so that the API answers nothing of it."""


INTRODUCTION = f"""# Types of problems

Every error is a problem document (RFC 9457) whose `type` is `{TYPE}` and one of
the names below. A name stays what it is once it is here, and more may come: treat one that you do not know by its
status. Where a program has to do something of its own, branch on `type`; `detail` is a sentence for people, and
`errors` names the places of the request.

This page is written from the code: `chambers openapi --problems > docs/problems.md`."""

PHRASES = {status.value: status.phrase for status in HTTPStatus} | NAMES
"""Not Python's own words for all: these change with its version."""


def problem_types() -> list[dict[str, object]]:
    """Each `type` with its status and what it means, by status and name."""
    found = {slug: (status, meaning) for slug, (status, meaning) in ABOVE_ALL.items()}
    for kind in _kinds():
        found.setdefault(kind.slug(), (status_of_kind(kind), (inspect.getdoc(kind) or "").partition("\n\n")[0]))
    return [
        {"type": TYPE + slug, "status": status, "description": " ".join(meaning.split())}
        for slug, (status, meaning) in sorted(found.items(), key=lambda item: (item[1][0], item[0]))
    ]


def page() -> str:
    """All of them as the page docs/problems.md."""
    parts = [INTRODUCTION]
    for status, found in groupby(problem_types(), key=itemgetter("status")):
        rows = [f"| `{str(one['type']).removeprefix(TYPE)}` | {one['description']} |" for one in found]
        parts.append("\n".join([f"## {status} {PHRASES[status]}", "", "| type | when |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _kinds() -> Iterator[type[ChambersError]]:
    """The classes of the house, whichever of its modules have been imported so far."""
    for package in (firm, staffing, payouts):
        _import_all(package)
    waiting: list[type[ChambersError]] = [ChambersError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        # Whatever is our fault is answered as internal-error, and no more is said of it.
        if kind not in KINDS and status_of_kind(kind) != 500 and _is_ours(kind):
            yield kind


def _is_ours(kind: type) -> bool:
    """Tests define some as well."""
    top = kind.__module__.partition(".")[0]
    houses = {package.__name__ for package in (firm, staffing, payouts, api)}
    return top in houses and not kind.__module__.startswith(ELSEWHERE)


def _import_all(package: ModuleType) -> None:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
