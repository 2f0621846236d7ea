"""Who may do what: every route, every role, and nobody sees what is another's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule

from api import policy
from api.app import create_app
from api.permissions.roles import LEAD
from api.permissions.routes import POLICY
from firm.access.rules import new_secret
from firm.access.tokens import revoke_token
from firm.actor import Role
from firm.db import reading
from firm.errors import InvariantBroken
from staffing.reports import operations as reports
from tests import lovelace
from tests.api.callers import SYSTEM, Caller, anonymous, as_role, bearing, problem_of
from tests.databases import settings_for

OPEN = {"health.healthz", "health.readyz", "docs.openapi", "docs.page", "docs.start", "docs.asset"}
SIGNED = {"provider_events.platform", "provider_events.connect"}
"""What a provider's signature opens, and no token."""
OF_THEMSELVES = {"tokens.rotated", "tokens.revoked", "step_ups.proved"}
"""What everybody does: replace or end the token in hand, and prove presence."""
BOOKKEEPING = {"allowance", "token_use"}
"""Where requests are counted."""
VALUES = {"month": "2026-10", "form": "pdf"}


def path_of(rule: Rule) -> str:
    """The rule's address with something in each of its places; nothing that exists."""
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda place: VALUES.get(place[1], "nothing"), rule.rule)


