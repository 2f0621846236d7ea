"""Proof of presence: a code of the day's authenticator, asked for before an approval.

A bearer token can be copied; an approval needs something that the approver holds in the hand. The secret behind
the codes (RFC 6238) is sealed at rest and shown once. A code opens once, within a minute of its time, and five
of them in five minutes close the door for a while, on all workers together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import update
from sqlalchemy.orm import Session

from firm.access import limits, principals
from firm.access.model import ApiToken, Principal
from firm.access.tokens import Admission
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, commit_held, transaction, use_case
from firm.errors import ChambersError, Refused
from firm.secrets import SealedColumn, SecretKeys

LASTS = timedelta(minutes=5)
STEP_SECONDS = 30
SEALED = SealedColumn("principal", "totp_sealed", "principal.totp:{id}")
CODES = limits.Limit("codes", 5, timedelta(minutes=5))


class PresenceNeeded(ChambersError):
    """This act needs a fresh proof of presence, which a bearer token alone is not."""


class NoAuthenticator(Refused):
    """The principal has no authenticator yet."""


class WrongCode(ChambersError):
    """The code is not the one of now, or has been used."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """What an authenticator app takes, shown this once."""

    principal: str
    secret: str
    uri: str


@use_case
def set_authenticator(key: str, *, issuer: str, keys: SecretKeys, by: Actor, now: datetime) -> Authenticator:
    """Give a principal a new authenticator; codes of an earlier one open nothing any more.

    Raises `PrincipalNotFound`, and `Misconfigured` without keys to seal with.
    """
    secret = pyotp.random_base32(32)
    with transaction() as session:
        principal = principals.find(session, key, locked=True)
        before = digest(principal)
        principal.totp_sealed = keys.seal(secret, place=_place(principal))
        principal.totp_step = None
        session.execute(update(ApiToken).where(ApiToken.principal_id == principal.id).values(proved_at=None))
        session.flush()
        audit.record(
            session, "principal.authenticator-set", principal.id, {}, before=before, after=principal, by=by, now=now
        )
        uri = pyotp.TOTP(secret).provisioning_uri(name=principal.name, issuer_name=issuer)
        return Authenticator(principal.name, secret, uri)


def prove(admission: Admission, code: str, *, keys: SecretKeys, now: datetime) -> datetime:
    """Take a code, and return until when the token may approve.

    Raises `NoAuthenticator`, `WrongCode`, and `TooMany` after five codes in five minutes, right or wrong.
    """
    limits.spend(CODES, admission.principal_id, now=now)
    try:
        return _take(admission, code, keys=keys, now=now)
    except WrongCode:
        _note_wrong(admission, now=now)
        # On record whatever is answered: a refusal is not kept under a key, and undoes what waits for it.
        commit_held()
        raise


def refuse_absent(proved_at: datetime | None, *, now: datetime) -> None:
    """Raises `PresenceNeeded` unless presence was proved within the last five minutes."""
    if proved_at is None or not now - LASTS < proved_at <= now:
        raise PresenceNeeded(
            "Prove your presence first: send a code of your authenticator to /v1/step-ups, or run `chambers prove`."
        )


@use_case
def _take(admission: Admission, code: str, *, keys: SecretKeys, now: datetime) -> datetime:
    with transaction() as session:
        principal = principals.find(session, admission.principal_id, locked=True)
        step = _step_of(session, principal, code, keys, now)
        before = digest(principal)
        fresh = (Principal.totp_step.is_(None)) | (Principal.totp_step < step)
        if not claim(session, update(Principal).where(Principal.id == principal.id, fresh).values(totp_step=step)):
            raise WrongCode("This code has been used; wait for the next one.")
        session.execute(update(ApiToken).where(ApiToken.id == admission.actor.token_id).values(proved_at=now))
        session.refresh(principal)
        actor = admission.actor
        audit.record(
            session, "principal.presence-proved", principal.id, {}, before=before, after=principal, by=actor, now=now
        )
    return now + LASTS


def _step_of(session: Session, principal: Principal, code: str, keys: SecretKeys, now: datetime) -> int:
    """The time step that the code belongs to: the present one or a neighbor, for clocks that differ a little."""
    if principal.totp_sealed is None:
        raise NoAuthenticator(
            f"{principal.name} has no authenticator; the lead sets one up with `chambers principal totp`."
        )
    totp = pyotp.TOTP(keys.open(principal.totp_sealed, place=_place(principal)))
    present = int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if pyotp.utils.strings_equal(code, totp.generate_otp(step)):
            return step
    raise WrongCode("This is not the code of now; look again, and check the clock of the authenticator.")


@use_case
def _note_wrong(admission: Admission, *, now: datetime) -> None:
    with transaction() as session:
        audit.record(session, "principal.wrong-code", admission.principal_id, {}, by=admission.actor, now=now)


def _place(principal: Principal) -> str:
    return SEALED.place_of(principal.id)
