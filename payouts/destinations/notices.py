"""What a maintainer is told when somebody wants to pay them elsewhere: at the old address first of all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.notices import operations as notices
from firm.notices.template import Template
from firm.profile import operations as profiles
from payouts.destinations.model import Destination
from payouts.destinations.rules import moment_text
from staffing.maintainers.model import Maintainer

_ENDING = (
    "If you did not ask for this, tell {firm} at once, by a way that you have used before and not by answering"
    " this message: {firm_email}.\n"
)
PROPOSED = Template(
    "destination-proposed",
    "{firm}: somebody asked to change where your pay goes",
    "Dear {name},\n\n"
    "on {proposed_at} {firm} was asked to pay you {to} from now on. So far you are paid {before}. A second person"
    " has to confirm this; until then nothing is paid to you.\n\n" + _ENDING,
)
FIRST_PROPOSED = Template(
    "destination-proposed",
    "{firm}: somebody said where your pay is to go",
    "Dear {name},\n\n"
    "on {proposed_at} {firm} was asked to pay you {to}. A second person has to confirm this; until then nothing is paid"
    " to you.\n\n" + _ENDING,
)
CONFIRMED = Template(
    "destination-confirmed",
    "{firm}: your pay goes elsewhere from {usable_from} on",
    "Dear {name},\n\n"
    "on {confirmed_at} {firm} confirmed that you are paid {to} from {usable_from} on. Before that you were paid"
    " {before}. Nothing is paid to you until then.\n\n" + _ENDING,
)
FIRST_CONFIRMED = Template(
    "destination-confirmed",
    "{firm}: where your pay goes from {usable_from} on",
    "Dear {name},\n\non {confirmed_at} {firm} confirmed that you are paid {to} from {usable_from} on.\n\n" + _ENDING,
)


def of_proposal(
    session: Session,
    person: Maintainer,
    proposal: Destination,
    old: Destination | None,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Promise the notice of a proposal, in the transaction of the proposal."""
    figures = {"proposed_at": moment_text(now)}
    _promise(session, PROPOSED if old else FIRST_PROPOSED, person, proposal, old, figures, by=by, now=now)


def of_confirmation(
    session: Session,
    person: Maintainer,
    confirmed: Destination,
    old: Destination | None,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Promise the notice of a confirmation, in the transaction of the confirmation."""
    usable = confirmed.usable_from or now
    figures = {"confirmed_at": moment_text(now), "usable_from": moment_text(usable)}
    _promise(session, CONFIRMED if old else FIRST_CONFIRMED, person, confirmed, old, figures, by=by, now=now)


def recipients(person: Maintainer, destination: Destination, old: Destination | None) -> list[str]:
    """Every address the maintainer had from the destination before this one until now, the oldest first.

    Whoever takes over an account may have changed its address a moment earlier.
    """
    known = [old.contact if old is not None else "", destination.contact, person.email]
    return list(dict.fromkeys(address for address in known if address))


def described(destination: Destination) -> str:
    """A destination in words, with no more of an account than its end."""
    if destination.iban_last4:
        return f"to the account ending in {destination.iban_last4}, over the rail {destination.rail}"
    return f"over the rail {destination.rail}"


def _promise(
    session: Session,
    template: Template,
    person: Maintainer,
    destination: Destination,
    old: Destination | None,
    figures: dict[str, str],
    *,
    by: Actor,
    now: datetime,
) -> None:
    firm = profiles.current(session)
    told = figures | {
        "firm": firm.name,
        "firm_email": firm.email or "you know how to reach it",
        "name": person.name,
        "to": described(destination),
    }
    if old is not None:
        told["before"] = described(old)
    for number, address in enumerate(recipients(person, destination, old), 1):
        key = f"{template.name}/{destination.id}/{number}"
        notices.promise(session, template, told, to=address, key=key, by=by, now=now)
