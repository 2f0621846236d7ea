"""Opening payees' accounts at a provider, sending payees there, and learning how the accounts stand.

Each of these calls the provider with no transaction open: the intent is committed first, and the answer afterwards.
All may be repeated, also after a crash at any point.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, leaving_the_house, reading, transaction, use_case
from firm.driver_errors import violated
from firm.errors import Busy, Misconfigured, Refused
from firm.recovery import operations as recovery
from payouts.provider_accounts import queries
from payouts.provider_accounts.model import ProviderAccount
from payouts.provider_accounts.queries import STRIPE
from payouts.provider_accounts.rules import standing
from payouts.rails import provider as provider_
from payouts.rails.provider import AccountProvider, AccountRequest, OnboardingLink
from staffing.maintainers import queries as maintainers

BEGUN = faults.point("provider-account.begun", "the opening is committed, the provider has not been asked")
ANSWERED = faults.point("provider-account.answered", "the provider has opened the account, the answer is not stored")


REFRESH = "provider-accounts.refresh"
"""The job that asks about every account: due daily, and promised by the draft of a run that pays into some."""

SILENCE = 3
"""After so many calls in a row without an answer the provider may be away: one more account is asked about, to see."""

Progress = Callable[[int, int | None], None]


class NoSuchProvider(Refused):
    """The firm does not pay over this provider."""


class AlreadyOpening(Busy):
    """Somebody else opens the same account at this moment."""


class SomeUnanswered(Busy):
    """The provider gave no answer for some accounts."""


class NotOpened(Refused):
    """The account has no id at the provider yet, or is over."""


class NoOnboardingPage(Misconfigured):
    """Payees need a page of the firm's to come back to."""


def provider_of(providers: Mapping[str, AccountProvider], name: str = STRIPE) -> AccountProvider:
    """The provider of a name. Raises `NoSuchProvider`."""
    found = providers.get(name)
    if found is None:
        raise NoSuchProvider(f"This firm does not pay over {name} yet; set STRIPE_API_KEY, and start again.")
    return found


def open_account(maintainer: str, *, provider: AccountProvider, by: Actor, now: datetime) -> ProviderAccount:
    """Open a maintainer's account at the provider, or go on with an opening that was interrupted.

    Returns the account there is when it is open already. Raises `AlreadyOpening`, and what the provider raises: when it
    refuses, the opening is over and another may be begun; when it gives no answer, open again.
    """
    begun, fresh = _begin(maintainer, by=by, now=now)
    if begun.account_id is not None:
        return begun
    faults.reached(BEGUN)
    request = AccountRequest(**json.loads(begun.request))
    leaving_the_house()
    try:
        # Whoever goes on with an opening looks first: a provider may do again what it has failed at, under any key.
        found = None if fresh else provider.opened(request.tag)
        answer = found or provider.open(request)
    except Refused:
        _give_up(begun.id, by=by, now=now)
        raise
    faults.reached(ANSWERED)
    return _store(begun.id, answer, by=by, now=now)


def onboarding_link(
    maintainer: str, *, page: str, provider: AccountProvider, by: Actor, now: datetime
) -> OnboardingLink:
    """A fresh link to the provider's own pages, for the payee and nobody else: never store, log or send it.

    Raises `NotOpened`, `NoOnboardingPage`, and what the provider raises.
    """
    if not page:
        raise NoOnboardingPage("Set CHAMBERS_ONBOARDING_PAGE to the address that payees come back to.")
    found = _asked_for(maintainer, by=by, now=now)
    leaving_the_house()
    account = provider.account(str(found.account_id))
    return provider.onboarding_link(account, return_url=f"{page}?link=returned", refresh_url=f"{page}?link=expired")


def refresh(maintainer: str, *, provider: AccountProvider, by: Actor, now: datetime) -> ProviderAccount:
    """Ask the provider how a maintainer's account stands, and keep the answer. Raises `NotOpened`."""
    with reading() as session:
        found = queries.newest(session, maintainers.find(session, maintainer).id)
    return _refreshed(_opened(found), provider, by=by, now=now)


def refresh_account(account_id: str, *, provider: AccountProvider, by: Actor, now: datetime) -> ProviderAccount | None:
    """The same by the provider's id, for its events; None for an account that is not ours."""
    with reading() as session:
        found = queries.by_account(session, account_id)
    return None if found is None else _refreshed(found, provider, by=by, now=now)


def refresh_all(
    *, provider: AccountProvider, by: Actor, now: datetime, progress: Progress = lambda done, total: None
) -> int:
    """The same for every live account, the oldest answer first; how many the provider told about.

    An account that it refuses to tell about, or gives no answer for, is left as it is and does not keep the others from
    being asked about. Raises `SomeUnanswered` in the end where answers are missing, and before it when the provider is
    away. May be repeated: who was answered for is asked about last.
    """
    with reading() as session:
        waiting = queries.to_check(session)
    told, unanswered, in_a_row = 0, 0, 0
    witness = _any_of(waiting, now)
    for done, account_id in enumerate(waiting, 1):
        answer = _asked(account_id, provider, by=by, now=now)
        told, unanswered = told + (answer == "told"), unanswered + (answer == "silent")
        if answer != "silent":
            witness, in_a_row = account_id, 0
        elif (in_a_row := in_a_row + 1) == SILENCE:
            # Those that are never answered for have the oldest answers: every pass begins with them.
            if _asked(witness, provider, by=by, now=now) == "silent":
                break
            in_a_row = 0
        progress(done, len(waiting))
    if unanswered:
        raise SomeUnanswered(f"The provider told about {told} of {len(waiting)} accounts; ask again later.")
    return told


