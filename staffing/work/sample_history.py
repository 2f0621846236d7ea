"""Making a small real git repository, for the demonstration and for tests.

All commits go through one `git fast-import`, so that hundreds take no time; nothing of the caller's git
configuration matters, and the same commits give the same hashes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from staffing.work.git import Person
from staffing.work.git_command import BrokenClone


@dataclass(frozen=True, slots=True)
class SampleCommit:
    """A commit to make; it changes one file in the folder (empty for the top)."""

    author: Person
    authored_at: datetime
    committed_at: datetime
    folder: str
    subject: str
    reviewers: tuple[Person, ...] = ()
    fixes: tuple[str, ...] = ()


def make_clone(path: Path, commits: Sequence[SampleCommit], tags: Mapping[str, int] | None = None) -> None:
    """Make a bare repository at the path; `tags` name commits by their place, counted from 1.

    Raises `BrokenClone` when git cannot.
    """
    path.mkdir(parents=True, exist_ok=True)
    _git(path, ["init", "--quiet", "--bare", "--initial-branch=main", str(path)])
    stream = "".join([*_commits(commits), *_tags(commits, tags or {})])
    _git(path, ["-C", str(path), "fast-import", "--quiet"], stream.encode())


def _commits(commits: Sequence[SampleCommit]) -> Iterator[str]:
    for mark, commit in enumerate(commits, 1):
        name = f"{commit.folder}/file-{mark % 7}.txt" if commit.folder else f"file-{mark % 7}.txt"
        yield (
            f"commit refs/heads/main\nmark :{mark}\n"
            f"author {_signature(commit.author, commit.authored_at)}\n"
            f"committer {_signature(commit.author, commit.committed_at)}\n"
            f"{_data(_message(commit))}"
            f"M 100644 inline {name}\n{_data(f'{mark}: {commit.subject}')}"
        )


def _tags(commits: Sequence[SampleCommit], tags: Mapping[str, int]) -> Iterator[str]:
    for name, mark in tags.items():
        commit = commits[mark - 1]
        yield (f"tag {name}\nfrom :{mark}\ntagger {_signature(commit.author, commit.committed_at)}\n{_data(name)}")


def _message(commit: SampleCommit) -> str:
    trailers = [f"Fixes: {issue}" for issue in commit.fixes]
    trailers += [f"Reviewed-by: {person.name} <{person.email}>" for person in commit.reviewers]
    return f"{commit.subject}\n" + ("\n" + "\n".join(trailers) + "\n" if trailers else "")


def _signature(person: Person, moment: datetime) -> str:
    return f"{person.name} <{person.email}> {int(moment.timestamp())} +0000"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _git(path: Path, arguments: list[str], stream: bytes = b"") -> None:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(["git", *arguments], input=stream, capture_output=True, env=environment, check=False)
    if done.returncode != 0:
        raise BrokenClone(f"git could not make {path}: {done.stderr.decode('utf-8', 'replace').strip()[:300]}")
