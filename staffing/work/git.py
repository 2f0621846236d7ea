"""Reading a git clone: commits with their trailers, and tags as releases. Knows no database.

Records are separated by NUL, which no commit can hold, and streamed, so that a history of any length needs little
memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from datetime import time as clock_time
from pathlib import Path, PurePosixPath
from typing import IO

from firm.errors import Invalid
from staffing.work.git_command import BrokenClone, clean, run, streaming

_REVIEWED = "%(trailers:key=Reviewed-by,valueonly,only,unfold,separator=%x0A)"
_FIELDS = ("%H", "%at", "%ct", "%aN", "%aE", "%an", "%ae", "%s", _REVIEWED, "%B")
_FORMAT = "%x00".join(_FIELDS) + "%x00"
# Not `refname:short`, which says "tags/v1.0.0" where a branch has the same name.
_TAG = "%(refname:lstrip=2)%00%(creatordate:unix)%00%(objectname)%00%(taggername)%00%(taggeremail)"
# Spaces are taken off afterwards: to look for them here costs the cube of a hostile line's length.
_PERSON = re.compile(r"(?P<name>[^<]*)<(?P<email>[^>]*)>")
# With bounds: without them a long line costs its square.
_ISSUE = r"(?:(?:[\w.-]{1,100}/[\w.-]{1,100})?#\d{1,18}|https?://[^\s,]{1,300}/(?:issues|pull)/\d{1,18})"
# An earlier commit, as the kernel names it: Fixes: 1234567890ab ("subject"). Short and alone it might be a number of
# something else.
_HASH = r"[0-9a-f]{7,64}(?=[ \t]*\()|[0-9a-f]{12,64}(?=[ \t\r]*$)"
_FIXES = re.compile(
    rf"^fixes(?:(?::[ \t]*|[ \t]+)({_ISSUE}(?:\s*,\s*{_ISSUE})*)|:[ \t]*(?:commit[ \t]+)?({_HASH}))",
    re.IGNORECASE | re.MULTILINE,
)
# As go1.22.3, 1.0rc1, curl-8_9_1 and V_9_8_P1 are written. At least two numbers: v1 is a tag that moves.
_VERSION = re.compile(r"(?:[A-Za-z][\w.-]*[-_])?[A-Za-z]*\d+(?:[._]\d+)+(?:_?[A-Za-z][\w.+-]*|[-+.][\w.+-]+)?")
_LONGEST_TAG = 200
"""To look for a version costs the cube of a hostile tag's length."""


class NotAClone(Invalid):
    """The path holds no git repository."""


class EmptyClone(Invalid):
    """The repository has no commit."""


class NoBranch(Invalid):
    """HEAD names a branch that is not there, so that nothing says which history to read."""


