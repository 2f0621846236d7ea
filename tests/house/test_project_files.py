"""The files around the code agree with each other: locks, README, Makefile, continuous integration."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import rules
from tests.house.source import ROOT, findings, tracked

LOCKS = ("runtime.txt", "dev.txt", "uv.txt")
FOREIGN_LOCKS = re.compile(r"(uv\.lock|pylock.*\.toml|poetry\.lock|Pipfile\.lock|pdm\.lock)")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def pins(lock: str) -> dict[str, str]:
    """Name to version, for each package that the lock pins."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def unsatisfied(requirements: Iterable[str], pinned: dict[str, str]) -> list[str]:
    """Requirements that no pin satisfies."""
    wanted = [Requirement(line) for line in requirements]
    return [
        str(each)
        for each in wanted
        if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"), prereleases=True)
    ]


def without_hash(lock: str) -> list[str]:
    """Pins that name no hash."""
    entries = re.split(r"(?<!\\)\n", lock.strip())
    return [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]


def commands(script: str) -> list[str]:
    """The make calls of a shell script or of indented and fenced text, in order."""
    return re.findall(r"^(?:[$] |timeout [0-9]+ )?(make [a-z-]+)", script, re.MULTILINE)


def targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_hashes_and_no_address(name: str) -> None:
    assert findings([Path("requirements", name)], rules.addresses) == []
    assert without_hash(read(f"requirements/{name}")) == []


def test_there_is_no_other_kind_of_lock() -> None:
    assert [str(path) for path in tracked() if FOREIGN_LOCKS.fullmatch(path.name)] == []


def test_the_locks_pin_what_the_project_asks_for() -> None:
    runtime, dev = pins(read("requirements/runtime.txt")), pins(read("requirements/dev.txt"))
    asked = project()["project"]
    needed = [*asked["dependencies"], *asked["optional-dependencies"]["postgres"]]
    assert unsatisfied(needed, runtime) == [], "run `make lock`"
    assert unsatisfied([*needed, *project()["dependency-groups"]["dev"]], dev) == [], "run `make lock`"


def test_tests_run_on_the_very_packages_that_are_deployed() -> None:
    runtime, dev = pins(read("requirements/runtime.txt")), pins(read("requirements/dev.txt"))
    assert {name: dev.get(name) for name in runtime} == runtime


def test_continuous_integration_calls_what_the_readme_promises() -> None:
    called = commands(read(".ci/run"))
    assert called == [
        "make test",
        "make fuzz",
        "make check",
        "make slow",
        "make crash",
        "make contract",
        "make payday",
        "make papers",
        "make demo",
        "make bench-smoke",
    ]
    assert {"make test", "make demo"} <= set(commands(read("README.md")))
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_package_shows_the_readme() -> None:
    assert project()["project"]["readme"] == "README.md"


def test_every_command_in_the_papers_is_a_target() -> None:
    known = targets(read("Makefile"))
    named = {call for paper in ("README.md", "CONTRIBUTING.md", ".ci/run") for call in commands(read(paper))}
    assert {call.removeprefix("make ") for call in named} - known == set()


def test_bare_make_names_every_public_target() -> None:
    described = set(re.findall(r"^([a-z-]+):.*  ## ", read("Makefile"), re.MULTILINE))
    assert targets(read("Makefile")) - described == set()


def test_these_readers_find_planted_breaches() -> None:
    lock = (
        "flask==3.1.3 \\\n    --hash=sha256:00\n"
        "click==8.5.1 ; sys_platform != 'win32' \\\n    --hash=sha256:11\n"
        "rich==15.0.0\n"
    )
    assert pins(lock) == {"flask": "3.1.3", "click": "8.5.1", "rich": "15.0.0"}
    assert without_hash(lock) == ["rich==15.0.0"]
    assert unsatisfied(["flask>=3.2", "click>=8", "jinja2>=3.1", "Rich"], pins(lock)) == [
        "flask>=3.2",
        "jinja2>=3.1",
    ]
    assert commands("# make lunch\nmake test\n$ make demo\ntimeout 9 make check\n  make up\n") == [
        "make test",
        "make demo",
        "make check",
    ]
    assert FOREIGN_LOCKS.fullmatch("pylock.dev.toml")
    assert targets("help:  ## list\n\t@true\nUV := x\n.PHONY: help\n") == {"help"}
