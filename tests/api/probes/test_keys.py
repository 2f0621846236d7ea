"""Idempotency keys and versions, on every route that takes them."""

from __future__ import annotations

import uuid

import pytest

from api import idempotency, preconditions
from tests.api.callers import problem_of
from tests.api.probes.places import Place, Prober

MALFORMED = ("", " ", "x" * 256, "two words", "käse".encode().decode("latin-1"), "a\tb", "\x7f", "x" * 8_000)


def test_routes_that_move_money_take_no_request_without_a_key(lead: Prober, everywhere: list[Place]) -> None:
    tried = set()
    for place in everywhere:
        if place.endpoint in idempotency.NEEDED:
            tried.add(place.endpoint)
            headers = {**lead.headers, "If-Match": "*"}
            answer = lead.app.test_client().post(place.path, json=place.body, headers=headers)
            assert answer.status_code in (400, 403), str(place)
            if answer.status_code == 400:
                assert problem_of(answer)["type"].endswith("/malformed-key")
    assert tried == idempotency.NEEDED


@pytest.mark.parametrize("key", MALFORMED)
def test_a_malformed_key_is_a_400_on_every_route(lead: Prober, everywhere: list[Place], key: str) -> None:
    for place in everywhere:
        if place.method == "POST":
            answer = lead.send(place, json=place.body, headers={"Idempotency-Key": key})
            assert answer.status_code in (400, 403), (str(place), answer.get_data(as_text=True))


def test_a_change_without_a_version_is_a_428_and_with_a_stale_one_changes_nothing(
    lead: Prober, everywhere: list[Place]
) -> None:
    tried = set()
    for place in everywhere:
        if place.endpoint not in preconditions.CHANGES:
            continue
        tried.add(place.endpoint)
        headers = {**lead.headers, "Idempotency-Key": uuid.uuid4().hex}
        body = {"json": place.body} if place.body is not None else {}
        without = lead.app.test_client().open(place.path, method=place.method, headers=headers, **body)
        assert without.status_code in (428, 403), (str(place), without.get_data(as_text=True))
        for stale in ('"never"', 'W/"never"', '"a", "b"', "never"):
            answer = lead.send(place, headers={"If-Match": stale}, **body)
            # 403 where presence is asked for first; 404, 409 and 422 where the change is impossible anyway.
            assert answer.status_code in (403, 404, 409, 412, 422), (str(place), stale, answer.get_data(as_text=True))
    assert tried == set(preconditions.CHANGES)


def test_a_version_in_reading_is_no_condition_but_for_what_the_caller_has(
    lead: Prober, everywhere: list[Place]
) -> None:
    for place in everywhere:
        if place.method != "GET" or place.rule.endswith(("form>", "<rail>", "<kind>")):
            continue
        first = lead.send(place)
        for condition in ('"never"', "*", first.headers.get("ETag", "*")):
            assert lead.send(place, headers={"If-Match": condition}).status_code == first.status_code, str(place)
        if first.status_code == 200:
            again = lead.send(place, headers={"If-None-Match": first.headers["ETag"], "If-Match": '"never"'})
            assert (again.status_code, again.get_data()) == (304, b""), str(place)
            assert again.headers["ETag"] == first.headers["ETag"], str(place)