def calls(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Every endpoint, method and address of the application."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            yield rule.endpoint, method, path_of(rule)


def subject(app: Flask, query: str) -> str:
    with app.app_context(), reading() as session:
        return str(session.scalar(text(query)))


def owner(app: Flask, table: str, name: str) -> str:
    return subject(app, f"SELECT id FROM {table} WHERE name = '{name}'")


@pytest.fixture
def grace(closed: Flask) -> Caller:
    return as_role(closed, Role.MAINTAINER, name="grace", subject=owner(closed, "maintainer", "Grace"))


@pytest.fixture
def acme(closed: Flask) -> Caller:
    with closed.app_context():
        for client in ("Acme", "Globex"):
            period = {"from_month": lovelace.OCTOBER, "until_month": lovelace.OCTOBER.next}
            reports.issue(client, **period, by=lovelace.LEAD, now=lovelace.AFTER)
    return as_role(closed, Role.CLIENT, name="acme", subject=owner(closed, "client", "Acme"))


def test_only_health_and_the_description_are_open(closed: Flask) -> None:
    assert {endpoint for endpoint in POLICY if policy.is_open(endpoint)} == OPEN
    assert {endpoint for endpoint in POLICY if policy.needs_no_token(endpoint)} == OPEN | SIGNED
    for endpoint, method, path in calls(closed):
        answer = anonymous(closed).send(method, path)
        if endpoint in OPEN:
            assert answer.status_code != 401, path
        elif endpoint in SIGNED:
            # Without a signature, or without the secrets to verify one.
            assert answer.status_code in (200, 503) if method == "OPTIONS" else answer.status_code in (400, 503), path
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_what_opens_nothing_is_refused_in_the_same_words_everywhere(closed: Flask) -> None:
    live = as_role(closed, Role.LEAD, name="leaver")
    with closed.app_context():
        revoke_token("leaver", by=SYSTEM, now=lovelace.AFTER)
    callers = [live, bearing(closed, new_secret())]
    scheme = live.headers["Authorization"].removeprefix("Bearer ")
    malformed = ("", "Bearer", "Bearer ", "Bearer chm_", f"Basic {scheme}", f"Bearer {scheme}x", "Bearer " + "é" * 9)
    callers += [Caller(closed, {"Authorization": text}) for text in malformed]
    for caller in callers:
        details = set()
        for endpoint, method, path in calls(closed):
            if endpoint not in OPEN | SIGNED and method != "HEAD":
                answer = caller.send(method, path)
                assert answer.status_code == 401, (caller.headers, method, path)
                details.add(problem_of(answer)["detail"])
        assert details == {"Send a valid token as `Authorization: Bearer chm_…`."}


def test_an_unknown_address_says_nothing_without_a_token(closed: Flask) -> None:
    for path in ("/v1/secrets", "/v1/months/2026-13", "/", "/v1"):
        assert anonymous(closed).get(path, status=401)
    assert anonymous(closed).send("DELETE", "/v1/clients").status_code == 401


def caller_of(app: Flask, role: Role) -> Caller:
    tables = {Role.MAINTAINER: ("maintainer", "Grace"), Role.CLIENT: ("client", "Acme")}
    return as_role(app, role, subject=owner(app, *tables[role]) if role in tables else None)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_each_role_may_do_exactly_what_the_policy_says(closed: Flask, role: Role) -> None:
    caller = caller_of(closed, role)
    for endpoint, method, path in calls(closed):
        if endpoint in OPEN | SIGNED or method == "OPTIONS":  # which names the methods of an address and does nothing
            continue
        answer = caller.send(method, path, json={} if method == "POST" else None)
        allowed = role in POLICY[endpoint]
        assert (answer.status_code != 403) == allowed, (method, path, answer.status_code)
        assert answer.status_code not in (401, 500), (method, path)
        if not allowed and method != "HEAD":
            assert problem_of(answer)["detail"] == f"The role {role} may not do this."


def test_roles_that_only_read_have_no_line_that_writes(closed: Flask) -> None:
    writes = {endpoint for endpoint, method, _ in calls(closed) if method == "POST"} - SIGNED
    for role in (Role.AUDITOR, Role.ACCOUNTANT, Role.MAINTAINER, Role.CLIENT):
        # A payee goes to the provider's pages without asking the office.
        own = {"provider_accounts.link_made"} if role is Role.MAINTAINER else set()
        assert {endpoint for endpoint in writes if role in POLICY[endpoint]} == OF_THEMSELVES | own
    approver = {endpoint for endpoint in writes if Role.APPROVER in POLICY[endpoint]}
    decides = {"payout_runs.approved", "destinations.confirmed", "destinations.rejected"}
    assert approver == decides | OF_THEMSELVES


def test_reading_changes_nothing(closed: Flask) -> None:
    lead = as_role(closed, Role.LEAD)
    every = subject(closed, "SELECT group_concat(name) FROM sqlite_master WHERE type = 'table'").split(",")
    tables = sorted(set(every) - BOOKKEEPING)

    def state() -> dict[str, str]:
        return {table: subject(closed, f'SELECT COUNT(*) FROM "{table}"') for table in tables}

    before = state()
    for _, method, path in calls(closed):
        if method in ("GET", "HEAD", "OPTIONS"):
            lead.send(method, path)
    assert state() == before


def test_a_route_without_a_line_refuses_to_start(closed_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delitem(POLICY, "clients.listed")
        with pytest.raises(InvariantBroken, match=r"clients\.listed has no line"):
            create_app(settings_for(closed_url))
    with monkeypatch.context() as patch:
        patch.setitem(POLICY, "clients.burned", LEAD)
        with pytest.raises(InvariantBroken, match=r"clients\.burned, which is no route"):
            create_app(settings_for(closed_url))


def test_a_new_route_needs_a_line(closed_url: str) -> None:
    app = create_app(settings_for(closed_url))
    app.add_url_rule("/v1/salaries", "salaries", lambda: "everything")
    with pytest.raises(InvariantBroken, match="salaries has no line"):
        policy.refuse_gaps(app)


def test_a_maintainer_lists_only_their_own(closed: Flask, grace: Caller) -> None:
    own = owner(closed, "maintainer", "Grace")
    for path in ("/v1/statements", "/v1/pay-terms", "/v1/assignments"):
        items = grace.get(path)["items"]
        assert {item["maintainer_id"] for item in items} == {own}, path
    assert grace.get("/v1/work-items")["items"] == []
    assert grace.get(f"/v1/maintainers/{own}")["name"] == "Grace"
    assert grace.get(f"/v1/maintainers/{own}/on-ramp")["maintainer_id"] == own


def test_a_client_lists_only_its_own(closed: Flask, acme: Caller) -> None:
    own = owner(closed, "client", "Acme")
    for path in ("/v1/engagements", "/v1/invoices", "/v1/funded-work-reports"):
        items = acme.get(path)["items"]
        assert {item["client_id"] for item in items} == {own}, path
        for item in items:
            assert acme.get(f"{path}/{item['id']}") is not None


def refusal(caller: Caller, path: str) -> dict[str, object]:
    """A 404 without what differs between any two requests: its id, and the key that was asked for."""
    key = path.split("/")[3]
    problem = problem_of(caller.send("GET", path))
    assert problem["status"] == 404
    return {name: str(value).replace(key, "…") for name, value in problem.items() if name != "request_id"}


ADAS = (
    (
        "/v1/statements/{}",
        "SELECT s.id FROM statement s JOIN maintainer m ON m.id = s.maintainer_id AND m.name = 'Ada'",
    ),
    (
        "/v1/statements/{}",
        "SELECT s.number FROM statement s JOIN maintainer m ON m.id = s.maintainer_id AND m.name = 'Ada'",
    ),
    (
        "/v1/statements/{}/pdf",
        "SELECT s.id FROM statement s JOIN maintainer m ON m.id = s.maintainer_id AND m.name = 'Ada'",
    ),
    ("/v1/pay-terms/{}", "SELECT t.id FROM pay_terms t JOIN maintainer m ON m.id = t.maintainer_id AND m.name = 'Ada'"),
    ("/v1/maintainers/{}", "SELECT id FROM maintainer WHERE name = 'Ada'"),
    ("/v1/maintainers/{}", "SELECT name FROM maintainer WHERE name = 'Ada'"),
    ("/v1/maintainers/{}/on-ramp", "SELECT id FROM maintainer WHERE name = 'Ada'"),
)


@pytest.mark.parametrize(("address", "query"), ADAS)
def test_what_is_adas_is_missing_for_grace(closed: Flask, grace: Caller, address: str, query: str) -> None:
    key = subject(closed, query)
    assert as_role(closed, Role.LEAD).get(address.format(key)) is not None
    assert refusal(grace, address.format(key)) == refusal(grace, address.format("nothing-at-all"))


GLOBEXS = (
    ("/v1/engagements/{}", "engagement", "id"),
    ("/v1/engagements/{}/interests", "engagement", "id"),
    ("/v1/invoices/{}", "invoice", "id"),
    ("/v1/invoices/{}", "invoice", "number"),
    ("/v1/funded-work-reports/{}", "funded_work_report", "id"),
    ("/v1/funded-work-reports/{}", "funded_work_report", "number"),
    ("/v1/funded-work-reports/{}/html", "funded_work_report", "id"),
)


@pytest.mark.parametrize(("address", "table", "column"), GLOBEXS)
def test_what_is_globexs_is_missing_for_acme(
    closed: Flask, acme: Caller, address: str, table: str, column: str
) -> None:
    source = f"SELECT t.{column} FROM {table} t JOIN client c ON c.id = t.client_id AND c.name = 'Globex'"
    key = subject(closed, source)
    assert as_role(closed, Role.LEAD).get(address.format(key)) is not None
    assert refusal(acme, address.format(key)) == refusal(acme, address.format("nothing-at-all"))


def test_a_token_is_shown_once_and_opens_nothing_when_revoked(closed: Flask) -> None:
    lead = as_role(closed, Role.LEAD)
    made = lead.post("/v1/tokens", {"name": "auditor", "role": "auditor"})
    auditor = bearing(closed, made["secret"])
    assert auditor.get("/v1/firm")["name"] == "Lovelace Maintainers"
    lead.post("/v1/tokens/auditor/revocation", status=204)
    assert auditor.get("/v1/firm", status=401)
    assert lead.post("/v1/tokens/auditor/revocation", status=404)
    assert lead.post("/v1/tokens", {"name": "auditor", "role": "auditor"}, status=409)


@pytest.mark.parametrize(
    "draft",
    [
        {"name": "x", "role": "system"},
        {"name": "x", "role": "emperor"},
        {"name": "x", "role": "maintainer"},
        {"name": "x", "role": "lead", "subject_id": "mnt_1"},
        {"name": "", "role": "lead"},
        {"name": "x"},
    ],
)
def test_a_token_that_makes_no_sense_is_not_issued(closed: Flask, draft: dict[str, str]) -> None:
    assert as_role(closed, Role.LEAD).post("/v1/tokens", draft, status=422)
