"""Keeping the evidence: sequencing the audit chain, and anchoring its head outside the database."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from api.parts import parts
from firm import envelope
from firm.actor import Actor, Role
from firm.audit import anchors, sequencer
from firm.audit.anchors import Anchor, AnchorBroken, AnchorsOutOfReach
from firm.errors import Busy
from firm.invariant import Unchecked

log = logging.getLogger("chambers.evidence")


class AnchorsUnread(AnchorBroken):
    """There are anchors, and no key to check them with."""


ANCHORED_EVERY = timedelta(days=1)
KEEPER = Actor("anchors", Role.SYSTEM)


def keep(*, now: datetime) -> None:
    """Link what is committed, and drop an anchor when the last one is a day old.

    A file of anchors out of reach keeps nobody from their work: it is an error in the log, again each time, until
    somebody mends it. Raises `AnchorBroken` for one that is damaged.
    """
    try:
        attempt(now=now)
    except AnchorsOutOfReach as error:
        log.error("no anchor of the audit chain was kept: %s", error.message)


def attempt(*, now: datetime) -> None:
    """The same, but a file out of reach is raised as `AnchorsOutOfReach`. Others at work are let be.

    It stands for itself: conditions and answers of the request around it are no matter of the chain.
    """
    with envelope.wrapping(envelope.Envelope()), suppress(Busy):
        sequencer.run(now=now)
        if _is_due(now):
            drop(by=KEEPER, now=now)


def _is_due(now: datetime) -> bool:
    key = parts().settings.anchor_key
    if key is None:
        return False
    last = anchors.newest(parts().settings.audit_anchors, key=key)
    return last is None or last.at <= now - ANCHORED_EVERY


def drop(*, by: Actor, now: datetime) -> Anchor | None:
    """Anchor the present head; None without a key. Raises `AnchorsLost` where there is none of those before."""
    key = parts().settings.anchor_key
    return None if key is None else anchors.drop(parts().settings.audit_anchors, key=key, by=by, now=now)


def drop_anew(*, by: Actor, now: datetime) -> Anchor | None:
    """The same, also where those before are lost."""
    key = parts().settings.anchor_key
    return None if key is None else anchors.drop_anew(parts().settings.audit_anchors, key=key, by=by, now=now)


def cut(seq: int, head: str, *, now: datetime) -> list[Anchor]:
    """Let the chain go on behind this link, and return the anchors that reached further; none without a key."""
    key = parts().settings.anchor_key
    return [] if key is None else anchors.cut(parts().settings.audit_anchors, seq, head, key=key, now=now)


def refuse_blind() -> None:
    """Raises `AnchorsUnread` where anchors were kept and the key to check them with is not set."""
    path = parts().settings.audit_anchors
    if parts().settings.anchor_key is None and path.exists():
        raise AnchorsUnread(f"{path} holds anchors; set CHAMBERS_AUDIT_KEY, so that they can be checked.")


def kept() -> list[Anchor]:
    """The anchors that count; none where none were dropped. Raises `AnchorBroken`, `AnchorsUnread`."""
    refuse_blind()
    key = parts().settings.anchor_key
    return [] if key is None else anchors.read(parts().settings.audit_anchors, key=key)


def checkable() -> list[Anchor]:
    """The same for those who verify. Raises `Unchecked` where there is no key, and so nothing that could be checked."""
    if parts().settings.anchor_key is None and not parts().settings.audit_anchors.exists():
        raise Unchecked("CHAMBERS_AUDIT_KEY is not set")
    return kept()
