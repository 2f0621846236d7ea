"""Small real repositories for the tests, made by git itself."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ADA = "Ada <ada@lovelace.example>"
GRACE = "Grace <grace@lovelace.example>"
NOON = "2026-10-05T12:00:00Z"


def git(path: Path, *arguments: str, stdin: str | bytes = b"", **environment: str) -> str:
    """Run git in a folder, with nobody's configuration."""
    plain = {
        "PATH": os.environ["PATH"],
        "HOME": str(path),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_COMMITTER_NAME": "Committer",
        "GIT_COMMITTER_EMAIL": "committer@upstream.example",
        "GIT_COMMITTER_DATE": NOON,
    }
    done = subprocess.run(
        ["git", "-C", str(path), *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env=plain | environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "replace").strip()


@dataclass(frozen=True)
class Repository:
    """A work tree under our hands."""

    path: Path

    def git(self, *arguments: str, stdin: str | bytes = b"", **environment: str) -> str:
        return git(self.path, *arguments, stdin=stdin, **environment)

    def commit(
        self,
        subject: str,
        *trailers: str,
        author: str = ADA,
        on: str = NOON,
        authored: str | None = None,
        file: str = "README",
    ) -> str:
        """Change one file and commit; returns the hash. The subject may be a whole message."""
        name, _, email = author.rpartition(" <")
        target = self.path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((target.read_text() if target.exists() else "") + subject)
        self.git("--literal-pathspecs", "add", "--", file)
        message = subject + ("\n\n" + "\n".join(trailers) if trailers else "") + "\n"
        self.git(
            *("commit", "--quiet", "--cleanup=verbatim", "--allow-empty-message", "--file=-"),
            stdin=message,
            GIT_AUTHOR_NAME=name,
            GIT_AUTHOR_EMAIL=email.removesuffix(">"),
            GIT_AUTHOR_DATE=authored or on,
            GIT_COMMITTER_DATE=on,
        )
        return self.git("rev-parse", "HEAD")

    def raw_commit(self, message: bytes, *, author: bytes, committer: bytes) -> str:
        """A commit of exactly these bytes on top of HEAD, as no honest git would write it."""
        tree = self.git("mktree").encode()
        parent = self.git("rev-list", "--max-count=1", "--all").encode()
        above = b"tree %s\n%s" % (tree, b"parent %s\n" % parent if parent else b"")
        content = above + b"author %s\ncommitter %s\n\n%s" % (author, committer, message)
        digest = self.git("hash-object", "--literally", "-t", "commit", "-w", "--stdin", stdin=content)
        self.git("update-ref", "HEAD", digest)
        return digest


def repository(path: Path, *options: str) -> Repository:
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main", *options)
    return Repository(path)
