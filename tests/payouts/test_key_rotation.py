"""A new key in front, and every sealed value under it; interrupted, it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.sealed_columns import SEALED
from firm.access import presence, tokens
from firm.actor import Role
from firm.db import db, reading
from firm.profile.changes import change_firm
from firm.resealing import operations as resealing
from firm.secrets import SecretKeyMissing, SecretKeys
from firm.webhooks import endpoints
from firm.webhooks.addresses import Reach
from firm.webhooks.sender import Sender
from migrations.tables import METADATA
from payouts.destinations import opening, queries
from payouts.runs import approvals, files, preparation, sending
from tests import lovelace
from tests.databases import SECRET_KEYS
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD

Opens = Callable[[str], AbstractContextManager[Flask]]
IBAN = "DE89370400440532013000"
OLD = {"test": b"0123456789abcdef0123456789abcdef"}
BOTH = SecretKeys({"new": b"n" * 32} | OLD)
NEW = SecretKeys({"new": b"n" * 32})


def seal_something_everywhere() -> None:
    """The firm's account, two destinations, an authenticator, and a webhook's two secrets."""
    change_firm(iban=IBAN, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    for name in ("Grace", "Ada"):
        lovelace.set_destination(name, rail="sepa", iban=IBAN, now=AFTER)
    tokens.issue_token(name="boss", role=Role.LEAD, by=LEAD, now=AFTER)
    presence.set_authenticator("boss", issuer="L", keys=SECRET_KEYS, by=LEAD, now=AFTER)
    nowhere = Sender(Reach(), resolve=lambda host, port: [host])
    endpoint, _ = endpoints.add(url="https://8.8.8.8/", sender=nowhere, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    endpoints.rotate(endpoint.id, keys=SECRET_KEYS, by=LEAD, now=AFTER)


def rotate(keys: SecretKeys = BOTH) -> int:
    return resealing.reseal_all(SEALED, METADATA, keys=keys, by=LEAD, now=AFTER)


def waiting(keys: SecretKeys = BOTH) -> dict[str, int]:
    return {column: count for column, count in resealing.waiting(SEALED, METADATA, keys=keys).items() if count}


def test_every_sealed_value_is_under_the_new_key_and_says_the_same(ready_october: Flask) -> None:
    seal_something_everywhere()
    assert waiting() == {
        "profile.iban_sealed": 1,
        "principal.totp_sealed": 1,
        "webhook_endpoint.secret_sealed": 1,
        "webhook_endpoint.previous_sealed": 1,
        "destination.iban_sealed": 2,
    }
    assert rotate() == 6
    assert waiting() == {}
    assert rotate() == 0
    with reading() as session:
        found = [one for one in queries.page(session) if one.iban_sealed]
        assert [NEW.open(one.iban_sealed or "", place=opening.SEALED.place_of(one.id)) for one in found] == [IBAN, IBAN]
    lovelace.assert_books_hold()


def test_a_rotation_that_stopped_goes_on_where_it_stopped(sqlite_at: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite_at("ready"):
        seal_something_everywhere()
        monkeypatch.setattr(resealing, "AT_ONCE", 1)
        with pytest.raises(KeyboardInterrupt):
            resealing.reseal_all(SEALED, METADATA, keys=BOTH, progress=stop_at_the_third, by=LEAD, now=AFTER)
        assert sum(waiting().values()) == 3
        assert rotate() == 3
        lovelace.assert_books_hold()


def stop_at_the_third(done: int, total: int | None) -> None:
    assert total == 6
    if done == 3:
        raise KeyboardInterrupt


def test_without_the_old_key_nothing_is_lost_and_the_key_is_named(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        seal_something_everywhere()
        with pytest.raises(SecretKeyMissing, match="'test' is not among"):
            rotate(NEW)
        assert sum(waiting().values()) == 6


def test_a_written_file_is_sealed_anew_and_reads_the_same(ready_october: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO payout_run (id, number, currency, state, prepared_by, prepared_at, sole_approval)"
                " VALUES ('run_1', 'RUN-1', 'EUR', 'draft', 'a', :at, false)"
            ),
            {"at": "2026-11-01 09:00:00"},
        )
        connection.execute(
            text(
                "INSERT INTO rail_file (id, run_id, rail, message_id, content_sealed, sha256, created_at)"
                " VALUES ('fil_1', 'run_1', 'sepa', 'm', :sealed, 'x', :at)"
            ),
            {"sealed": SECRET_KEYS.seal("<xml/>", place=files.SEALED.place_of("fil_1")), "at": "2026-11-01 09:00:00"},
        )
    assert rotate() == 1
    assert files.file_of("RUN-1", "sepa", keys=NEW, by=LEAD, now=AFTER) == "<xml/>"
    for attack in (
        "UPDATE rail_file SET content_sealed = content_sealed || 'x'",
        "UPDATE rail_file SET sha256 = 'y'",
        "UPDATE rail_file SET content_sealed = 'v1.other'",
        "DELETE FROM rail_file",
    ):
        with pytest.raises(DBAPIError):
            attacked(attack)


def attacked(statement: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def test_every_column_of_sealed_values_is_known_to_the_rotation() -> None:
    there = {f"{table.name}.{c.name}" for table in METADATA.tables.values() for c in table.c if "sealed" in c.name}
    assert there == {f"{column.table}.{column.column}" for column in SEALED}


def test_a_run_is_paid_after_a_rotation_with_the_new_key_alone(sqlite_at: Opens) -> None:
    with sqlite_at("closed") as app:
        for name in ("Grace", "Ada"):
            lovelace.set_destination(name, iban=IBAN)
        rotate()
        rails = app.extensions["chambers"].rails
        number = preparation.draft(rails=rails, by=ADMINISTRATOR, now=AFTER).run.number
        approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
        approvals.approve(number, by=LEAD, now=AFTER)
        sending.send(number, rails=rails, keys=NEW, by=ADMINISTRATOR, now=AFTER)
        assert {payout.state for payout in sending.run_with_payouts(number)[1]} == {"sent"}
        lovelace.assert_books_hold()
