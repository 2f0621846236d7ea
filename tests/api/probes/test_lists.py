"""Every list: cursors, limits, filters and sorting that nobody offered."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.api.callers import PROBLEM, problem_of
from tests.api.matrix import cells
from tests.api.probes.places import Place, Prober, filters, lists

INJECTIONS = (
    "' OR '1'='1",
    "x'; DROP TABLE client; --",
    '" OR ""="',
    "1) UNION SELECT digest FROM api_token --",
    "%",
    "_",
    "\\",
    "${7*7}{{7*7}}",
    "../../etc/passwd",
    "\r\nX-Injected: yes",
    "x" * 3_000,
    "🦆",
)


LIMITS = ("0", "-1", "201", "1000000000", "1e3", "1.0", "٥", "1_0", "", "NaN", "0x10", "9" * 999)
QUERIES = (
    "sort=digest",
    "order=id",
    "order=newest,oldest",
    "resume=x",
    "offset=9",
    "page=2",
    "fields=secret",
    "id[]=1",
    "q=a&q=b",
)


MARK = "0" * 12
"""As long as what a cursor is bound to."""


def cursors(place: Place) -> list[str]:
    ours = [f"{place.endpoint} {MARK} {key}" for key in ("' OR 1=1 --", "\x00", "é", "\n")] + [
        f"clients.nothing {MARK} cli_1",
        "",
    ]
    return ["!!!!", "A", "=" * 9, "%00", *(base64.urlsafe_b64encode(one.encode()).decode() for one in ours if one)]


def test_a_cursor_that_was_never_given_is_refused_or_ends_the_list(lead: Prober, everywhere: list[Place]) -> None:
    for place in lists(everywhere):
        for cursor in cursors(place):
            answer = lead.send(place, f"{place.path}?cursor={quote(cursor)}")
            assert answer.status_code in (200, 400, 422), (str(place), cursor)
            if answer.status_code != 200:
                problem_of(answer)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_page_is_at_most_200_long(lead: Prober, everywhere: list[Place], limit: str) -> None:
    for place in lists(everywhere):
        answer = lead.send(place, f"{place.path}?limit={quote(limit)}")
        assert answer.status_code == 422, (str(place), limit)
        assert problem_of(answer)["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize("query", QUERIES)
def test_only_what_is_offered_filters_and_sorts(lead: Prober, everywhere: list[Place], query: str) -> None:
    for place in lists(everywhere):
        assert lead.send(place, f"{place.path}?{query}").status_code == 422, (str(place), query)


def test_a_hundred_filters_at_once_are_refused(lead: Prober, everywhere: list[Place]) -> None:
    query = "&".join(f"filter{number}=x" for number in range(100))
    for place in lists(everywhere):
        assert lead.send(place, f"{place.path}?{query}").status_code == 422, str(place)


def test_a_parameter_given_twice_is_refused(lead: Prober, everywhere: list[Place]) -> None:
    """Two readers may each take another of them."""
    for place in lists(everywhere):
        assert lead.send(place, f"{place.path}?limit=1&limit=2").status_code == 422, str(place)


WRONG = {
    "date": ("2026-13-01", "2026-2-3", "today", "2026-10-31T00:00:00Z", "20261031", "٢٠٢٦-١٠-٣١"),
    "date-time": ("2026-10-31", "2026-10-31T12:00:00", "2026-10-31 12:00:00Z", "now", "2026-02-30T12:00:00Z", "0"),
    "month": ("2026-13", "2026-1", "202610", "October", "2026-10-01", "1999-12"),
    "words": ("OPEN", "open,closed", "nothing", "*", " ", "null"),
    "text": ("x" * 3_000,),
}


def kind_of(schema: Mapping[str, Any]) -> str:
    """What a filter takes, by its description."""
    if "enum" in schema:
        return "words"
    if schema.get("format") in WRONG:
        return str(schema["format"])
    return "month" if "0[1-9]|1[0-2]" in schema.get("pattern", "") else "text"


def test_a_filter_of_a_wrong_form_is_refused_by_name(lead: Prober, everywhere: list[Place]) -> None:
    tried = set()
    for place in lists(everywhere):
        for one in filters(place):
            kind = kind_of(one["schema"])
            tried.add(kind)
            for value in ("", *WRONG[kind]):
                answer = lead.send(place, f"{place.path}?{one['name']}={quote(value)}")
                assert answer.status_code == 422, (str(place), one["name"], value)
                assert one["name"] in str(problem_of(answer)["errors"][0]), (str(place), one["name"], value)
    assert tried == set(WRONG)


WHOSE = {"maintainer": ("maintainers", "Ada"), "client": ("clients", "Globex"), "engagement": ("engagements", "")}
"""Filters that name somebody's things: where another's id is found, and another's name."""


@pytest.mark.parametrize("who", ["maintainer", "client"])
def test_another_is_nobody(firm: Flask, probers: dict[str, Prober], everywhere: list[Place], who: str) -> None:
    with firm.app_context():
        things = cells.things()
    asked = 0
    for place in lists(everywhere):
        if probers[who].send(place).status_code == 403:
            continue
        for name in {one["name"] for one in filters(place)} & set(WHOSE):
            resource, other = WHOSE[name]
            answers = []
            for key in ("nobody-at-all", things.other[resource], other or "nobody-at-all"):
                answer = probers[who].send(place, f"{place.path}?{name}={quote(key)}")
                assert answer.status_code == 404, (str(place), key)
                answers.append({**problem_of(answer), "request_id": ""})
            assert answers[0] == answers[1] == answers[2], (str(place), name)
            own = probers[who].send(place, f"{place.path}?{name}={things.own[resource]}")
            assert own.status_code == 200
            asked += 1
            if resource == f"{who}s":
                assert own.get_json()["items"] == probers[who].send(place).get_json()["items"]
    assert asked >= (10 if who == "maintainer" else 4)


def test_filters_are_values_and_never_sql(lead: Prober, everywhere: list[Place]) -> None:
    tried = 0
    for place in lists(everywhere):
        for name in [one["name"] for one in filters(place)]:
            for value in INJECTIONS:
                tried += 1
                answer = lead.send(place, f"{place.path}?{name}={quote(value)}")
                assert answer.status_code in (200, 400, 404, 414, 422), (str(place), name, value)
                assert "X-Injected" not in answer.headers
                if answer.status_code == 200:
                    assert answer.get_json()["items"] == [], (str(place), name, value)
    assert tried > 500


def test_keys_in_addresses_are_values_and_never_sql_paths_or_headers(lead: Prober, everywhere: list[Place]) -> None:
    for place in everywhere:
        if "<" not in place.rule or place.rule.startswith("/v1/tokens/"):
            continue
        own = place.path.split("/")[3]
        for value in INJECTIONS:
            path = place.path.replace(f"/{own}", f"/{quote(value, safe='')}", 1)
            answer = lead.send(place, path, json=place.body) if place.body else lead.send(place, path)
            assert answer.status_code in (400, 403, 404, 405, 409, 414, 415, 422), (
                str(place),
                value,
                answer.status_code,
            )
            assert "X-Injected" not in answer.headers
            assert not any("\n" in text or "\r" in text for _, text in answer.headers)
            assert answer.content_type == PROBLEM, str(place)
