"""Pages: nothing is skipped or repeated, also while others write, and a cursor is only good where it was given."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from api import paging
from firm import clock, ids
from firm.actor import Role
from firm.clients import operations as clients
from firm.db import db, reading
from firm.horizon import drawn
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.api.conftest import serving

LISTS = (
    "/v1/principals",
    "/v1/tokens",
    "/v1/clients",
    "/v1/tiers",
    "/v1/engagements",
    "/v1/packages",
    "/v1/maintainers",
    "/v1/assignments",
    "/v1/pay-terms",
    "/v1/allocation-plans",
    "/v1/invoices",
    "/v1/receipts",
    "/v1/journal-entries",
    "/v1/months",
    "/v1/payout-runs",
    "/v1/payouts",
    "/v1/payout-policies",
    "/v1/bank-files",
    "/v1/destinations",
    "/v1/notices",
    "/v1/reconciliation-differences",
    "/v1/adjustments",
    "/v1/advances",
    "/v1/statements",
    "/v1/remittance-advices",
    "/v1/tax-forms",
    "/v1/self-billing-agreements",
    "/v1/self-billed-invoices",
    "/v1/funded-work-reports",
    "/v1/work-items",
    "/v1/audit-records",
    "/v1/operations",
    "/v1/webhook-endpoints",
    "/v1/webhook-deliveries",
)


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


def walk(caller: Caller, path: str, limit: int, *, order: str = "oldest") -> list[list[dict[str, Any]]]:
    """All pages of a list, by following the Link header."""
    pages = []
    address: str | None = f"{path}?limit={limit}&order={order}"
    while address:
        answer = caller.send("GET", address)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        pages.append(answer.get_json()["items"])
        link = answer.headers.get("Link")
        assert (link is None) == (answer.get_json()["next"] is None)
        address = link.partition(">")[0].lstrip("<") if link else None
        assert link is None or link.endswith('; rel="next"')
    return pages


def key_of(item: dict[str, Any]) -> str:
    """What an item of a list is known by."""
    return str(item.get("id") or item["month"])


def blamed(problem: dict[str, Any]) -> str:
    """The parameter that a problem names."""
    [place] = problem["errors"]
    return str(place.get("parameter") or place["pointer"].removeprefix("/"))


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_these_are_all_lists(closed: Flask) -> None:
    listed = {rule.rule for rule in closed.url_map.iter_rules() if rule.endpoint.endswith(".listed")}
    assert listed == set(LISTS)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_pages_of_any_size_make_the_whole_list(lead: Caller, path: str, limit: int) -> None:
    whole = [key_of(item) for item in lead.get(f"{path}?limit=200")["items"]]
    pages = walk(lead, path, limit)
    assert [key_of(item) for page in pages for item in page] == whole
    assert len(whole) == len(set(whole))
    assert all(len(page) == limit for page in pages[:-1])
    assert len(pages) == max(1, -(-len(whole) // limit))


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_lists_within_a_thing_are_pages_too(lead: Caller, order: str) -> None:
    [engagement, *_] = lead.get("/v1/engagements")["items"]
    for path in ("/v1/months/2026-10/earnings", f"/v1/engagements/{engagement['id']}/interests"):
        whole = lead.get(path)["items"]
        assert len(whole) == 3 + path.endswith("earnings")
        for limit in (1, 2, 3):
            read = [item for page in walk(lead, path, limit, order=order) for item in page]
            assert read == (whole if order == "oldest" else whole[::-1])
        assert lead.get(f"{path}?cursor={cursor('x')}", status=422)


def test_a_cursor_within_a_thing_belongs_to_it(lead: Caller) -> None:
    page = lead.get("/v1/months/2026-10/earnings?limit=1")
    assert page["resume"] is None
    problem = lead.get(f"/v1/months/2026-11/earnings?cursor={page['next']}", status=422)
    assert problem["type"].endswith("/invalid-cursor")


def test_earnings_of_one_maintainer(lead: Caller) -> None:
    whole = lead.get("/v1/months/2026-10/earnings")["items"]
    for one in whole:
        hers = lead.get(f"/v1/months/2026-10/earnings?maintainer={one['maintainer_id']}")["items"]
        assert hers == [line for line in whole if line["maintainer_id"] == one["maintainer_id"]]
    assert lead.get("/v1/months/2026-10/earnings?maintainer=nobody", status=404)


def test_a_list_that_grows_while_it_is_read_repeats_and_skips_nothing(closed: Flask, lead: Caller) -> None:
    seen: list[str] = []
    address: str | None = "/v1/clients?limit=1"
    for number in range(20):
        answer = lead.send("GET", address or "")
        seen += [item["name"] for item in answer.get_json()["items"]]
        if number < 4:
            with closed.app_context():
                clients.register(name=f"Late {number}", country="US", by=lovelace.LEAD, now=lovelace.AFTER)
        link = answer.headers.get("Link")
        if link is None:
            break
        address = link.partition(">")[0].lstrip("<")
    assert seen == ["Acme", "Globex", "Late 0", "Late 1", "Late 2", "Late 3"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 3])
def test_the_newest_first_is_the_same_list_the_other_way_round(lead: Caller, path: str, limit: int) -> None:
    whole = lead.get(f"{path}?limit=200")["items"]
    pages = walk(lead, path, limit, order="newest")
    assert [item for page in pages for item in page] == whole[::-1]


def test_what_is_written_while_the_newest_are_read_moves_nothing(closed: Flask, lead: Caller) -> None:
    page = lead.get("/v1/clients?limit=1&order=newest")
    with closed.app_context():
        clients.register(name="Late", country="US", by=lovelace.LEAD, now=lovelace.AFTER)
    following = lead.get(f"/v1/clients?limit=1&order=newest&cursor={page['next']}")
    assert [item["name"] for item in page["items"] + following["items"]] == ["Globex", "Acme"]
    assert following["next"] is None


def test_an_incremental_reader_goes_on_where_the_list_ended(closed: Flask, lead: Caller) -> None:
    time.sleep(0.05)
    first = lead.get("/v1/clients")
    assert (len(first["items"]), first["next"]) == (2, None)
    again = lead.get(f"/v1/clients?cursor={first['resume']}")
    assert (again["items"], again["next"], again["resume"]) == ([], None, first["resume"])
    with closed.app_context():
        clients.register(name="Late", country="US", by=lovelace.LEAD, now=lovelace.AFTER)
    later = lead.get(f"/v1/clients?cursor={again['resume']}")
    assert [item["name"] for item in later["items"]] == ["Late"]


def test_before_the_last_page_both_cursors_are_one(lead: Caller) -> None:
    page = lead.get("/v1/clients?limit=1")
    assert page["next"] == page["resume"]


def test_an_empty_list_can_be_come_back_to(lead: Caller) -> None:
    empty = lead.get("/v1/bank-files")
    assert empty["items"] == []
    assert lead.get(f"/v1/bank-files?cursor={empty['resume']}") == empty


def test_only_a_list_that_grows_at_its_end_can_be_resumed(lead: Caller) -> None:
    assert lead.get("/v1/clients?order=newest")["resume"] is None
    assert lead.get("/v1/advances")["resume"] is None


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("/v1/clients?limit=1", "/v1/clients?order=newest"),
        ("/v1/clients?limit=1&order=newest", "/v1/clients?order=oldest"),
        ("/v1/statements?limit=1&month=2026-10", "/v1/statements?month=2026-11"),
        ("/v1/statements?limit=1&month=2026-10", "/v1/statements?limit=1"),
        ("/v1/statements?limit=1", "/v1/statements?month=2026-10"),
    ],
)
def test_a_cursor_belongs_to_its_order_and_filters(lead: Caller, given: str, used: str) -> None:
    found = lead.get(given)["next"]
    assert found is not None
    problem = lead.get(f"{used}{'&' if '?' in used else '?'}cursor={found}", status=422)
    assert problem["type"].endswith("/invalid-cursor")
    assert blamed(problem) == "cursor"
    assert "order" in problem["detail"]


def test_a_cursor_keeps_when_a_default_is_written_out_or_the_limit_changes(lead: Caller) -> None:
    found = lead.get("/v1/clients?limit=1")["next"]
    assert lead.get(f"/v1/clients?order=oldest&limit=7&cursor={found}")["items"][0]["name"] == "Globex"


@pytest.mark.parametrize("order", ["", "id", "OLDEST", "oldest,newest", "-id", "asc"])
def test_an_order_that_is_none_is_a_422(lead: Caller, order: str) -> None:
    assert blamed(lead.get(f"/v1/clients?order={order}", status=422)) == "order"


def test_the_link_keeps_the_filters(lead: Caller) -> None:
    answer = lead.send("GET", "/v1/statements?month=2026-10&limit=1")
    link = answer.headers["Link"]
    assert "month=2026-10" in link
    assert "limit=1" in link
    following = lead.get(link.partition(">")[0].lstrip("<"))
    assert following["items"][0]["id"] != answer.get_json()["items"][0]["id"]
    assert following["next"] is None


@pytest.mark.parametrize(
    "limit", ["0", "201", "-1", "abc", "", "1.0", "1e2", "1_0", "١٠", "%2B5", "%205", "999999999999999999999", "true"]
)
def test_a_limit_that_is_no_number_from_1_to_200_is_a_422(lead: Caller, limit: str) -> None:
    problem = lead.get(f"/v1/clients?limit={limit}", status=422)
    assert problem["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize("wrong", ["!!!!", "A", "cursor", "_-_-", cursor("\x00"), cursor("é"), cursor("42")])
def test_a_cursor_that_was_never_given_is_a_422(lead: Caller, wrong: str) -> None:
    for path in LISTS:
        assert lead.get(f"{path}?cursor={wrong}", status=422)["detail"], path


def test_a_cursor_of_another_list_is_a_422(lead: Caller) -> None:
    foreign = lead.get("/v1/packages?limit=1")["next"]
    for path in set(LISTS) - {"/v1/packages"}:
        problem = lead.get(f"{path}?cursor={foreign}", status=422)
        assert problem["type"].endswith("/invalid-cursor"), path


def test_cursors_with_nul_are_refused_on_both_engines(served: Flask) -> None:
    lead = as_role(served, Role.LEAD)
    with served.app_context():
        lovelace.establish()
    for path in LISTS:
        assert lead.get(f"{path}?cursor={cursor(chr(0))}", status=422)


@pytest.mark.parametrize("query", ["sort=name", "limit=1&secret=1", "month=2026-10", "offset=5"])
def test_an_unknown_filter_is_a_422_that_names_it(lead: Caller, query: str) -> None:
    problem = lead.get(f"/v1/clients?{query}", status=422)
    assert problem["errors"][0]["parameter"] in query


def test_a_filter_of_the_wrong_form_is_a_422(lead: Caller) -> None:
    assert lead.get("/v1/statements?month=2026-13", status=422)["errors"][0]["parameter"] == "month"
    assert lead.get("/v1/work-items?kind=gossip", status=422)["errors"][0]["parameter"] == "kind"
    assert lead.get("/v1/work-items?package=nothing", status=404)


LATE = """INSERT INTO client (id, name, country, address, requires_po, created_at)
          VALUES (:id, :name, 'US', '', FALSE, CURRENT_TIMESTAMP)"""


@pytest.fixture
def writing(postgresql_url: str) -> Iterator[tuple[Flask, Caller, Connection]]:
    """The application on PostgreSQL, a lead, and a connection whose transaction has made the earliest of three ids."""
    for app in serving(postgresql_url):
        lead = as_role(app, Role.LEAD)
        late = ids.new("cli")
        with app.app_context():
            connection = db.engine.connect()
        connection.execute(text(LATE), {"id": late, "name": "Late"})
        for name in ("Early One", "Early Two"):
            lead.post("/v1/clients", {"name": name, "country": "US"})
        yield app, lead, connection
        connection.close()


def test_what_commits_late_under_an_early_id_is_not_skipped(writing: tuple[Flask, Caller, Connection]) -> None:
    _, lead, connection = writing
    timer = threading.Timer(0.5, connection.commit)
    timer.start()
    names = [item["name"] for page in walk(lead, "/v1/clients", 1) for item in page]
    timer.join()
    assert names == ["Late", "Early One", "Early Two"]


def test_a_list_whose_end_stays_open_says_try_again_and_gives_no_cursor(
    writing: tuple[Flask, Caller, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, lead, _ = writing
    monkeypatch.setattr(paging, "PATIENCE", 2)
    answer = lead.send("GET", "/v1/clients?limit=1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    whole = lead.get("/v1/clients?limit=200")
    assert [item["name"] for item in whole["items"]] == ["Early One", "Early Two"]
    assert whole["next"] is None


def test_a_page_ends_before_what_is_not_settled(writing: tuple[Flask, Caller, Connection]) -> None:
    app, lead, connection = writing
    connection.rollback()
    time.sleep(0.4)
    with app.app_context(), db.engine.connect() as other:
        other.execute(text(LATE), {"id": ids.new("cli"), "name": "Later"})
        time.sleep(0.3)
        for name in ("Newest", "Newer Still"):
            lead.post("/v1/clients", {"name": name, "country": "US"})
        first = lead.get("/v1/clients?limit=3")
        assert [item["name"] for item in first["items"]] == ["Early One", "Early Two"]
        other.commit()
    rest = lead.get(f"/v1/clients?limit=3&cursor={first['next']}")
    assert [item["name"] for item in rest["items"]] == ["Later", "Newest", "Newer Still"]


def test_a_reader_who_comes_back_sees_what_committed_late(writing: tuple[Flask, Caller, Connection]) -> None:
    _, lead, connection = writing
    time.sleep(0.4)
    page = lead.get("/v1/clients")
    assert [item["name"] for item in page["items"]] == ["Early One", "Early Two"]
    connection.commit()
    later = lead.get(f"/v1/clients?cursor={page['resume']}")
    assert "Late" in [item["name"] for item in later["items"]]
    time.sleep(0.4)
    settled = lead.get(f"/v1/clients?cursor={later['resume']}")
    assert lead.get(f"/v1/clients?cursor={settled['resume']}")["items"] == []


def test_who_wrote_when_we_looked_and_ended_before_we_asked_draws_the_line(
    writing: tuple[Flask, Caller, Connection],
) -> None:
    app, _, connection = writing
    time.sleep(0.4)
    with app.app_context(), reading() as session:
        names = session.scalars(text("SELECT name FROM client ORDER BY id")).all()
        connection.commit()
        horizon = drawn(session, now=clock.now())
        assert names == ["Early One", "Early Two"]
        assert not horizon.is_behind(ids.new("cli"))
        [last] = session.scalars(text("SELECT max(id) FROM client"))
        assert not horizon.is_behind(last)
    with app.app_context(), reading() as session:
        assert drawn(session, now=clock.now()).is_behind(last)


def test_incremental_readers_miss_nothing_while_many_write(served: Flask) -> None:
    lead = as_role(served, Role.LEAD)

    def write(worker: int) -> None:
        for number in range(12):
            lead.post("/v1/clients", {"name": f"Client {worker}-{number}", "country": "US"})

    writers = [threading.Thread(target=write, args=[worker]) for worker in range(4)]
    for writer in writers:
        writer.start()
    seen: dict[str, str] = {}
    resume, over = None, False
    while not over:
        over = not any(writer.is_alive() for writer in writers)
        page = lead.get(f"/v1/clients?limit=5&cursor={resume}" if resume else "/v1/clients?limit=5")
        seen |= {item["id"]: item["name"] for item in page["items"]}
        resume, over = page["resume"], over and page["next"] is None
    assert len(seen) == len(set(seen.values())) == 48


def test_whoever_reads_the_newest_first_sees_each_that_was_there_once(served: Flask) -> None:
    lead = as_role(served, Role.LEAD)
    for number in range(12):
        lead.post("/v1/clients", {"name": f"There {number}", "country": "US"})
    writer = threading.Thread(
        target=lambda: [lead.post("/v1/clients", {"name": f"New {n}", "country": "US"}) for n in range(12)]
    )
    writer.start()
    names = [item["name"] for page in walk(lead, "/v1/clients", 1, order="newest") for item in page]
    writer.join()
    assert len(names) == len(set(names))
    assert [name for name in names if name.startswith("There")] == [f"There {n}" for n in range(11, -1, -1)]


def test_many_read_whole_lists_while_many_write(served: Flask) -> None:
    lead = as_role(served, Role.LEAD)
    done = threading.Event()
    committed: list[str] = []

    def write(worker: int) -> None:
        for number in range(12):
            name = f"Client {worker}-{number}"
            lead.post("/v1/clients", {"name": name, "country": "US"})
            committed.append(name)

    writers = [threading.Thread(target=write, args=[worker]) for worker in range(4)]
    for writer in writers:
        writer.start()
    while not done.is_set():
        before = set(committed)
        names = [item["name"] for page in walk(lead, "/v1/clients", 5) for item in page]
        assert len(names) == len(set(names))
        assert before <= set(names)
        if not any(writer.is_alive() for writer in writers):
            done.set()
    assert len(committed) == 48
