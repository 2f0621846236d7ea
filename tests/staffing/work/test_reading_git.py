"""Reading clones that are odd: what git itself would get wrong, or would say nothing useful about."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from staffing.work.git import FolderOutside, Person, open_clone
from staffing.work.git_command import GitMissing
from tests.staffing.work.repositories import Repository, repository

AUTHOR = b"Ada <ada@lovelace.example> 1791201600 +0000"
GRACE = "Grace <grace@lovelace.example>"
READ_ALL = (
    "import pathlib, sys, staffing.work.git as g; print(len([*g.open_clone(pathlib.Path(sys.argv[1])).commits()]))"
)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return repository(tmp_path / "upstream")


def test_without_git_the_reader_says_what_to_install(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("first")
    clone = open_clone(repo.path)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(GitMissing, match="install git and try again"):
        open_clone(repo.path)
    with pytest.raises(GitMissing, match="install git and try again"):
        list(clone.commits())


@pytest.mark.parametrize("folder", ["/ssh", "../ssh", "ssh/../..", "ssh\0"])
def test_a_folder_that_cannot_be_in_the_clone_is_refused(repo: Repository, folder: str) -> None:
    repo.commit("first")
    clone = open_clone(repo.path)
    for ask in (clone.count, lambda folder: list(clone.commits(folder=folder)), clone.releases):
        with pytest.raises(FolderOutside, match="is outside the clone; name it from the clone's top"):
            ask(folder=folder)


@pytest.mark.parametrize("folder", ["ssh", "ssh/", "./ssh", "./ssh//"])
def test_a_folder_may_be_written_in_several_ways(repo: Repository, folder: str) -> None:
    repo.commit("within", file="ssh/file")
    repo.commit("beside", file="other/file")
    for tag in ("v1.0.0", "ssh/v0.1.0"):
        repo.git("tag", tag)
    clone = open_clone(repo.path)
    assert [commit.subject for commit in clone.commits(folder=folder)] == ["within"]
    assert [release.tag for release in clone.releases(folder=folder)] == ["ssh/v0.1.0"]


def test_an_author_never_reviews_their_own_commit_under_the_name_a_mailmap_replaces(repo: Repository) -> None:
    (repo.path / ".mailmap").write_text("Ada Lovelace <ada@lovelace.example> <ada@old.example>\n")
    old = "A. King <ada@old.example>"
    repo.commit("first", f"Reviewed-by: {old}", f"Reviewed-by: {GRACE}", author=old, file=".mailmap")
    commit = next(open_clone(repo.path).commits())
    assert commit.author == Person("Ada Lovelace", "ada@lovelace.example")
    assert commit.reviewers == (Person("Grace", "grace@lovelace.example"),)


def test_a_comment_character_of_the_repository_hides_no_reviewer(repo: Repository) -> None:
    repo.commit("first", f"Reviewed-by: {GRACE}")
    repo.git("config", "core.commentChar", "R")
    assert [one.name for one in next(open_clone(repo.path).commits()).reviewers] == ["Grace"]


def test_a_mailmap_that_is_a_pipe_does_not_hold_the_reading_up(repo: Repository, tmp_path: Path) -> None:
    repo.commit("first")
    os.mkfifo(tmp_path / "pipe")
    repo.git("config", "mailmap.file", str(tmp_path / "pipe"))
    # In a process of its own, since nothing in ours could end the wait.
    done = subprocess.run([sys.executable, "-c", READ_ALL, str(repo.path)], capture_output=True, timeout=30, check=True)
    assert done.stdout == b"1\n"


@pytest.mark.parametrize(
    ("message", "fixes"),
    [("ssh: x\n\nFixes:#12", ("#12",)), ("ssh: x\n\nFixes\n\n#12 was about this.", ())],
)
def test_what_is_fixed_stands_on_the_line_that_says_so(repo: Repository, message: str, fixes: tuple[str, ...]) -> None:
    repo.commit(message)
    assert next(open_clone(repo.path).commits()).fixes == fixes


def test_messages_that_end_anywhere_in_a_chunk_are_read_whole(repo: Repository) -> None:
    sizes = [0, 65_400, 65_536, 200_000, 1]
    for size in sizes:
        repo.raw_commit(b"s" + b"x" * size, author=AUTHOR, committer=AUTHOR)
    assert [len(commit.subject) - 1 for commit in open_clone(repo.path).commits()] == sizes[::-1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
def test_a_clone_of_another_owner_is_read(repo: Repository) -> None:
    repo.commit("first")
    for place in (repo.path, *repo.path.rglob("*")):
        os.chown(place, 12345, 12345)
    assert open_clone(repo.path).count() == 1
