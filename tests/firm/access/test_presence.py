"""Presence: a code opens once, for five minutes; guessing is slow; a new authenticator ends the old one."""

from __future__ import annotations

import threading
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import text

from firm.access import presence, principals, tokens
from firm.access.limits import TooMany
from firm.access.presence import NoAuthenticator, PresenceNeeded, WrongCode
from firm.access.tokens import Admission
from firm.actor import Role
from firm.db import reading
from firm.errors import Misconfigured
from firm.secrets import SecretKeys
from tests.databases import SECRET_KEYS
from tests.examples.refusals import refused
from tests.lovelace import AFTER, BEFORE, LEAD

LATER = AFTER + timedelta(minutes=10)


@pytest.fixture
def secret(app: Flask) -> str:
    return tokens.issue_token(name="linus", role=Role.APPROVER, by=LEAD, now=BEFORE).secret


def linus(secret: str) -> Admission:
    with reading() as session:
        return tokens.admit(session, secret, now=AFTER)


def authenticator(issuer: str = "Lovelace") -> pyotp.TOTP:
    found = presence.set_authenticator("linus", issuer=issuer, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    assert found.uri.startswith("otpauth://totp/")
    assert found.secret in found.uri
    return pyotp.TOTP(found.secret)


def prove(secret: str, code: str, now: object = AFTER) -> object:
    return presence.prove(linus(secret), code, keys=SECRET_KEYS, now=now)  # type: ignore[arg-type]


def test_a_code_opens_for_five_minutes(secret: str) -> None:
    code = authenticator().at(AFTER)
    with pytest.raises(PresenceNeeded):
        presence.refuse_absent(linus(secret).proved_at, now=AFTER)
    assert prove(secret, code) == AFTER + presence.LASTS
    proved_at = linus(secret).proved_at
    presence.refuse_absent(proved_at, now=AFTER + timedelta(minutes=4, seconds=59))
    for now in (AFTER + timedelta(minutes=5), AFTER - timedelta(seconds=1)):
        with pytest.raises(PresenceNeeded):
            presence.refuse_absent(proved_at, now=now)


def test_a_proof_is_of_one_token_and_not_of_its_principals_others(secret: str) -> None:
    other = tokens.issue("linus", expires_at=None, by=LEAD, now=BEFORE).secret
    prove(secret, authenticator().at(AFTER))
    assert linus(other).proved_at is None


def test_a_code_opens_once(secret: str) -> None:
    code = authenticator().at(AFTER)
    prove(secret, code)
    with pytest.raises(WrongCode, match="This code has been used"):
        prove(secret, code)


@pytest.mark.parametrize(("seconds", "taken"), [(-30, True), (30, True), (-90, False), (90, False)])
def test_clocks_may_differ_by_half_a_minute(secret: str, seconds: int, taken: bool) -> None:
    code = authenticator().at(AFTER + timedelta(seconds=seconds))
    if taken:
        prove(secret, code)
    else:
        with pytest.raises(WrongCode, match="This is not the code of now"):
            prove(secret, code)


def test_five_codes_in_five_minutes_close_the_door_for_a_while(secret: str) -> None:
    totp = authenticator()
    for _ in range(5):
        with pytest.raises(WrongCode):
            prove(secret, "000000" if totp.at(AFTER) != "000000" else "111111")
    with pytest.raises(TooMany) as found:
        prove(secret, totp.at(AFTER))
    assert 0 < found.value.retry_after <= 300
    assert linus(secret).proved_at is None
    prove(secret, totp.at(LATER), LATER)
    with reading() as session:
        wrong = session.scalar(text("SELECT COUNT(*) FROM audit_record WHERE verb = 'principal.wrong-code'"))
    assert wrong == 5


def test_many_guesses_at_once_are_counted_together(secret: str) -> None:
    totp, admission = authenticator(), linus(secret)
    wrong = next(code for code in ("000000", "111111") if code != totp.at(AFTER))
    answers: list[str] = []
    from flask import current_app

    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def guess() -> None:
        with app.app_context():
            try:
                presence.prove(admission, wrong, keys=SECRET_KEYS, now=AFTER)
            except (WrongCode, TooMany) as error:
                answers.append(type(error).__name__)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["TooMany"] * 7 + ["WrongCode"] * 5


def test_a_new_authenticator_ends_the_old_one_and_its_proofs(secret: str) -> None:
    first = authenticator()
    prove(secret, first.at(AFTER))
    second = authenticator()
    assert linus(secret).proved_at is None
    with pytest.raises(WrongCode):
        prove(secret, first.at(AFTER + timedelta(seconds=30)))
    prove(secret, second.at(AFTER))


def test_without_an_authenticator_or_keys_there_is_a_sentence(secret: str) -> None:
    with pytest.raises(NoAuthenticator, match="linus has no authenticator; the lead sets one up"):
        prove(secret, "123456")
    with refused(Misconfigured, "Set CHAMBERS_SECRET_KEYS"):
        presence.set_authenticator("linus", issuer="L", keys=SecretKeys({}), by=LEAD, now=AFTER)


def test_the_secret_is_kept_sealed(secret: str) -> None:
    totp = authenticator()
    with reading() as session:
        kept = principals.find(session, "linus").totp_sealed or ""
        told = repr(session.execute(text("SELECT * FROM audit_record")).all())
    assert kept.startswith("v1.test.")
    assert totp.secret not in kept + told