class FolderOutside(Invalid):
    """The folder asked for cannot be one of the repository's."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a commit names them; the address may be empty."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that is not a merge. `reviewers` never include the author; each is named once.

    `fixes` are issues, and earlier commits by their abbreviated hash.
    """

    hash: str
    authored_at: datetime
    committed_at: datetime
    author: Person
    subject: str
    reviewers: tuple[Person, ...]
    fixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """A version tag; the moment is the tagger's, or the commit's for a lightweight tag, which names nobody."""

    tag: str
    released_at: datetime
    hash: str
    tagger: Person


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository that can be read; `is_shallow` when older history was cut off.

    Ranges [since, until) are of days in the zone.
    """

    path: Path
    is_shallow: bool
    zone: tzinfo = UTC

    def count(self, *, since: date | None = None, until: date | None = None, folder: str | None = None) -> int:
        """How many commits git would list: for a progress bar, quickly."""
        selection = _selection(since, until, folder, self.zone)
        return int(run(self.path, ["rev-list", "--count", "--no-merges", *selection]).strip() or 0)

    def commits(
        self, *, since: date | None = None, until: date | None = None, folder: str | None = None
    ) -> Iterator[Commit]:
        """Commits of HEAD's history, newest first, whose commit date lies in [since, until).

        With a folder, only those that touch it. Merges are left out: a merge of somebody's work is not that
        person's work. Raises `BrokenClone` and `FolderOutside`.
        """
        shape = ["-z", "--encoding=UTF-8", f"--format={_FORMAT}"]
        arguments = ["log", *shape, "--no-merges", *_selection(since, until, folder, self.zone)]
        with streaming(self.path, arguments) as stream:
            for fields in _records(stream, len(_FIELDS)):
                commit = _commit(fields)
                if _within(commit.committed_at, since, until, self.zone):
                    yield commit

    def releases(
        self, *, since: date | None = None, until: date | None = None, folder: str | None = None
    ) -> list[Release]:
        """Version tags in [since, until), oldest first.

        A package in a folder that has tags of its own ("folder/v1.2.3", as Go modules do) has those; otherwise
        the repository's own version tags count.
        """
        prefix, tags = self._tags(folder)
        return [
            one for one in tags if _is_version(one.tag, prefix) and _within(one.released_at, since, until, self.zone)
        ]

    def unversioned(self, *, since: date | None = None, until: date | None = None, folder: str | None = None) -> int:
        """How many tags in [since, until) might have been releases and hold no version."""
        prefix, tags = self._tags(folder)
        others = [one for one in tags if not _is_version(one.tag, prefix) and "/" not in one.tag.removeprefix(prefix)]
        return sum(_within(one.released_at, since, until, self.zone) for one in others)

    def _tags(self, folder: str | None) -> tuple[str, list[Release]]:
        """What the tags of a package's versions begin with, and all tags that do."""
        lines = run(
            self.path,
            ["for-each-ref", "--sort=creatordate", f"--format={_TAG}", "refs/tags"],
        )
        tags = [line.split("\0") for line in lines.split("\n") if line]
        found = [
            Release(tag, _moment(when), digest, Person(name.strip(), email.strip("<> ")))
            for tag, when, digest, name, email in tags
            if when
        ]
        own = f"{_inside(folder)}/" if folder else ""
        prefix = own if any(_is_version(one.tag, own) for one in found) else ""
        return prefix, [one for one in found if one.tag.startswith(prefix)]


def _is_version(tag: str, prefix: str) -> bool:
    """Whether a tag is the prefix and a version."""
    version = tag.removeprefix(prefix)
    return tag.startswith(prefix) and len(version) <= _LONGEST_TAG and _VERSION.fullmatch(version) is not None


def open_clone(path: Path, *, zone: tzinfo = UTC) -> Clone:
    """The clone at a path: a work tree, a bare repository or a worktree. Its ranges are of days in the zone.

    Raises `NotAClone`, `EmptyClone`, `NoBranch`, `GitMissing`.
    """
    if not path.is_dir():
        raise NotAClone(f"There is no folder {path}; give the folder of a git clone.")
    try:
        answers = run(path, ["rev-parse", "--is-shallow-repository", "--git-dir"]).splitlines()
    except BrokenClone as error:
        raise NotAClone(f"{path} is not a git clone; give the folder that holds .git, or a bare repository.") from error
    if not _is_its_own(path, answers[1]):
        raise NotAClone(f"{path} lies inside a git clone but is not one; give the clone and the package's folder.")
    if not run(path, ["rev-list", "--max-count=1", "--all"]).strip():
        raise EmptyClone(f"The git repository at {path} has no commits yet; import it when it has some.")
    _refuse_missing_branch(path)
    return Clone(path, is_shallow=answers[0] == "true", zone=zone)


def _refuse_missing_branch(path: Path) -> None:
    """A bare repository may be made for one branch and be sent another. Raises `NoBranch`."""
    try:
        run(path, ["rev-parse", "--verify", "--quiet", "HEAD"])
    except BrokenClone as error:
        branch = clean(run(path, ["symbolic-ref", "HEAD"])).removeprefix("refs/heads/")
        raise NoBranch(
            f"HEAD of the git repository at {path} names the branch {branch}, which is not there; set it to the"
            " branch to be read: git symbolic-ref HEAD refs/heads/NAME."
        ) from error


