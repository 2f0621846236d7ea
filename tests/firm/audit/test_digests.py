"""Before and after: every change of a thing is on record with what it was and what it is."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from flask import Flask
from sqlalchemy import text

from firm.access import presence, principals, tokens
from firm.actor import Role
from firm.audit.rules import digest, whole
from firm.db import reading, transaction
from firm.engagements import operations as engagements
from firm.engagements import queries as engagement_queries
from firm.engagements.model import Engagement
from firm.profile.changes import change_firm
from firm.webhooks import endpoints
from firm.webhooks.addresses import Reach
from firm.webhooks.sender import Sender
from payouts import month_end
from payouts.runs import queries as runs
from staffing.assignments import operations as assignments
from tests import lovelace
from tests.databases import SECRET_KEYS
from tests.lovelace import AFTER, BEFORE, LEAD
from tests.payouts import paying

WITHOUT_STATE = {
    "entry.posted",
    "entries.posted",
    "invoices.issued",
    "revenue.recognized",
    "revenue.allocated",
    "earnings.accrued",
    "deductions.taken",
    "statements.issued",
    "engagement.interests-named",
}
"""What makes many rows at once, each of them final: the record names them."""


def records() -> list[Any]:
    with reading() as session:
        return list(session.execute(text("SELECT * FROM audit_record ORDER BY id")))


def a_busy_firm() -> str:
    """A bit of everything; the number of a paid run."""
    lovelace.set_up()
    month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
    number = paying.approved()
    paying.pay_run(number)
    paying.give_back(paying.payout_to(number, "Grace").id)
    change_firm(sole_approval=True, by=LEAD, now=AFTER)
    change_firm(iban="DE89370400440532013000", keys=SECRET_KEYS, by=LEAD, now=AFTER)
    tokens.issue_token(name="boss", role=Role.LEAD, by=LEAD, now=BEFORE)
    issued = tokens.issue_token(name="ada", role=Role.ADMINISTRATOR, by=LEAD, now=BEFORE)
    tokens.rotate(issued.token.id, overlap=timedelta(hours=1), by=LEAD, now=BEFORE)
    tokens.revoke_token("ada", by=LEAD, now=AFTER)
    presence.set_authenticator("ada", issuer="L", keys=SECRET_KEYS, by=LEAD, now=AFTER)
    principals.change("ada", role=Role.AUDITOR, by=LEAD, now=AFTER)
    nowhere = Sender(Reach(), resolve=lambda host, port: [host])
    endpoint, _ = endpoints.add(url="https://8.8.8.8/", sender=nowhere, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    endpoints.change(endpoint.id, enabled=False, description="old", by=LEAD, now=AFTER)
    endpoints.rotate(endpoint.id, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    endpoints.remove(endpoint.id, by=LEAD, now=AFTER)
    return number


def test_every_record_of_a_thing_holds_its_state_and_the_next_begins_where_it_ended(app: Flask) -> None:
    a_busy_firm()
    states: dict[str, list[Any]] = defaultdict(list)
    for row in records():
        if row.verb not in WITHOUT_STATE:
            assert row.after_sha256 is not None, row.verb
            states[row.subject].append(row)
    followed = set()
    for subject, rows in states.items():
        # A token's row also says when presence was proved, and a client's contacts are things of their own.
        if not subject.startswith(("cli_", "mnt_")):
            for one, following in pairwise(rows):
                followed.add(following.verb)
                assert following.before_sha256 == one.after_sha256, (subject, one.verb, following.verb)
    assert followed >= {
        *("engagement.signed", "run.proposed", "run.approved", "run.released", "payout.settled", "payout.returned"),
        *("token.rotated", "token.revoked", "principal.changed", "principal.authenticator-set"),
        *("webhook-endpoint.changed", "webhook-endpoint.disabled", "webhook-endpoint.removed"),
        *("firm.sole-approval", "firm.bank-account-set"),
    }


def test_a_digest_is_that_of_the_row_as_it_stands(app: Flask) -> None:
    number = a_busy_firm()
    after = {(row.subject, row.verb): row.after_sha256 for row in records()}
    with reading() as session:
        for payout in runs.payouts_of(session, runs.find(session, number).id):
            verb = "payout.returned" if payout.payee_name == "Grace" else "payout.settled"
            assert after[payout.id, verb] == digest(payout)
        [first, *_] = session.scalars(text("SELECT id FROM engagement ORDER BY id"))
        signed = whole(session.get_one(Engagement, first), engagement_queries.interests_of(session, first))
        assert signed["interest"]
        assert after[first, "engagement.signed"] == digest(signed)
    [assignment] = [row for row in records() if row.verb == "assignment.made"][:1]
    assignments.end(assignment.subject, on=date(2026, 12, 1), by=LEAD, now=AFTER)
    [ended] = [row for row in records() if row.verb == "assignment.ended"]
    assert ended.before_sha256 == assignment.after_sha256 != ended.after_sha256


def test_a_change_behind_the_back_is_seen_at_the_next_record(app: Flask) -> None:
    lovelace.set_up()
    [drafted, *_] = [row for row in records() if row.verb == "engagement.signed"]
    with transaction() as session:
        session.execute(text("UPDATE engagement SET notice_days = 1 WHERE id = :id"), {"id": drafted.subject})
    engagements.set_po_number(drafted.subject, "PO-1", by=LEAD, now=AFTER)
    [changed] = [row for row in records() if row.verb == "engagement.po-number-set"]
    assert changed.before_sha256 != drafted.after_sha256
