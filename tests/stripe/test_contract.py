"""Stripe's own description: what breaks it is noticed, on either side."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from stripe import InvalidRequestError, StripeClient

from tests.stripe import contract, transfers
from tests.stripe.endive import API_VERSION, FACTS
from tests.stripe.fixtures import new_world
from tests.stripe.sending import transfer
from tests.stripe.server import Server
from tests.stripe.state import OPERATIONS


@pytest.fixture
def noticed(stripe_server: Server) -> Any:
    """The complaints, which are expected here."""
    yield stripe_server.complaints
    assert stripe_server.complaints
    stripe_server.complaints.clear()


def test_an_unknown_parameter_is_refused_and_noticed(client: StripeClient, ada: str, noticed: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        client.v1.transfers.create({"amount": 1, "currency": "usd", "destination": ada, "priority": "high"})  # type: ignore[typeddict-unknown-key]
    assert refusal.value.code == "parameter_unknown"
    assert "priority" in noticed[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "usd"},
        {"amount": "a lot", "currency": "usd", "destination": "acct_1"},
        {"amount": True, "currency": "usd", "destination": "acct_1"},
        {"amount": 1.5, "currency": "usd", "destination": "acct_1"},
        {"amount": 1, "currency": "usd", "destination": "acct_1", "source_type": "cash"},
        {"amount": 1, "currency": "usd", "destination": {"account": "acct_1"}},
    ],
    ids=["missing", "words", "yes", "fraction", "enum", "nested"],
)
def test_a_wrong_request_is_refused_and_noticed(client: StripeClient, noticed: list[str], wrong: Any) -> None:
    with pytest.raises(InvalidRequestError):
        client.v1.transfers.create(wrong)
    assert "request POST /v1/transfers" in noticed[0]


def test_the_second_api_is_held_to_its_description_too(client: StripeClient, noticed: list[str]) -> None:
    with pytest.raises(InvalidRequestError):
        client.v2.core.accounts.create({"dashboard": "marble"})
    assert "dashboard" in noticed[0]


def test_parameters_that_the_newer_version_refuses_are_noticed(
    client: StripeClient, ada: str, noticed: list[str]
) -> None:
    onboarding: Any = {"refresh_url": "https://chambers.test/again", "configurations": ["recipient"]}
    with pytest.raises(InvalidRequestError):
        client.v2.core.account_links.create(
            {"account": ada, "use_case": {"type": "account_onboarding", "account_onboarding": onboarding}}
        )
    assert "configurations" in noticed[0]


def test_another_version_of_the_api_is_noticed(client: StripeClient, noticed: list[str]) -> None:
    client.v1.balance.retrieve({}, {"stripe_version": "2024-06-20"})
    assert "2024-06-20" in noticed[0]


@pytest.mark.parametrize(
    "broken",
    [{"amount": "5000"}, {"destination": 7}, {"colour": "red"}, {"metadata": None}, {"object": "gold"}],
    ids=lambda broken: next(iter(broken)),
)
@pytest.mark.usefixtures("funded")
def test_a_wrong_answer_of_ours_is_noticed(
    client: StripeClient, ada: str, noticed: list[str], monkeypatch: pytest.MonkeyPatch, broken: dict[str, Any]
) -> None:
    monkeypatch.setitem(
        OPERATIONS, "POST /v1/transfers", lambda state, request: {**transfers.create(state, request), **broken}
    )
    transfer(client, ada)
    assert "answer 200 to POST /v1/transfers" in noticed[0]


@pytest.mark.usefixtures("funded", "ada")
def test_a_wrong_event_of_ours_is_noticed(stripe_server: Server, noticed: list[str]) -> None:
    for happening in stripe_server.state.happenings.values():
        happening.body["colour"] = "red"
    stripe_server.webhooks.fresh()
    assert "colour" in noticed[0]


def test_every_operation_is_one_of_stripe_s() -> None:
    for operation in OPERATIONS:
        method, path = operation.split(" ")
        assert method.lower() in contract.description()["paths"][path]


def test_the_newer_version_is_laid_over_the_file() -> None:
    assert contract.description()["info"]["version"].endswith(API_VERSION)
    assert len(FACTS) == 13
    assert "configurations" not in json.dumps(
        contract.description()["paths"]["/v2/core/account_links"]["post"]["requestBody"]
    )


def test_a_complaint_fails_the_test_that_caused_it(running_stripe: Server) -> None:
    def a_test() -> None:
        client = StripeClient(running_stripe.api_key, base_addresses={"api": running_stripe.url})
        with new_world(running_stripe), pytest.raises(InvalidRequestError):
            client.v1.transfers.create({"amount": 1, "currency": "usd"})  # type: ignore[typeddict-item]

    with pytest.raises(AssertionError, match=r"request POST /v1/transfers: : .destination. is a required property"):
        a_test()


def test_what_is_not_built_here_is_said(client: StripeClient, noticed: list[str]) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        client.v1.coupons.list()
    assert refusal.value.http_status == 404
    assert noticed == ["GET /v1/coupons is no operation that was built here"]


def test_what_cannot_be_read_is_said(stripe_server: Server, noticed: list[str]) -> None:
    connection = HTTPConnection("127.0.0.1", urlsplit(stripe_server.url).port)
    headers = {"Authorization": f"Bearer {stripe_server.api_key}"}
    for body in ("{", "[]"):
        connection.request("POST", "/v2/core/accounts", body, headers)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Request-Id", "")[:4]) == (400, "req_")
        answer.read()
    connection.close()
    assert len(noticed) == 2


def test_the_version_is_the_sdk_s(client: StripeClient) -> None:
    assert client.v1.balance.retrieve().last_response.code == 200
