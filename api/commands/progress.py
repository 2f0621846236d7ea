"""Progress bars on the error stream, so that what a script reads stays clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


@contextmanager
def step_bar(title: str, steps: int) -> Iterator[Callable[[str], None]]:
    """A bar that is told the name of each finished step."""
    with _bar() as bar:
        task = bar.add_task(title, total=steps)

        def step(name: str) -> None:
            bar.update(task, advance=1, description=f"{title}: {name}")

        yield step
        bar.update(task, completed=steps, description=title)


@contextmanager
def count_bar(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar that is told how many are done, and how many there are where that is known."""
    with _bar() as bar:
        task = bar.add_task(title, total=None)

        def count(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield count
