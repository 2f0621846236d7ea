"""Named points in the product at which tests stop the process, as a power cut would.

`reached("payout.before_send")` does nothing unless somebody has put a hook in place. Every name is listed in `POINTS`
with what has happened when it is reached, so that a test can say which ones it has hit and which it has not.
"""

from __future__ import annotations

from collections.abc import Callable

from firm.errors import InvariantBroken

POINTS: dict[str, str] = {}
"""The names of all points in modules imported so far, each with what has happened when it is reached."""

_hooks: list[Callable[[str], None]] = []


def point(name: str, what: str) -> str:
    """Register a point beside the code that reaches it, and return its name."""
    POINTS[name] = what
    return name


def reached(name: str) -> None:
    """Say that a registered point is reached. Nothing happens in production."""
    for hook in _hooks:
        if name not in POINTS:
            raise InvariantBroken(f"{name} is no registered point.")
        hook(name)


def listen(hook: Callable[[str], None] | None) -> None:
    """Have a hook called at every point instead of the one before; None takes it away. For tests."""
    _hooks[:] = [] if hook is None else [hook]
