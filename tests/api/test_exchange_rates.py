"""A month's exchange rates: entered once, corrected by whoever has seen them, fixed when the month is recognized."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask

from firm.actor import Role
from tests import lovelace
from tests.api.callers import Caller, as_role, problem_of

PATH = "/v1/months/2026-11/exchange-rates/EUR"
RATE = {"rate": "1.0850", "source": "ECB"}


@pytest.fixture
def office(served: Flask) -> Caller:
    with served.app_context():
        lovelace.establish()
    return as_role(served, Role.ADMINISTRATOR)


def put(caller: Caller, body: object = RATE, path: str = PATH, **headers: str) -> Any:
    """One request as it is, without what a well-made client adds by itself."""
    return caller.app.test_client().put(path, json=body, headers={**caller.headers, **headers})


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, problem_of(answer)["type"].rpartition("/")[2]


def test_a_rate_is_entered_and_corrected_by_whoever_has_seen_it(office: Caller) -> None:
    office.get(PATH, status=404)
    made = put(office)
    assert (made.status_code, made.headers["Location"]) == (201, PATH)
    shown = office.send("GET", PATH)
    assert (shown.get_json(), shown.headers["ETag"]) == (made.get_json(), made.headers["ETag"])
    assert (shown.get_json()["currency"], shown.get_json()["month"], shown.get_json()["rate"]) == (
        "EUR",
        "2026-11",
        "1.085",
    )
    better = RATE | {"rate": "1.09"}
    assert refused(put(office, better)) == (428, "precondition-required")
    assert refused(put(office, better, **{"If-Match": '"of-yesterday"'})) == (412, "precondition-failed")
    corrected = put(office, better, **{"If-Match": made.headers["ETag"]})
    assert (corrected.status_code, corrected.get_json()["rate"]) == (200, "1.09")
    assert "Location" not in corrected.headers
    assert corrected.headers["ETag"] == office.send("GET", PATH).headers["ETag"] != made.headers["ETag"]
    assert refused(put(office, better, **{"If-Match": made.headers["ETag"]})) == (412, "precondition-failed")


def test_whoever_only_means_to_enter_corrects_nothing(office: Caller) -> None:
    assert put(office, **{"If-None-Match": "*"}).status_code == 201
    again = put(office, RATE | {"rate": "9"}, **{"If-None-Match": "*"})
    assert refused(again) == (412, "precondition-failed")
    assert "send its ETag as If-Match" in problem_of(again)["detail"]
    assert office.get(PATH)["rate"] == "1.085"
    assert put(office, **{"If-Match": "*"}).status_code == 200


def test_a_rate_that_is_not_there_is_not_corrected(office: Caller) -> None:
    answer = put(office, **{"If-Match": '"of-yesterday"'})
    assert refused(answer) == (412, "precondition-failed")
    assert "leave If-Match out" in problem_of(answer)["detail"]
    office.get(PATH, status=404)


def test_of_many_who_enter_the_same_rate_one_does(office: Caller) -> None:
    start, statuses = threading.Barrier(6), list[int]()

    def enter(number: int) -> None:
        start.wait()
        statuses.append(put(office, RATE | {"source": f"bank {number}"}).status_code)

    threads = [threading.Thread(target=enter, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [428] * 5


def test_a_months_rates_are_paged_by_currency(office: Caller) -> None:
    for currency in ("SEK", "EUR", "GBP"):
        assert put(office, path=PATH.replace("EUR", currency)).status_code == 201
    put(office, path="/v1/months/2026-12/exchange-rates/EUR")
    first = office.get("/v1/months/2026-11/exchange-rates?limit=2")
    assert [item["currency"] for item in first["items"]] == ["EUR", "GBP"]
    rest = office.get(f"/v1/months/2026-11/exchange-rates?limit=2&cursor={first['next']}")
    assert ([item["currency"] for item in rest["items"]], rest["next"]) == (["SEK"], None)


@pytest.mark.parametrize("currency", ["USD", "eur", "EURO", "ZZZ"])
def test_a_rate_is_for_another_currency_that_there_is(office: Caller, currency: str) -> None:
    assert put(office, path=PATH.replace("EUR", currency)).status_code == 422
    office.get(PATH.replace("EUR", currency), status=404)


@pytest.mark.parametrize("body", [{"rate": "0", "source": "ECB"}, {"rate": "1.1"}, RATE | {"month": "2026-11"}])
def test_a_rate_without_a_value_or_a_source_is_none(office: Caller, body: dict[str, str]) -> None:
    assert put(office, body).status_code == 422


def test_the_rate_of_a_closed_month_stays(closed: Flask) -> None:
    office = as_role(closed, Role.ADMINISTRATOR)
    answer = put(office, path="/v1/months/2026-10/exchange-rates/EUR")
    assert refused(answer) == (409, "rate-in-use")