def _is_its_own(path: Path, git_dir: str) -> bool:
    """Whether the repository found belongs to this very folder, not to one above it."""
    if (path / ".git").exists():
        return True
    return (path / git_dir).resolve() == path.resolve()


def _selection(since: date | None, until: date | None, folder: str | None, zone: tzinfo) -> list[str]:
    """git's own filter, which takes the end with it; the exact range is checked on each commit.

    Days are given as seconds: git reads no date before 1970 or after 2099, and takes the present for it.
    """
    arguments = []
    if since is not None:
        # Unlike --since, which stops at the first older commit, this goes on past clocks that ran wrong.
        arguments.append(f"--since-as-filter={_seconds(since, zone)}")
    if until is not None:
        arguments.append(f"--until={_seconds(until, zone)}")
    return [*arguments, "--end-of-options", "HEAD", "--", *([_inside(folder)] if folder else [])]


def _inside(folder: str) -> str:
    """The folder as git names it. Raises `FolderOutside`."""
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or "\0" in folder:
        raise FolderOutside(f"The folder {clean(folder)} is outside the clone; name it from the clone's top.")
    return str(path)


def _seconds(day: date, zone: tzinfo) -> str:
    return f"@{max(int(_start(day, zone).timestamp()), 0)} +0000"


def _within(moment: datetime, since: date | None, until: date | None, zone: tzinfo) -> bool:
    after = since is None or moment >= _start(since, zone)
    return after and (until is None or moment < _start(until, zone))


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock_time(), zone)


def _commit(fields: list[str]) -> Commit:
    digest, authored, committed, name, email, raw_name, raw_email, subject, reviewed, body = fields
    author = Person(clean(name), clean(email))
    # Trailers are not mapped: an author may review under the name that the mailmap replaces.
    unmapped = Person(clean(raw_name), clean(raw_email))
    reviewers = [_person(line) for line in reviewed.split("\n")]
    return Commit(
        hash=digest.strip(),
        authored_at=_moment(authored),
        committed_at=_moment(committed),
        author=author,
        subject=clean(subject),
        reviewers=tuple(_each_once(reviewers, but=(author, unmapped))),
        fixes=tuple(dict.fromkeys(_fixed(body))),
    )


def _each_once(people: list[Person], *, but: tuple[Person, Person]) -> Iterator[Person]:
    """Known by address or by name: some trailers hold only one of them, and some people have several addresses."""
    seen = _known_by(but[0]) | _known_by(but[1])
    for person in people:
        names = _known_by(person)
        if names and not names & seen:
            yield person
        seen |= names


def _known_by(person: Person) -> set[str]:
    return {person.name.lower(), person.email.lower()} - {""}


def _person(text: str) -> Person:
    match = _PERSON.match(text)
    if match is None:
        return Person(clean(text), "")
    return Person(clean(match["name"].strip()), clean(match["email"]))


def _fixed(body: str) -> Iterator[str]:
    """What the message says it fixes: issues, as "Fixes: #1" or "Fixes golang/go#1", and commits."""
    for match in _FIXES.finditer(body):
        yield from [match[2]] if match[2] else re.findall(_ISSUE, match[1])


def _moment(seconds: str) -> datetime:
    """Git keeps any number, or none in a damaged line; one beyond the calendar becomes its edge."""
    number = min(max(int(seconds or 0), 0), 253_402_214_400)
    return datetime.fromtimestamp(number, UTC)


def _records(stream: IO[bytes], width: int) -> Iterator[list[str]]:
    """Fields separated by NUL, `width` to a record, each record followed by one more NUL."""
    fields: list[str] = []
    parts: list[bytes] = []
    while chunk := stream.read(1 << 16):
        # Joined once per field, not per chunk: a message of many megabytes would be copied thousands of times.
        first, *others = chunk.split(b"\0")
        parts.append(first)
        for begun in others:
            fields.append(b"".join(parts).decode("utf-8", "replace"))
            parts = [begun]
            if len(fields) == width + 1:
                yield fields[:width]
                fields = []