def _any_of(account_ids: Sequence[str], now: datetime) -> str:
    """One of the accounts, another at each try: should it be one that is never answered for, the next is not."""
    return account_ids[int(now.timestamp()) % len(account_ids)] if account_ids else ""


def _asked(account_id: str, provider: AccountProvider, *, by: Actor, now: datetime) -> str:
    """What came of asking about an account: `told`, `refused` or `silent`."""
    try:
        refresh_account(account_id, provider=provider, by=by, now=now)
    except Refused:
        return "refused"
    except Busy:
        return "silent"
    return "told"


def close(maintainer: str, *, provider: AccountProvider, by: Actor, now: datetime) -> ProviderAccount:
    """Have the provider close the account, for good. Raises `NotOpened`, and what the provider raises."""
    with reading() as session:
        found = queries.newest(session, maintainers.find(session, maintainer).id)
    if found.status == "closed":
        return found
    account_id = str(_opened(found).account_id)
    leaving_the_house()
    provider.close(account_id)
    return _refreshed(found, provider, by=by, now=now)


@use_case
def disconnected(account_id: str, *, by: Actor, now: datetime) -> ProviderAccount | None:
    """The payee has taken the account out of the firm's hands: it is over. None for an account that is not ours."""
    with transaction() as session:
        found = queries.by_account(session, account_id)
        if found is None or found.status == "closed":
            return found
        session.refresh(found, with_for_update=True)
        changes = {"status": "closed", "requirements": "", "checked_at": now}
        return _changed(session, found, changes, "provider-account.disconnected", by=by, now=now)


@use_case
def _begin(maintainer: str, *, by: Actor, now: datetime) -> tuple[ProviderAccount, bool]:
    """The live account, or a fresh one with what the provider will be asked: committed before it is."""
    with transaction() as session:
        # A restored firm may have opened the account already, in books that were lost.
        recovery.refuse_unreconciled(session)
        person = maintainers.find(session, maintainer)
        found = queries.live(session, person.id)
        if found is not None:
            return found, False
        identifier = ids.new("pac")
        request = AccountRequest(identifier, identifier, person.id, person.name, person.email, person.country)
        account = ProviderAccount(
            id=identifier,
            maintainer_id=person.id,
            provider=STRIPE,
            key=identifier,
            request=json.dumps(asdict(request), sort_keys=True),
            country=person.country,
            status="opening",
            payouts_status="pending",
            requirements="",
            created_at=now,
        )
        session.add(account)
        try:
            session.flush()
        except IntegrityError as error:
            if not violated(error, "uq_provider_account_live"):
                raise
            raise AlreadyOpening("Somebody else opens this account at this moment; look again.") from error
        facts = {"maintainer": person.id, "provider": STRIPE, "country": person.country}
        audit.record(session, "provider-account.begun", identifier, facts, after=account, by=by, now=now)
        return account, True


@use_case
def _store(identifier: str, answer: provider_.ProviderAccount, *, by: Actor, now: datetime) -> ProviderAccount:
    """Keep what the provider says of an account, unless a newer answer is there."""
    with transaction() as session:
        found = session.get_one(ProviderAccount, identifier, with_for_update=True)
        if found.status in ("closed", "refused"):
            return found
        changes = {**asdict(standing(answer)), "account_id": answer.id, "checked_at": now}
        verb = "provider-account.opened" if found.account_id is None else "provider-account.checked"
        return _changed(session, found, changes, verb, by=by, now=now)


@use_case
def _give_up(identifier: str, *, by: Actor, now: datetime) -> None:
    """The provider refused to open the account: another opening may be begun, under another key."""
    with transaction() as session:
        found = session.get_one(ProviderAccount, identifier, with_for_update=True)
        if found.status == "opening":
            _changed(session, found, {"status": "refused"}, "provider-account.refused", by=by, now=now)


@use_case
def _asked_for(maintainer: str, *, by: Actor, now: datetime) -> ProviderAccount:
    """The account that a link is asked for; who asked is on record, the link itself nowhere."""
    with transaction() as session:
        found = _opened(queries.newest(session, maintainers.find(session, maintainer).id))
        state = digest(found)
        facts = {"maintainer": found.maintainer_id}
        audit.record(session, "provider-account.link-asked", found.id, facts, before=state, after=found, by=by, now=now)
        return found


def _refreshed(found: ProviderAccount, provider: AccountProvider, *, by: Actor, now: datetime) -> ProviderAccount:
    leaving_the_house()
    return _store(found.id, provider.account(str(found.account_id)), by=by, now=now)


def _changed(
    session: Session, found: ProviderAccount, changes: Mapping[str, object], verb: str, *, by: Actor, now: datetime
) -> ProviderAccount:
    before = digest(found)
    newer = or_(ProviderAccount.checked_at.is_(None), ProviderAccount.checked_at <= now)
    as_read = ProviderAccount.id == found.id, ProviderAccount.status == found.status
    if claim(session, update(ProviderAccount).where(*as_read, newer).values(**changes)):
        session.refresh(found)
        facts = {"status": found.status, "payouts_status": found.payouts_status}
        audit.record(session, verb, found.id, facts, before=before, after=found, by=by, now=now)
    else:
        session.refresh(found)
    return found


def _opened(found: ProviderAccount) -> ProviderAccount:
    if found.account_id is None or found.status == "closed":
        raise NotOpened("This maintainer's account at the payment provider is not open; open one first.")
    return found
