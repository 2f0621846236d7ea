"""Tokens: shown once, kept as a digest, worth nothing once revoked."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from firm.access import operations as access
from firm.access.operations import NotAuthenticated, RoleNeedsSubject, TokenNameTaken, TokenNotFound
from firm.access.rules import new_secret, well_formed
from firm.actor import Actor, Role
from firm.db import reading
from tests.examples.refusals import refused
from tests.lovelace import AFTER, BEFORE, LEAD


def issue(name: str = "laptop", role: Role = Role.LEAD, subject: str | None = None) -> str:
    return access.issue_token(name=name, role=role, subject_id=subject, by=LEAD, now=BEFORE)[1]


def whose(secret: str) -> Actor:
    with reading() as session:
        return access.actor_of(session, secret, request_id="r1")


def test_a_token_says_who_comes_in(app: Flask) -> None:
    actor = whose(issue("laptop", Role.ACCOUNTANT))
    assert (actor.name, actor.role, actor.request_id, actor.subject_id) == ("laptop", Role.ACCOUNTANT, "r1", None)
    assert whose(issue("grace", Role.MAINTAINER, "mnt_1")).subject_id == "mnt_1"


def test_a_secret_is_kept_nowhere(app: Flask) -> None:
    secret = issue()
    with reading() as session:
        kept = repr(session.execute(text("SELECT * FROM api_token")).all())
        kept += repr(session.execute(text("SELECT * FROM audit_record")).all())
    assert secret not in kept
    assert secret[4:36] not in kept


def test_a_revoked_token_opens_nothing(app: Flask) -> None:
    secret = issue()
    access.revoke_token("laptop", by=LEAD, now=AFTER)
    with pytest.raises(NotAuthenticated):
        whose(secret)
    with refused(TokenNotFound, "There is no live token named 'laptop'"):
        access.revoke_token("laptop", by=LEAD, now=AFTER)


@pytest.mark.parametrize(
    "secret",
    ["", "chm_", "Bearer", new_secret(), new_secret()[:-1] + "x", "chm_" + "0" * 40],
    ids=["nothing", "prefix alone", "scheme", "unknown", "wrong checksum", "zeros"],
)
def test_every_wrong_token_gets_the_same_answer(sqlite_app: Flask, secret: str) -> None:
    issue()
    with pytest.raises(NotAuthenticated, match=r"Send a valid token as `Authorization: Bearer chm_…`\."):
        whose(secret)


def test_every_token_has_a_name_of_its_own(app: Flask) -> None:
    issue()
    with refused(TokenNameTaken, "There is a token named 'laptop'; choose another name"):
        issue()


def test_whose_data_a_token_may_see_is_said_by_those_roles_alone(sqlite_app: Flask) -> None:
    with refused(RoleNeedsSubject, "A token of role maintainer needs maintainer or client"):
        issue("grace", Role.MAINTAINER)
    with refused(RoleNeedsSubject, "A token of role lead takes no maintainer or client"):
        issue("grace", Role.LEAD, "mnt_1")


def test_a_typing_error_is_told_without_asking_the_database() -> None:
    secret = new_secret()
    assert well_formed(secret)
    assert len({new_secret() for _ in range(100)}) == 100
    wrong = [secret[:i] + ("a" if secret[i] != "a" else "b") + secret[i + 1 :] for i in range(4, len(secret))]
    assert not any(well_formed(text) for text in [*wrong, secret.upper(), secret + "0", f" {secret}"])
