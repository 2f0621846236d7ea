"""Funded-work reports: the answer to "what do we pay you for?"."""

from __future__ import annotations

from typing import Any

import pytest

from firm.documents import papers
from tests.firm.documents.reading import links, words
from tests.firm.documents.samples import funded_work_report


def test_both_forms_show_people_releases_security_and_work() -> None:
    pdf, html = words(papers.pdf(funded_work_report())), papers.html(funded_work_report()).decode()
    for fact in (
        "Acme Incorporated",
        "Funded work in October 2026",
        "R-2026-0001",
        "Gold",
        "golang.org/x/crypto/ssh",
        "You named this package: stopping is not acceptable; replacing it would take 24 engineer-months.",
        "Ada Lovelace and Grace Hopper",
        "12 commits, 30 reviews, 2 releases, 18 issues triaged and 1 vulnerability.",
        "v0.46.0",
        "12 October 2026",
        "GO-2026-5005",
        "exhaust the memory",
        "ssh: synchronize access to the transport during rekeying",
        "and 8 more",
        "Moving the build farm from RSA to Ed25519 host keys",
    ):
        assert fact in pdf
        assert fact in html


def test_the_headline_is_what_was_done_by_kind() -> None:
    said = words(papers.pdf(funded_work_report()))
    assert "Commits 15 Reviews 37 Releases 2 Issues triaged 21 Vulnerability 1" in said


def test_no_report_speaks_of_hours() -> None:
    assert "hour" not in words(papers.pdf(funded_work_report())).lower()


def test_a_package_s_own_events_say_whether_they_were_ours() -> None:
    said = words(papers.pdf(funded_work_report()))
    assert "v0.46.0 Our maintainers 12 October 2026" in said
    assert "v1.4.0 Others upstream 20 October 2026" in said


def test_a_package_without_work_gets_an_honest_sentence() -> None:
    quiet = funded_work_report(packages=funded_work_report()["packages"][2:], totals={})
    for said in (words(papers.pdf(quiet)), papers.html(quiet).decode()):
        assert "No public work fell in this period; maintainers work in cycles of weeks." in said


def test_a_report_without_packages_asks_for_names() -> None:
    for said in (words(papers.pdf(_empty())), papers.html(_empty()).decode()):
        assert "Your retainer names no package yet." in said


def test_a_report_may_cover_several_months_and_lack_a_service_part() -> None:
    figures = funded_work_report(**{"from": "2026-08", "until": "2026-11"})
    del figures["service"]
    for said in (words(papers.pdf(figures)), papers.html(figures).decode()):
        assert "Funded work in August 2026 to October 2026" in said
        assert "At your service" not in said


def test_an_unknown_kind_of_work_keeps_its_name() -> None:
    many = dict.fromkeys(("commit", "review", "release", "triage", "refusal", "advisory", "backport"), 1234)
    assert "Backport 1,234" in words(papers.pdf(funded_work_report(totals=many)))


def test_an_advisory_without_a_day_says_so() -> None:
    figures = funded_work_report()
    figures["packages"][0]["security"][0]["on"] = None
    assert "Date unknown" in words(papers.pdf(figures))


def test_public_work_is_linked() -> None:
    found = links(papers.pdf(funded_work_report()))
    assert "https://vuln.example.org/GO-2026-5005" in found
    assert b'<a href="https://vuln.example.org/GO-2026-5005"' in papers.html(funded_work_report())


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//example.org/",
        "https:alert(1)",
        "https://[broken",
        "https://example.org/\x00",
        "https://example.org/" + "a" * 10_000,
        "",
        None,
    ],
)
def test_only_addresses_of_the_web_become_links(url: str | None) -> None:
    figures = _empty()
    figures["packages"] = [funded_work_report()["packages"][1]]
    for event in figures["packages"][0]["work"] + figures["packages"][0]["releases"]:
        event["url"] = url
    assert links(papers.pdf(figures)) == []
    assert b"<a " not in papers.html(figures)
    assert "plugin: wait for a plugin that asks for a touch" in words(papers.pdf(figures))


def _empty() -> dict[str, Any]:
    return funded_work_report(packages=[], totals={}, service={"advice": [], "meetings": []})
