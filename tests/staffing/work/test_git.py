"""Reading clones: what a history says about who did what."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from staffing.work.git import Commit, EmptyClone, NoBranch, NotAClone, Person, open_clone
from staffing.work.git_command import BrokenClone
from staffing.work.sample_history import SampleCommit, make_clone
from tests.staffing.work.repositories import ADA, GRACE, Repository, git, repository

AUTHOR = b"Ada <ada@lovelace.example> 1791201600 +0000"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return repository(tmp_path / "upstream")


def subjects(
    repo: Repository, *, since: date | None = None, until: date | None = None, folder: str | None = None
) -> list[str]:
    clone = open_clone(repo.path)
    return [commit.subject for commit in clone.commits(since=since, until=until, folder=folder)]


def only(repo: Repository) -> Commit:
    """The newest commit."""
    return next(open_clone(repo.path).commits())


def reviewers(repo: Repository, *trailers: str, author: str = ADA) -> list[str]:
    repo.commit("ssh: bound channels", *(f"Reviewed-by: {one}" for one in trailers), author=author)
    return [f"{one.name} <{one.email}>" for one in only(repo).reviewers]


def tags(repo: Repository, *, folder: str | None = None) -> list[str]:
    return [release.tag for release in open_clone(repo.path).releases(folder=folder)]


# Whose, when and what


def test_a_commit_names_its_author_its_two_moments_and_its_subject(repo: Repository) -> None:
    digest = repo.commit("ssh: bound channels", authored="2026-09-30T23:30:00-07:00", on="2026-10-02T01:00:00+02:00")
    assert only(repo) == Commit(
        hash=digest,
        authored_at=datetime(2026, 10, 1, 6, 30, tzinfo=UTC),
        committed_at=datetime(2026, 10, 1, 23, 0, tzinfo=UTC),
        author=Person("Ada", "ada@lovelace.example"),
        subject="ssh: bound channels",
        reviewers=(),
        fixes=(),
    )


def test_commits_come_newest_first_and_are_counted_alike(repo: Repository) -> None:
    for day in (1, 2, 3):
        repo.commit(f"day {day}", on=f"2026-10-0{day}T12:00:00Z")
    assert subjects(repo) == ["day 3", "day 2", "day 1"]
    assert open_clone(repo.path).count() == 3


def test_a_merge_of_somebody_s_work_is_nobody_s_work(repo: Repository) -> None:
    repo.commit("first")
    repo.git("switch", "--quiet", "--create", "side")
    repo.commit("on the side", file="side.txt")
    repo.git("switch", "--quiet", "main")
    repo.commit("on main")
    merger = {"GIT_AUTHOR_NAME": "Grace", "GIT_AUTHOR_EMAIL": "grace@lovelace.example"}
    repo.git("merge", "--quiet", "--no-edit", "side", **merger)
    assert sorted(subjects(repo)) == ["first", "on main", "on the side"]
    assert open_clone(repo.path).count() == 3


@pytest.mark.parametrize("folder", ["ssh", "-x", "--all", ":(glob)", ":!ssh", "*", "ssh agent", "größe", "a/b"])
def test_a_folder_of_any_name_selects_only_the_commits_that_touch_it(repo: Repository, folder: str) -> None:
    repo.commit("beside", file="other/file")
    repo.commit("within", file=f"{folder}/file")
    repo.commit("beside again", file="sshd/file")
    assert subjects(repo, folder=folder) == ["within"]
    assert open_clone(repo.path).count(folder=folder) == 1


def test_a_folder_that_nobody_ever_touched_has_no_commits(repo: Repository) -> None:
    repo.commit("first")
    assert subjects(repo, folder="absent") == []


def test_a_range_begins_with_its_first_day_and_ends_before_its_last_in_utc(repo: Repository) -> None:
    for on in ("2026-09-30T23:59:59Z", "2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z"):
        repo.commit(on, on=on)
    repo.commit("October in Auckland", on="2026-11-01T12:59:59+13:00")
    october = {"since": date(2026, 10, 1), "until": date(2026, 11, 1)}
    assert sorted(subjects(repo, **october)) == ["2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z", "October in Auckland"]


def test_the_days_of_a_range_are_those_of_the_zone(repo: Repository) -> None:
    for on in ("2026-09-30T23:59:59-07:00", "2026-10-01T00:00:00-07:00", "2026-10-31T23:30:00-07:00"):
        repo.commit(on, on=on)
        repo.git("tag", f"v1.{len(repo.git('tag').splitlines())}.0")
    repo.commit("November", on="2026-11-01T00:00:00-07:00")
    clone = open_clone(repo.path, zone=ZoneInfo("America/Los_Angeles"))
    october = {"since": date(2026, 10, 1), "until": date(2026, 11, 1)}
    found = [commit.subject for commit in clone.commits(**october)]
    assert found == ["2026-10-31T23:30:00-07:00", "2026-10-01T00:00:00-07:00"]
    assert [release.tag for release in clone.releases(**october)] == ["v1.1.0", "v1.2.0"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_range_may_be_all_of_the_calendar_in_any_zone(repo: Repository, zone: str) -> None:
    repo.commit("first")
    clone = open_clone(repo.path, zone=ZoneInfo(zone))
    assert len([*clone.commits(since=date(1, 1, 1), until=date(9999, 12, 31))]) == 1


def test_a_clock_that_ran_wrong_hides_nothing_behind_it(repo: Repository) -> None:
    repo.commit("before", on="2026-10-10T12:00:00Z")
    repo.commit("from a clock at its beginning", on="1970-01-02T00:00:00Z")
    repo.commit("from the future", on="2038-01-01T00:00:00Z")
    repo.commit("after", on="2026-10-11T12:00:00Z")
    assert subjects(repo, since=date(2026, 10, 1), until=date(2026, 11, 1)) == ["after", "before"]


@pytest.mark.parametrize("since", [date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1)])
def test_a_range_may_begin_before_git_does(repo: Repository, since: date) -> None:
    repo.commit("first")
    assert subjects(repo, since=since) == ["first"]
    assert subjects(repo, until=since) == []


@pytest.mark.parametrize("until", [date(2100, 1, 1), date(2500, 1, 1), date(9999, 12, 31)])
def test_a_range_may_end_after_git_does(repo: Repository, until: date) -> None:
    repo.commit("first")
    assert subjects(repo, until=until) == ["first"]
    assert open_clone(repo.path).count(until=until) == 1
    assert subjects(repo, since=until) == []


def test_a_mailmap_says_who_the_author_is_today(repo: Repository) -> None:
    (repo.path / ".mailmap").write_text("Ada <ada@lovelace.example> <ada@old.example>\n")
    repo.commit("first", author="A. King <ada@old.example>", file=".mailmap")
    assert only(repo).author == Person("Ada", "ada@lovelace.example")


# Reviews


def test_reviewers_are_those_of_the_trailers(repo: Repository) -> None:
    assert reviewers(repo, GRACE, "Mary Somerville <mary@upstream.example>") == [
        GRACE,
        "Mary Somerville <mary@upstream.example>",
    ]


def test_a_reviewer_named_in_running_text_reviewed_nothing(repo: Repository) -> None:
    repo.commit("first\n\nReviewed-by: Grace <grace@lovelace.example>\nsaid a mail once.\n\nSigned-off-by: Ada <a@b>")
    assert only(repo).reviewers == ()


@pytest.mark.parametrize(
    "again", [GRACE, "Grace <GRACE@Lovelace.example>", "G. Hopper <grace@lovelace.example>", "grace", "Grace <g@home>"]
)
def test_a_reviewer_named_twice_counts_once(repo: Repository, again: str) -> None:
    assert reviewers(repo, GRACE, again) == [GRACE]


@pytest.mark.parametrize(
    "self", [ADA, "Ada <ADA@lovelace.example>", "Ada", "Ada <ada@home.example>", "A. <ada@lovelace.example>"]
)
def test_an_author_never_reviews_their_own_commit(repo: Repository, self: str) -> None:
    assert reviewers(repo, self, GRACE) == [GRACE]


def test_a_reviewer_may_have_no_address(repo: Repository) -> None:
    assert reviewers(repo, "Grace Hopper", "<only@address.example>") == ["Grace Hopper <>", " <only@address.example>"]


@pytest.mark.parametrize("empty", ["", "<>", "  ", "\t"])
def test_an_empty_trailer_names_nobody(repo: Repository, empty: str) -> None:
    assert reviewers(repo, empty) == []


def test_a_trailer_folded_over_two_lines_names_one_reviewer(repo: Repository) -> None:
    assert reviewers(repo, "Grace Brewster Murray\n Hopper <grace@lovelace.example>") == [
        "Grace Brewster Murray Hopper <grace@lovelace.example>"
    ]


def test_a_line_separator_in_a_name_makes_no_second_reviewer(repo: Repository) -> None:
    assert len(reviewers(repo, "Grace\u2028Hopper <grace@lovelace.example>")) == 1


# What it fixes


@pytest.mark.parametrize(
    ("message", "fixes"),
    [
        ("ssh: x\n\nFixes #12", ("#12",)),
        ("ssh: x\n\nFixes: #12", ("#12",)),
        ("ssh: x\n\nfixes golang/go#61476.", ("golang/go#61476",)),
        ("ssh: x\n\nFixes: golang/go#1, #2,golang/go#3", ("golang/go#1", "#2", "golang/go#3")),
        ("ssh: x\n\nFixes #1\nFixes: #1\nFixes #2", ("#1", "#2")),
        ("ssh: x\n\nFixes https://example.org/o/r/issues/7", ("https://example.org/o/r/issues/7",)),
        (
            "ssh: x\n\nFixes https://example.org/o/r/issues/7,https://example.org/o/r/pull/8",
            ("https://example.org/o/r/issues/7", "https://example.org/o/r/pull/8"),
        ),
        ("ssh: x\n\nFor golang/go#1\nUpdates #2", ()),
        ("ssh: x\n\nThis fixes #12 at last", ()),
        ('ssh: x\n\nFixes: 1da177e4c3f4 ("first")', ("1da177e4c3f4",)),
        ('ssh: x\n\nFixes: 1DA177E ("first")\nFixes: #1', ("1DA177E", "#1")),
        ("ssh: x\n\nFixes: commit 1da177e4c3f4 (first)", ("1da177e4c3f4",)),
        (f"ssh: x\n\nFixes: {'1da177e4c3' * 4}", ("1da177e4c3" * 4,)),
        ("ssh: x\n\nFixes: 1234567", ()),
        ("ssh: x\n\nFixes: 1da177e4c3f4 at last", ()),
        ("ssh: x\n\nFixes 1da177e4c3f4", ()),
        (f"ssh: x\n\nFixes: {'a' * 65}", ()),
    ],
)
def test_a_commit_says_which_issues_and_commits_it_fixes(
    repo: Repository, message: str, fixes: tuple[str, ...]
) -> None:
    repo.commit(message)
    assert only(repo).fixes == fixes


# Strange text


def test_names_of_all_the_world_are_kept(repo: Repository) -> None:
    repo.commit(
        "größe: 修正 🎉", "Reviewed-by: 李小龍 <li@upstream.example>", author="Ελένη Žá <eleni@upstream.example>"
    )
    commit = only(repo)
    assert (commit.author.name, commit.subject) == ("Ελένη Žá", "größe: 修正 🎉")
    assert commit.reviewers == (Person("李小龍", "li@upstream.example"),)


def test_control_characters_become_spaces(repo: Repository) -> None:
    repo.commit("red \x1b[31malert\x07", "Reviewed-by: Gra\x08ce <grace@lovelace.example>")
    assert only(repo).subject == "red  [31malert"
    assert only(repo).reviewers[0].name == "Gra ce"


def test_bytes_that_are_no_utf_8_and_a_nul_in_the_message_are_survived(repo: Repository) -> None:
    repo.commit("first")
    repo.raw_commit(b"gr\xf6\xdfe\0Fixes #1\n", author=AUTHOR, committer=AUTHOR)
    found = subjects(repo)
    assert len(found) == 2
    assert found[0].startswith("gr\ufffd")
    assert "\0" not in found[0]


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "UTF-7"])
def test_a_repository_set_to_another_output_encoding_is_read_as_utf_8(repo: Repository, encoding: str) -> None:
    repo.commit("größe")
    repo.git("config", "i18n.logOutputEncoding", encoding)
    assert subjects(repo) == ["größe"]


def test_a_very_long_subject_is_read_whole(repo: Repository) -> None:
    repo.commit("long " * 50_000)
    repo.commit("short")
    assert [len(subject) for subject in subjects(repo)] == [5, 249_999]


def test_a_commit_without_a_subject_is_a_commit(repo: Repository) -> None:
    repo.commit("first")
    repo.raw_commit(b"", author=AUTHOR, committer=AUTHOR)
    assert subjects(repo) == ["", "first"]


@pytest.mark.parametrize(
    "person",
    [
        b"Ada <ada@lovelace.example>",
        b"Ada <ada@lovelace.example> soon",
        b"",
        b"nobody",
        b"Ada <a@b> 99999999999999999999 +0000",
    ],
)
def test_a_damaged_line_of_author_or_date_stops_nothing(repo: Repository, person: bytes) -> None:
    repo.commit("first")
    repo.raw_commit(b"damaged\n", author=person, committer=person)
    repo.raw_commit(b"sound\n", author=AUTHOR, committer=AUTHOR)
    assert subjects(repo)[0] == "sound"


def test_a_date_beyond_the_calendar_becomes_its_edge(repo: Repository) -> None:
    repo.raw_commit(b"late\n", author=b"Ada <a@b> 999999999999 +0000", committer=AUTHOR)
    assert only(repo).authored_at == datetime(9999, 12, 31, tzinfo=UTC)


# Releases


def test_tags_of_either_kind_are_releases_oldest_first(repo: Repository) -> None:
    digest = repo.commit("first", on="2026-10-01T12:00:00Z")
    repo.git("tag", "--annotate", "--message=second", "v1.1.0", GIT_COMMITTER_DATE="2026-10-09T12:00:00Z")
    repo.git("tag", "v1.0.0")
    light, annotated = open_clone(repo.path).releases()
    assert (light.tag, light.released_at, light.hash) == ("v1.0.0", datetime(2026, 10, 1, 12, tzinfo=UTC), digest)
    assert (annotated.tag, annotated.released_at) == ("v1.1.0", datetime(2026, 10, 9, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    "tag", ["v1.2.3", "1.2", "2026.10.05", "age-1.2.3", "release_1.0.0", "v1.0.0-rc.1", "v2.0.0+x"]
)
def test_a_tag_that_holds_a_version_is_a_release(repo: Repository, tag: str) -> None:
    repo.commit("first")
    repo.git("tag", tag)
    assert tags(repo) == [tag]


@pytest.mark.parametrize(
    "tag",
    [
        *("go1.22.3", "go1.22", "n7.0", "v3.13.0a1", "1.0rc1", "1.0.post1"),
        *("curl-8_9_1", "REL_16_1", "REL9_6_24", "V_9_8_P1", "OpenSSL_1_1_1w", "jdk-17.0.2+8"),
    ],
)
def test_the_version_tags_of_well_known_projects_are_releases(repo: Repository, tag: str) -> None:
    repo.commit("first")
    repo.git("tag", tag)
    assert tags(repo) == [tag]


@pytest.mark.parametrize(
    "tag",
    [
        "latest",
        "nightly-2026",
        "v1",
        "go1",
        "v1-rc.1",
        "release-1-2",
        "before/v1.0.0/after",
        "vX.Y",
        "other/v1.0.0",
        "x\u2028v1.0.0",
    ],
)
def test_a_tag_that_holds_no_version_is_none(repo: Repository, tag: str) -> None:
    repo.commit("first")
    repo.git("tag", tag)
    assert tags(repo) == []


def test_a_sub_module_has_the_tags_of_its_folder(repo: Repository) -> None:
    repo.commit("first")
    for tag in ("v1.0.0", "ssh/v0.1.0", "ssh/latest", "sshd/v9.0.0", "ssh/agent/v0.2.0"):
        repo.git("tag", tag)
    assert tags(repo, folder="ssh") == ["ssh/v0.1.0"]
    assert tags(repo, folder="ssh/agent") == ["ssh/agent/v0.2.0"]
    assert tags(repo) == ["v1.0.0"]


def test_a_folder_without_versions_of_its_own_is_released_with_the_repository(repo: Repository) -> None:
    repo.commit("first")
    for tag in ("v1.0.0", "ssh/latest"):
        repo.git("tag", tag)
    assert tags(repo, folder="ssh") == ["v1.0.0"]


def test_tags_that_hold_no_version_are_counted(repo: Repository) -> None:
    repo.commit("first", on="2026-10-01T12:00:00Z")
    for tag in ("v1.0.0", "latest", "v1", "ssh/v0.1.0", "ssh/latest", "ssh/agent/latest"):
        repo.git("tag", tag)
    clone = open_clone(repo.path)
    assert clone.unversioned() == clone.unversioned(folder="other") == 2
    assert clone.unversioned(folder="ssh") == 1
    assert clone.unversioned(since=date(2026, 10, 2)) == clone.unversioned(until=date(2026, 10, 1)) == 0


def test_a_tag_of_any_length_takes_no_time(repo: Repository) -> None:
    digest = repo.commit("first")
    tag = "a" + "_1" * 20_000
    (repo.path / ".git" / "packed-refs").write_text(f"{digest} refs/tags/{tag}/x\n")
    assert tags(repo) == []


def test_a_branch_of_the_same_name_hides_no_release(repo: Repository) -> None:
    repo.commit("first")
    repo.git("tag", "v1.0.0")
    repo.git("branch", "v1.0.0")
    assert tags(repo) == ["v1.0.0"]


def test_a_tag_of_something_without_a_date_is_no_release(repo: Repository) -> None:
    repo.commit("first")
    repo.git("tag", "v1.0.0", "HEAD^{tree}")
    assert tags(repo) == []


def test_releases_keep_to_the_range(repo: Repository) -> None:
    for number, on in enumerate(("2026-09-30T23:59:59Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")):
        repo.commit(on, on=on)
        repo.git("tag", f"v1.{number}.0")
    found = open_clone(repo.path).releases(since=date(2026, 10, 1), until=date(2026, 11, 1))
    assert [release.tag for release in found] == ["v1.1.0"]


# Clones of every kind


def test_bare_worktree_and_detached_clones_are_read(repo: Repository, tmp_path: Path) -> None:
    repo.commit("first")
    git(tmp_path, "clone", "--quiet", "--bare", str(repo.path), "bare.git")
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"))
    for path in (tmp_path / "bare.git", tmp_path / "worktree", repo.path / ".git"):
        clone = open_clone(path)
        assert [commit.subject for commit in clone.commits()] == ["first"]
        assert not clone.is_shallow


def test_a_shallow_clone_says_so(repo: Repository, tmp_path: Path) -> None:
    for subject in ("first", "second", "third"):
        repo.commit(subject)
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{repo.path}", "shallow")
    clone = open_clone(tmp_path / "shallow")
    assert clone.is_shallow
    assert [commit.subject for commit in clone.commits()] == ["third", "second"]


def test_a_clone_may_lie_under_a_strange_name(tmp_path: Path) -> None:
    strange = repository(tmp_path / "-C größe \n x")
    strange.commit("first")
    assert subjects(strange) == ["first"]


def test_the_caller_s_git_leaks_nothing_in(repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("first")
    other = repository(tmp_path / "other")
    other.commit("elsewhere")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "log.mailmap")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "nonsense")
    assert subjects(repo) == ["first"]


def test_an_empty_clone_is_refused(repo: Repository) -> None:
    with pytest.raises(EmptyClone, match=r"has no commits yet; import it when it has some\."):
        open_clone(repo.path)


def test_what_is_no_clone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "absent", tmp_path / "file"):
        with pytest.raises(NotAClone, match="There is no folder"):
            open_clone(path)
    with pytest.raises(NotAClone, match="is not a git clone; give the folder that holds"):
        open_clone(tmp_path)


def test_a_folder_inside_a_clone_is_refused(repo: Repository, tmp_path: Path) -> None:
    repo.commit("first", file="ssh/README")
    git(tmp_path, "clone", "--quiet", "--bare", str(repo.path), "bare.git")
    for inside in (repo.path / "ssh", tmp_path / "bare.git" / "refs"):
        with pytest.raises(NotAClone, match=r"give the clone and the package's folder\."):
            open_clone(inside)


def test_a_missing_object_is_told_in_a_sentence(repo: Repository) -> None:
    lost = repo.commit("lost")
    repo.commit("found")
    (repo.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(BrokenClone, match=r"git could not read .*; make a fresh clone and import that\."):
        list(open_clone(repo.path).commits())


def test_a_damaged_pack_is_told_in_a_sentence(repo: Repository) -> None:
    for number in range(20):
        repo.commit(f"commit {number}")
    repo.git("gc", "--quiet")
    [pack] = (repo.path / ".git" / "objects" / "pack").glob("*.pack")
    content = bytearray(pack.read_bytes())
    content[12:-20] = bytes(len(content) - 32)
    pack.chmod(0o644)
    pack.write_bytes(content)
    with pytest.raises((BrokenClone, EmptyClone), match="git could not read"):
        list(open_clone(repo.path).commits())


def test_a_head_that_names_a_missing_branch_is_told_and_how_to_mend_it(repo: Repository, tmp_path: Path) -> None:
    repo.commit("first")
    git(tmp_path, "clone", "--quiet", "--bare", str(repo.path), "bare.git")
    git(tmp_path / "bare.git", "symbolic-ref", "HEAD", "refs/heads/absent")
    with pytest.raises(NoBranch, match=r"names the branch absent, which is not there; set it to the branch to be read"):
        open_clone(tmp_path / "bare.git")
    git(tmp_path / "bare.git", "symbolic-ref", "HEAD", "refs/heads/main")
    assert open_clone(tmp_path / "bare.git").count() == 1


def test_complaints_without_end_do_not_block_the_reading(repo: Repository) -> None:
    digest = repo.commit("first")
    refs = repo.path / ".git" / "refs" / "replace"
    refs.mkdir()
    for number in range(3_000):
        (refs / f"no-hash-{number}-{'x' * 80}").write_text(digest)
    assert subjects(repo) == ["first"]


# Hostile clones


@pytest.mark.parametrize(
    "name", ["core.fsmonitor", "core.pager", "pager.log", "gpg.program", "core.sshCommand", "diff.external"]
)
def test_a_hostile_configuration_runs_nothing(repo: Repository, tmp_path: Path, name: str) -> None:
    trap, mark = _trap(tmp_path)
    repo.commit("first")
    signed = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    repo.raw_commit(b"signed\n", author=AUTHOR, committer=AUTHOR + b"\n" + signed)
    for key, value in (("log.showSignature", "true"), ("diff.x.textconv", trap), (name, trap)):
        repo.git("config", key, value)
    repo.git("config", "alias.log", f"!{trap}")
    (repo.path / ".gitattributes").write_text("* diff=x filter=x\n")
    clone = open_clone(repo.path)
    assert clone.count() == 2
    assert [commit.subject for commit in clone.commits(folder=None)] == ["signed", "first"]
    assert clone.releases() == []
    assert not mark.exists()


def test_a_hostile_hook_runs_never(repo: Repository, tmp_path: Path) -> None:
    trap, mark = _trap(tmp_path)
    repo.commit("first")
    for hook in ("post-checkout", "reference-transaction", "fsmonitor-watchman", "post-index-change", "pre-auto-gc"):
        shutil.copy(trap, repo.path / ".git" / "hooks" / hook)
    repo.git("config", "core.hooksPath", str(repo.path / ".git" / "hooks"))
    mark.unlink(missing_ok=True)
    assert subjects(repo) == ["first"]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("/", {"remote.origin.uploadpack": "{trap};"}),
        ("ext::{trap}", {"protocol.ext.allow": "always"}),
        ("ssh://localhost/x", {"core.sshCommand": "{trap}", "protocol.allow": "always"}),
        ("git://localhost/x", {"core.gitProxy": "{trap}", "protocol.allow": "always"}),
    ],
)
def test_a_partial_clone_fetches_nothing_it_lacks(
    repo: Repository, tmp_path: Path, url: str, settings: dict[str, str]
) -> None:
    trap, mark = _trap(tmp_path)
    lost = repo.commit("lost")
    repo.commit("found")
    shutil.rmtree(repo.path / ".git" / "objects" / lost[:2])
    hostile = {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": str(repo.path) if url == "/" else url.format(trap=trap),
    }
    for key, value in (hostile | settings).items():
        repo.git("config", key, value.format(trap=trap))
    with pytest.raises(BrokenClone):
        list(open_clone(repo.path).commits())
    assert not mark.exists()


def test_stopping_early_stops_git(tmp_path: Path) -> None:
    ada = Person("Ada", "ada@lovelace.example")
    noon = datetime(2026, 10, 5, 12, tzinfo=UTC)
    make_clone(tmp_path / "clone", [SampleCommit(ada, noon, noon, "ssh", f"{n} " * 200) for n in range(3_000)])
    commits = open_clone(tmp_path / "clone").commits()
    assert next(commits).subject.startswith("2999")
    assert _running_git()
    commits.close()
    assert not _running_git()


def test_a_sample_history_is_the_same_each_time(tmp_path: Path) -> None:
    ada, grace = Person("Ada", "ada@lovelace.example"), Person("Grace", "grace@lovelace.example")
    authored, committed = datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC)
    history = [SampleCommit(ada, authored, committed, "ssh", "größe: x", (grace,), ("#1", "#2")) for _ in range(3)]
    hashes = []
    for name in ("one", "two"):
        make_clone(tmp_path / name, history, {"ssh/v0.1.0": 2})
        clone = open_clone(tmp_path / name)
        commits = list(clone.commits(folder="ssh"))
        hashes.append([commit.hash for commit in commits])
        assert [release.tag for release in clone.releases(folder="ssh")] == ["ssh/v0.1.0"]
    assert hashes[0] == hashes[1]
    assert (commits[0].author, commits[0].reviewers, commits[0].fixes) == (ada, (grace,), ("#1", "#2"))
    assert (commits[0].authored_at, commits[0].committed_at) == (authored, committed)


def _trap(tmp_path: Path) -> tuple[str, Path]:
    """A program that leaves a mark when it is run."""
    trap, mark = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\n")
    trap.chmod(0o755)
    return str(trap), mark


def _running_git() -> list[int]:
    return [child.pid for child in psutil.Process().children(recursive=True) if child.name() == "git"]
