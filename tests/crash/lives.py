"""One life of a process: forked, hooked, killed or let go; and what it said before it ended."""

from __future__ import annotations

import os
import select
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from firm import faults
from tests.crash.points import Tally

PATIENCE_SECONDS = 60
"""A life that has not ended by then hangs, which is a finding."""

DONE = "done: "
"""How a sentence begins that is no complaint: it names something that was done."""

Program = Callable[[Callable[[str], None]], None]
"""What a life does; it is handed a way to say that something is wrong, or was done."""


@dataclass(frozen=True, slots=True)
class Death:
    """Where a life ends: at the n-th time that a point is reached; without a name, at the n-th point of all."""

    nth: int
    point: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a life ended; `said` is what it complained of, and `done` what it told of having done."""

    killed: bool
    said: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()


class Life:
    """A forked process. `reached` and `died` count the points over all lives."""

    def __init__(self, program: Program, death: Death | None, *, reached: Tally, died: Tally) -> None:
        self._mouth, mouth = os.pipe()
        self._lock = threading.Lock()
        self._over = False
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._mouth)
            _live(program, death, mouth, reached, died)
        os.close(mouth)

    def kill(self) -> None:
        """End it now, from any thread, unless it has ended."""
        with self._lock:
            if not self._over:
                os.kill(self.pid, signal.SIGKILL)

    def end(self) -> End:
        """Wait for the end of it."""
        heard, hung = _heard(self._mouth, PATIENCE_SECONDS)
        done = frozenset(each.removeprefix(DONE) for each in heard if each.startswith(DONE))
        said = tuple(each for each in heard if not each.startswith(DONE))
        if hung:
            self.kill()
        with self._lock:
            _, status = os.waitpid(self.pid, 0)
            self._over = True
        os.close(self._mouth)
        if hung:
            return End(False, ("A life hung, and was ended.", *said), done)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if status and not killed:
            said = (*said, f"A life ended with status {status}.")
        return End(killed, said, done)


def _live(program: Program, death: Death | None, mouth: int, reached: Tally, died: Tally) -> NoReturn:
    """The child's side; it never returns into the parent's code."""

    def say(sentence: str) -> None:
        os.write(mouth, sentence.encode().replace(b"\0", b"") + b"\0")

    try:
        faults.listen(_hook(death, reached, died))
        program(say)
    except BaseException:
        say(traceback.format_exc())
    finally:
        os._exit(0)


def _hook(death: Death | None, reached: Tally, died: Tally) -> Callable[[str], None]:
    passed = 0

    def hook(name: str) -> None:
        nonlocal passed
        reached.add(name)
        if death is None or death.point not in (None, name):
            return
        passed += 1
        if passed == death.nth:
            died.add(name)
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _heard(mouth: int, seconds: float) -> tuple[tuple[str, ...], bool]:
    """Everything that was said until the end, and whether the end did not come in time."""
    heard = b""
    while select.select([mouth], [], [], seconds)[0]:
        part = os.read(mouth, 65536)
        if not part:
            return _sentences(heard), False
        heard += part
    return _sentences(heard), True


def _sentences(heard: bytes) -> tuple[str, ...]:
    return tuple(part.decode() for part in heard.split(b"\0") if part)
