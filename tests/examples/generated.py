"""A client generated from the served document, and the people of the example who use it."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import typing
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "chambers_client"
CONFIG = f"""\
post_hooks: []
package_name_override: {PACKAGE}
content_type_overrides:
  application/pdf: application/octet-stream
  application/xml: application/octet-stream
  image/jpeg: application/octet-stream
  image/png: application/octet-stream
  text/xml: application/octet-stream
"""
"""No formatter is run over what was generated; files are bytes."""


def generate(document: str, folder: Path) -> Path:
    """Generate a package from the document at an address. Fails when the generator has anything to say."""
    served = folder / "openapi.json"
    served.write_text(json.dumps(with_one_type(fetch(document))), encoding="utf-8")
    config = folder / "generator.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(served), "--meta", "none"]
    command += ["--config", str(config), "--output-path", str(folder / PACKAGE), "--fail-on-warning"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    said = (ended.stdout + ended.stderr).strip().splitlines()
    assert (ended.returncode, said[1:]) == (0, []), ended.stdout + ended.stderr
    return folder


def fetch(address: str) -> dict[str, Any]:
    """The document as it is served."""
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 (our own server)
        found: dict[str, Any] = json.load(answer)
    return found


def with_one_type(document: dict[str, Any]) -> dict[str, Any]:
    """The generator writes broken code for a body that may be a file of several types: each keeps its first one."""
    for operations in document["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}) if isinstance(operation, dict) else {}
            for further in list(content)[1:]:
                del content[further]
    return document


def operations(package: ModuleType) -> dict[str, ModuleType]:
    """Every generated operation, by the name that its module has."""
    api = importlib.import_module(f"{package.__name__}.api")
    found = pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
    return {each.name.rpartition(".")[2]: importlib.import_module(each.name) for each in found if not each.ispkg}


@dataclass
class User:
    """Somebody with a generated client and a token. Each call sends a key of its own, where one is taken."""

    client: Any
    known: Mapping[str, ModuleType]

    def ask(
        self, operation: str, *place: str, body: object = None, seen: str = "", status: int = 200, **query: Any
    ) -> Any:
        """Call an operation and return what its answer was parsed to."""
        return self.answer(operation, *place, body=body, seen=seen, status=status, **query).parsed

    def do(self, operation: str, *place: str, body: object = None, seen: str = "", status: int = 201) -> Any:
        return self.ask(operation, *place, body=body, seen=seen, status=status)

    def seen(self, operation: str, *place: str) -> str:
        """The version of a thing, as its ETag says."""
        return str(self.answer(operation, *place).headers["ETag"])

    def answer(
        self, operation: str, *place: str, body: object = None, seen: str = "", status: int = 200, **query: Any
    ) -> Any:
        function = self.known[operation].sync_detailed
        parameters = inspect.signature(function).parameters
        options: dict[str, Any] = dict(query)
        if "idempotency_key" in parameters:
            options["idempotency_key"] = uuid.uuid4().hex
        if seen:
            options["if_match"] = seen
        if body is not None:
            options["body"] = _model(parameters["body"].annotation).from_dict(body)
        answer = function(*place, client=self.client, **options)
        assert answer.status_code == status, answer.content
        assert answer.parsed is not None or status == 204, "the client could not read the answer"
        return answer


def _model(annotation: Any) -> Any:
    """The body's class, without the mark that it may be left out."""
    kinds = typing.get_args(annotation) or (annotation,)
    return next(kind for kind in kinds if kind.__name__ != "Unset")
