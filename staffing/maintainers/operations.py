"""Adding maintainers and their aliases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import NothingToChange, Refused
from firm.particulars import (
    InvalidParticulars,
    checked_address,
    checked_country,
    checked_email,
    checked_key,
    checked_name,
)
from staffing.maintainers import queries
from staffing.maintainers.model import GRADES, WORKS_AS, Alias, Maintainer


class MaintainerNameTaken(Refused):
    """Two maintainers of one name could not be told apart on a paper."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is corrected of a maintainer; None where nothing is."""

    name: str | None = None
    email: str | None = None
    country: str | None = None
    grade: str | None = None
    works_as: str | None = None
    address: Sequence[str] | None = None


class AliasTaken(Refused):
    """A name or address belongs to one person."""


@use_case
def add(
    *,
    name: str,
    email: str,
    country: str,
    grade: str,
    works_as: str,
    address: Sequence[str] = (),
    by: Actor,
    now: datetime,
) -> Maintainer:
    """Add a maintainer; name and e-mail address become the first aliases.

    Raises `MaintainerNameTaken`, and `AliasTaken` if another maintainer goes by that name or address.
    """
    with transaction() as session:
        maintainer = new_maintainer(
            name=name, email=email, country=country, grade=grade, works_as=works_as, address=address, now=now
        )
        session.add(maintainer)
        try:
            session.flush()
        except IntegrityError as error:
            raise MaintainerNameTaken(f"There is a maintainer named {name!r} already.") from error
        _add_alias(session, maintainer.id, "name", maintainer.name)
        _add_alias(session, maintainer.id, "email", maintainer.email)
        audit.record(session, "maintainer.added", maintainer.id, facts_of(maintainer), after=maintainer, by=by, now=now)
    return maintainer


def new_maintainer(
    *, name: str, email: str, country: str, grade: str, works_as: str, address: Sequence[str], now: datetime
) -> Maintainer:
    """A maintainer who is in no session yet. Raises `InvalidParticulars`."""
    return Maintainer(
        id=ids.new("mnt"),
        name=checked_key(name),
        email=checked_email(email),
        address=checked_address(address),
        country=checked_country(country),
        grade=one_word(grade, GRADES, "grade"),
        works_as=one_word(works_as, WORKS_AS, "works_as"),
        created_at=now,
    )


def facts_of(maintainer: Maintainer) -> dict[str, str]:
    """What the audit record of a new maintainer says."""
    return {"name": maintainer.name, "grade": maintainer.grade, "works_as": maintainer.works_as}


@use_case
def change(key: str, changes: Change, *, by: Actor, now: datetime) -> Maintainer:
    """Correct what is known of a maintainer; what is None stays. Papers that were issued keep what they say.

    A new name or address becomes an alias beside the old ones: what was done under those stays theirs. Raises
    `MaintainerNotFound`, `MaintainerNameTaken`, `AliasTaken`, `NothingToChange`.
    """
    with transaction() as session:
        person = queries.find(session, key, locked=True)
        before, earlier = digest(person), _particulars(person)
        for name, value in _checked(changes).items():
            setattr(person, name, value)
        facts = {"before": earlier, "after": _particulars(person)}
        if earlier == facts["after"]:
            raise NothingToChange(f"{person.name} is known like this already; say what is different.")
        try:
            session.flush()
        except IntegrityError as error:
            raise MaintainerNameTaken(f"There is a maintainer named {changes.name!r} already.") from error
        _add_alias(session, person.id, "name", person.name)
        _add_alias(session, person.id, "email", person.email)
        audit.record(session, "maintainer.changed", person.id, facts, before=before, after=person, by=by, now=now)
    return person


def _checked(changes: Change) -> dict[str, str]:
    checks: dict[str, Callable[..., str]] = {
        "name": checked_key,
        "email": checked_email,
        "country": checked_country,
        "address": checked_address,
        "grade": lambda word: one_word(word, GRADES, "grade"),
        "works_as": lambda word: one_word(word, WORKS_AS, "works_as"),
    }
    said = {name: getattr(changes, name) for name in checks}
    return {name: checks[name](value) for name, value in said.items() if value is not None}


def one_word(word: str, words: Sequence[str], field: str) -> str:
    """Raises `InvalidParticulars` for a word that is none of these."""
    if word not in words:
        raise InvalidParticulars(f"{word!r} is not known here; use one of {', '.join(words)}.", field=field)
    return word


def _particulars(person: Maintainer) -> dict[str, str]:
    """What the audit record of a correction says; where somebody lives is not repeated there."""
    return {name: getattr(person, name) for name in ("name", "email", "country", "grade", "works_as")} | {
        "address": digest(person.address)[:16]
    }


@use_case
def add_alias(
    maintainer: str, *, name: str | None = None, email: str | None = None, by: Actor, now: datetime
) -> list[Alias]:
    """Add a name, an address or both under which a maintainer appears. May be repeated.

    Raises `AliasTaken`, `InvalidParticulars`.

    Work imported before is not attributed anew; import it again, which touches nothing else.
    """
    if not name and not email:
        raise InvalidParticulars("Say another name or another e-mail address under which the maintainer appears.")
    name, email = name and checked_name(name), email and checked_email(email)
    with transaction() as session:
        found = queries.find(session, maintainer)
        for kind, value in (("name", name), ("email", email)):
            if value:
                _add_alias(session, found.id, kind, value)
        aliases = queries.aliases_of(session, found.id)
        after = {"aliases": sorted([alias.kind, alias.value] for alias in aliases)}
        audit.record(session, "maintainer.alias-added", found.id, {}, after=after, by=by, now=now)
        return aliases


def _add_alias(session: Session, maintainer_id: str, kind: str, value: str) -> None:
    found = select(Alias.maintainer_id).where(Alias.kind == kind, Alias.value == alias_text(value))
    alias = new_alias(maintainer_id, kind, value, owner=session.scalar(found))
    if alias is not None:
        session.add(alias)
        session.flush()


def new_alias(maintainer_id: str, kind: str, value: str, *, owner: str | None) -> Alias | None:
    """An alias in no session yet, or None where the maintainer owns it already. Raises `AliasTaken`."""
    if owner == maintainer_id:
        return None
    if owner is not None:
        raise AliasTaken(f"{value} is an alias of another maintainer already.")
    return Alias(id=ids.new("ali"), maintainer_id=maintainer_id, kind=kind, value=alias_text(value))


def alias_text(value: str) -> str:
    """An alias as it is kept and compared."""
    return value.strip().lower()
