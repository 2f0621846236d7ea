"""Every list: cursors, limits, filters and sorting that nobody offered."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from tests.api.callers import PROBLEM, problem_of
from tests.api.probes.places import Place, Prober

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
QUERIES = ("sort=digest", "order=id", "offset=9", "page=2", "fields=secret", "id[]=1", "q=a&q=b")


def lists(everywhere: list[Place]) -> list[Place]:
    found = [
        place for place in everywhere if any(one["name"] == "cursor" for one in place.operation.get("parameters", ()))
    ]
    assert len(found) > 15
    return found


def cursors(place: Place) -> list[str]:
    ours = [f"{place.endpoint} {key}" for key in ("' OR 1=1 --", "\x00", "é", "\n")] + ["clients.nothing cli_1", ""]
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


def test_filters_are_values_and_never_sql(lead: Prober, everywhere: list[Place]) -> None:
    tried = 0
    for place in lists(everywhere):
        names = [one["name"] for one in place.operation["parameters"] if one["in"] == "query"]
        for name in set(names) - {"limit", "cursor"}:
            for value in INJECTIONS:
                tried += 1
                answer = lead.send(place, f"{place.path}?{name}={quote(value)}")
                assert answer.status_code in (200, 400, 404, 414, 422), (str(place), name, value)
                assert "X-Injected" not in answer.headers
                if answer.status_code == 200:
                    assert answer.get_json()["items"] == [], (str(place), name, value)
    assert tried > 30


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
