"""Running the `git` command on a clone that nobody vouches for.

In a clean environment, and with everything off that a hostile repository could use to run code, to wait for ever or
to fetch what it lacks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from firm.errors import Invalid, Misconfigured

_SAFE = [
    "--no-pager",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "log.showSignature=false"),
    *("-c", "log.follow=false"),
    *("-c", "trailer.separators=:"),
    # A repository that sets this to a letter would hide the trailers that begin with it.
    *("-c", "core.commentChar=#"),
    # It may name a pipe, for which git would wait for ever; the repository's own .mailmap is read all the same.
    *("-c", "mailmap.file="),
    *("-c", "safe.directory=*"),
]


class BrokenClone(Invalid):
    """git stopped in the middle: objects are missing or damaged."""


class GitMissing(Misconfigured):
    """There is no git command to read with."""


@contextmanager
def streaming(path: Path, arguments: list[str]) -> Iterator[IO[bytes]]:
    """git's output as it comes. Leaving early stops git; a failure of git raises `BrokenClone`."""
    # A pipe for complaints would fill up unread, and git and we would wait for each other.
    with TemporaryFile() as complaints:
        process = subprocess.Popen(
            _command(path, arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_environment(),
        )
        if process.stdout is None:
            raise BrokenClone("git could not be started; install it and try again.")
        try:
            yield process.stdout
            if process.wait() != 0:
                complaints.seek(0)
                raise BrokenClone(_explained(path, complaints.read(10_000)))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def run(path: Path, arguments: list[str]) -> str:
    """What git says. Raises `BrokenClone` and `GitMissing`."""
    done = subprocess.run(
        _command(path, arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=_environment(),
        check=False,
    )
    if done.returncode != 0:
        raise BrokenClone(_explained(path, done.stderr))
    return done.stdout.decode("utf-8", "replace")


def _command(path: Path, arguments: list[str]) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise GitMissing("There is no git command on this machine; install git and try again.")
    return [program, "-C", str(path), *_SAFE, *arguments]


def _explained(path: Path, complaint: bytes) -> str:
    first = clean((complaint.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"])[0])
    return f"git could not read {path} ({first[:200]}); make a fresh clone and import that."


def _environment() -> dict[str, str]:
    """Nothing of the caller's git leaks in: no hooks, no prompts, no configuration but the repository's own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return kept | {
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        # A partial clone fetches what it lacks with commands of its own configuration. Only git 2.45 and later know
        # the first of these; with no protocol allowed, earlier ones fail before they run anything.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def clean(text: str) -> str:
    """Text of people without control characters, which some database or paper would not take."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text).strip()
