"""Regular expressions: each one of the house, on long hostile text, takes a time that grows no faster than the text."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
ANCHORED = {"match", "fullmatch"}
ANYWHERE = {"search", "sub", "split", "findall", "finditer"}
PIECES = (*'a0 -_.,\né<[/\\"=', "a-", "1,", "a@", "a.", "0:", "A0")
LENGTH = 50_000
MOST_SECONDS = 1
"""Of the processor, for one pattern on one text: a pattern that goes back and forth would take minutes."""


@dataclass(frozen=True)
class Use:
    """A pattern, where it stands, and whether it is looked for anywhere in a text or at its beginning only."""

    place: str
    pattern: str
    anywhere: bool

    def seconds(self, piece: str, length: int = LENGTH) -> float:
        """What it costs on text that nearly fits."""
        found, hostile = re.compile(self.pattern), piece * (length // len(piece)) + "\x00!"
        started = time.process_time()
        found.search(hostile) if self.anywhere else (found.match(hostile), found.fullmatch(hostile))
        return time.process_time() - started


def uses() -> Iterator[Use]:
    """Every pattern that is handed to `re`: as a literal, or put together at the top of its module."""
    for package in ("firm", "staffing", "payouts", "api"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            named: set[ast.AST] = set()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Assign) and _function(node.value) == "compile":
                    name = ast.unparse(node.targets[0])
                    called = set(re.findall(rf"\b{re.escape(name)}\.(\w+)\(", text))
                    named.add(node.value)
                    yield _use(path, node.value, anywhere=bool(called & ANYWHERE))
                elif _function(node) and node not in named:
                    yield _use(path, node, anywhere=_function(node) in ANYWHERE)


def _function(node: ast.AST) -> str:
    """The function of `re` that takes a pattern and is called here, or nothing."""
    name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    found = name.removeprefix("re.") if name.startswith("re.") else ""
    return found if found in ANCHORED | ANYWHERE | {"compile"} else ""


def _use(path: Path, node: Any, *, anywhere: bool) -> Use:
    """The pattern's text. Names in it stand for what the module gives them; those of a function, for a comma."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    names = defaultdict(lambda: ",", vars(builtins) | vars(module))
    pattern = eval(compile(ast.Expression(node.args[0]), str(path), "eval"), {}, names)  # noqa: S307 (our own code)
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    return Use(f"{path.relative_to(ROOT)}:{node.lineno}", text, anywhere)


@pytest.mark.parametrize("use", list(uses()), ids=lambda use: use.place)
def test_no_pattern_can_be_kept_busy(use: Use) -> None:
    for piece in PIECES:
        assert use.seconds(piece) < MOST_SECONDS, (use, piece)


def test_the_patterns_are_found_and_a_bad_one_is_seen() -> None:
    found = list(uses())
    assert len(found) > 30
    assert any(use.anywhere for use in found)
    bad, good = Use("", "a*a*a*b", anywhere=True), Use("", "[a]b", anywhere=True)
    assert bad.seconds("a", 300) > 20 * good.seconds("a", 300)
