"""The git history and the advisories of the made-up firm's packages."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.demo.people import MAINTAINERS, OTHERS, PACKAGES, DemoMaintainer
from firm.month import Month
from staffing.work.git import Person
from staffing.work.sample_history import SampleCommit, make_clone

SEED = 20_260_101
_VERBS = ("fix", "tighten", "document", "speed up", "test", "simplify", "retire", "guard")
_THINGS = (
    "handshake timeout",
    "retry budget",
    "frame decoder",
    "cache invalidation",
    "error message",
    "config loader",
    "race in shutdown",
    "flaky test",
    "parser for dates",
    "memory growth",
)


def make_history(path: Path, first: Month, until: Month) -> None:
    """A repository with every package in a folder of its own, and a year of commits, reviews and tags."""
    chance = random.Random(SEED)
    commits: list[SampleCommit] = []
    tags: dict[str, int] = {}
    for month in first.until(until):
        moments = sorted(_moments(chance, month))
        for moment in moments:
            commits.append(_commit(chance, moment))
        if month.number % 2 == 0:
            tags[f"v1.{month.minus(first)}.0"] = len(commits)
    make_clone(path, commits, tags)


def make_advisories(path: Path, month: Month) -> None:
    """Two OSV records, published in the month, of which one concerns a package of the firm."""
    path.mkdir(parents=True, exist_ok=True)
    for number, package in enumerate(("example.org/tidewire", "example.org/elsewhere"), 1):
        record = {
            "schema_version": "1.6.0",
            "id": f"DEMO-{month.year}-{number:04d}",
            "published": f"{month}-14T09:00:00Z",
            "modified": "0001-01-01T00:00:00Z",
            "summary": "A peer can hold a connection open without sending",
            "affected": [{"package": {"name": package, "ecosystem": "Go"}}],
            "references": [{"type": "ADVISORY", "url": f"https://example.org/advisories/{number}"}],
        }
        (path / f"{record['id']}.json").write_text(json.dumps(record), encoding="utf-8")


def _moments(chance: random.Random, month: Month) -> list[datetime]:
    start = datetime(month.year, month.number, 1, 8, tzinfo=UTC)
    minutes = (month.days - 1) * 24 * 60
    return [start + timedelta(minutes=chance.randrange(minutes)) for _ in range(chance.randint(24, 40))]


def _commit(chance: random.Random, moment: datetime) -> SampleCommit:
    package = chance.choice(list(PACKAGES))
    folder = PACKAGES[package][2]
    team = [one for one in MAINTAINERS if any(name == package for name, _, _ in one.assignments)]
    author = _appears_as(chance, chance.choice(team)) if chance.random() < 0.7 else chance.choice(OTHERS)
    reviewers = chance.sample([*OTHERS, *(one.person for one in MAINTAINERS)], chance.randint(0, 2))
    fixes = (f"#{chance.randint(100, 4000)}",) if chance.random() < 0.3 else ()
    subject = f"{folder.rpartition('/')[2]}: {chance.choice(_VERBS)} {chance.choice(_THINGS)}"
    return SampleCommit(
        author, moment - timedelta(hours=chance.randint(1, 60)), moment, folder, subject, tuple(reviewers), fixes
    )


def _appears_as(chance: random.Random, maintainer: DemoMaintainer) -> Person:
    """People commit under more than one name; their aliases say who they are."""
    return chance.choice([maintainer.person, *maintainer.other_names])
