"""The files of the house, as they are on disk: everything git tracks or would track."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("firm", "staffing", "payouts", "api")

Finding = tuple[int, str]
"""A line number and what is wrong there."""


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project, relative to its root, in order."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return tuple(path for name in sorted(filter(None, listing.split("\0"))) if (ROOT / (path := Path(name))).is_file())


def python(*folders: str) -> Iterator[Path]:
    """The Python files of these top-level folders."""
    return (path for path in tracked() if path.suffix == ".py" and path.parts[0] in folders)


def text(path: Path) -> str | None:
    """The file's text; None when it is not text."""
    content = (ROOT / path).read_bytes()
    return None if b"\0" in content else content.decode("utf-8", errors="replace")


def findings(paths: Iterable[Path], rule: Callable[[str], Iterable[Finding]]) -> list[str]:
    """What the rule finds in the files, one readable line each; a test asserts that there is none."""
    found = []
    for path in paths:
        content = text(path)
        if content is not None:
            found += [f"{path}:{line}: {what}" for line, what in rule(content)]
    return found


def inside(tree: ast.AST, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, kinds))
