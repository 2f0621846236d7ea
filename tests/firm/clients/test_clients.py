"""Client companies and the people there."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.clients import operations as clients
from firm.clients import queries
from firm.clients.operations import ClientNameTaken, UnknownContactRole
from firm.clients.queries import ClientNotFound
from firm.db import reading
from tests.examples.refusals import refused
from tests.lovelace import BEFORE, LEAD


@pytest.fixture
def acme(app: Flask) -> str:
    """Acme, with nobody known there yet."""
    return clients.register(name="Acme", country="US", address=["1 Main Street", "Springfield"], by=LEAD, now=BEFORE).id


def test_a_client_keeps_its_address_line_by_line(acme: str) -> None:
    with reading() as session:
        found = queries.find(session, "Acme")
        assert queries.find(session, acme).name == "Acme"
    assert found.address == "1 Main Street\nSpringfield"
    assert not found.requires_po


def test_two_clients_have_two_names(acme: str) -> None:
    with refused(ClientNameTaken, "There is a client named 'Acme' already"):
        clients.register(name="Acme", country="DE", by=LEAD, now=BEFORE)


def test_a_person_may_have_two_roles_at_a_client(acme: str) -> None:
    for role in ("champion", "budget-holder"):
        clients.add_contact("Acme", name="Wile", email="wile@acme.example", role=role, by=LEAD, now=BEFORE)
    with reading() as session:
        assert [contact.role for contact in queries.contacts_of(session, acme)] == ["champion", "budget-holder"]


def test_a_role_that_the_trade_does_not_know_is_refused(acme: str) -> None:
    with refused(UnknownContactRole, "'hero' is no contact's role; use one of champion, budget-holder"):
        clients.add_contact("Acme", name="Wile", email="wile@acme.example", role="hero", by=LEAD, now=BEFORE)


def test_a_client_nobody_knows_is_not_found(acme: str) -> None:
    with refused(ClientNotFound, "There is no client 'Globex'"):
        clients.add_contact("Globex", name="Hank", email="hank@globex.example", role="legal", by=LEAD, now=BEFORE)
