"""The verdict on one schedule: where the money is by the provider's log and the bank files, and what the books say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from defusedxml import ElementTree
from sqlalchemy import text

from api.jobs import compare
from api.parts import parts
from api.sources import sources
from api.verification import findings
from firm.audit import sequencer
from firm.db import reading
from payouts.provider_events import sweeping
from payouts.rails.sepa.writing import NAMESPACE
from payouts.runs import files
from tests.crash.firm import Owed
from tests.crash.plans import CREATE
from tests.lovelace import LEAD
from tests.mailbox import Mailbox
from tests.stripe import oracle
from tests.stripe.oracle import Fact
from tests.stripe.state import State
from tests.stripe.world import World


@dataclass(slots=True)
class Verdict:
    """Payments beyond what was owed, payments missing, and whatever else is wrong; all in sentences."""

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.twice or self.lost or self.wrong)


def is_quiet() -> bool:
    """Whether nothing is under way, nobody whom the firm can pay has anything payable, and all papers are there."""
    with reading() as session:
        under_way = session.scalar(text(_UNDER_WAY))
        payable = session.scalar(text(_PAYABLE_OF_DIRECTED))
        unread = session.scalar(text(_UNREAD))
        unwritten = session.scalar(text(_UNWRITTEN))
    return not (under_way or payable or unread or unwritten)


def judge(verdict: Verdict, world: World, owed: Sequence[Owed], mailbox: Mailbox, *, now: datetime) -> None:
    """Hold what happened against what was owed, and every book against every other one."""
    got = _got(world.state)
    banked = _banked(now)
    for one in owed:
        paid = banked[one.name] if one.account is None else got[one.account]
        if paid > one.amount:
            verdict.twice.append(f"{one.name} was owed {one.amount} and got {paid}")
        if paid < one.amount:
            verdict.lost.append(f"{one.name} was owed {one.amount} and got {paid}")
    verdict.twice += oracle.paid_twice(world.state)
    verdict.lost += _unfinished()
    verdict.lost += _unsent(mailbox)
    verdict.wrong += oracle.judge(world, _facts(owed))
    verdict.wrong += _journal(world.state)
    verdict.wrong += uncommitted(world)
    verdict.wrong += _events(world.state)
    sequencer.run(now=now)
    verdict.wrong += [f"{one.invariant.name}: {one.breaches}" for one in findings(now=now) if not one.holds]


def reconcile(verdict: Verdict, *, now: datetime) -> None:
    """Let the product sweep the provider's log and compare, as its worker does daily: it has to find nothing."""
    for provider, source in sources().items():
        sweeping.sweep(provider, source=source, by=LEAD, now=now)
    verdict.wrong += [f"reconciliation: {one.kind} {one.subject}" for one in compare(now=now)]


def _got(state: State) -> Counter[str]:
    """What arrived in each account at Stripe and stayed there."""
    got: Counter[str] = Counter()
    for transfer in state.of("transfer"):
        got[transfer["destination"]] += transfer["amount"] - transfer["amount_reversed"]
    return got


def _banked(now: datetime) -> Counter[str]:
    """What the files for the bank pay, by the holder's name."""
    banked: Counter[str] = Counter()
    with reading() as session:
        written = list(session.execute(text(_FILES)))
    for run, rail in written:
        root = ElementTree.fromstring(files.file_of(run, rail, keys=parts().keys, by=LEAD, now=now))
        for transfer in root.iter(f"{{{NAMESPACE}}}CdtTrfTxInf"):
            name = transfer.findtext(f"{{{NAMESPACE}}}Cdtr/{{{NAMESPACE}}}Nm", "")
            amount = transfer.findtext(f"{{{NAMESPACE}}}Amt/{{{NAMESPACE}}}InstdAmt", "")
            banked[name] += int(amount.replace(".", ""))
    return banked


def _unfinished() -> Iterator[str]:
    """What is still under way when all should be quiet."""
    with reading() as session:
        for row in session.execute(text(_OPEN)).mappings():
            yield f"the payout {row['id']} to {row['payee_name']} is {row['state']}: {row['reason']}"
        for row in session.execute(text(_IN_TRANSIT)).mappings():
            yield f"the books hold {-row['held']} in transit for {row['maintainer_id']}"


def _facts(owed: Sequence[Owed]) -> list[Fact]:
    """What the books say was sent over Stripe."""
    accounts = {one.name: one.account or "" for one in owed}
    with reading() as session:
        rows = session.execute(text(_SENT)).mappings().all()
    return [
        Fact(
            row["id"],
            row["reference"],
            row["amount_minor"],
            row["currency"].lower(),
            accounts.get(row["payee_name"], ""),
            row["reversed"],
        )
        for row in rows
    ]


def _journal(state: State) -> Iterator[str]:
    """The journal against the provider's log: each transfer credited to the account at Stripe, once."""
    expected: Counter[str] = Counter()
    for transfer in state.of("transfer"):
        expected[f"payout-settled:{transfer['metadata'].get('payout')}"] -= transfer["amount"]
        for reversal in transfer["reversals"]["data"]:
            expected[f"payout-reversed:{reversal['id']}:{transfer['metadata'].get('payout')}"] += reversal["amount"]
    with reading() as session:
        booked = {row.source: row.amount for row in session.execute(text(_AT_STRIPE))}
    for source in sorted({*expected, *booked}):
        if expected[source] != booked.get(source, 0):
            yield f"{source} is booked as {booked.get(source, 0)}; by the provider's log it is {expected[source]}"


def uncommitted(world: World) -> Iterator[str]:
    """Every key that the provider has seen was committed as an attempt's, and asked for that attempt's payout."""
    with reading() as session:
        committed = {f"test-transfer-{row.key}": row.payout_id for row in session.execute(text(_ATTEMPTS))}
    for call in world.log:
        request = call.request
        if request.operation == CREATE:
            payout = str(request.parameters.get("metadata", {}).get("payout"))
            if committed.get(str(request.key)) != payout:
                yield f"{payout} was asked for under the key {request.key}, which no attempt of it has"


def _unsent(mailbox: Mailbox) -> Iterator[str]:
    """A notice may arrive twice under one name; what is said to be sent has arrived."""
    arrived = " ".join(str(message["Message-ID"]) for message in mailbox.taken)
    with reading() as session:
        for row in session.execute(text(_NOTICES)):
            if row.state != "sent" or row.id not in arrived:
                yield f"the notice {row.id} is {row.state}, and {'has' if row.id in arrived else 'has not'} arrived"


def _events(state: State) -> Iterator[str]:
    """Each event is here once, is one that the provider told, and has come to its end."""
    with reading() as session:
        for row in session.execute(text(_EVENTS)):
            if row.event_id not in state.happenings:
                yield f"the event {row.event_id} is none of the provider's"
            if row.state not in ("applied", "ignored"):
                yield f"the event {row.event_id} is {row.state}: {row.reason}"


_UNDER_WAY = """
SELECT COUNT(*) FROM payout_run r LEFT JOIN payout p ON p.run_id = r.id
WHERE r.state IN ('draft', 'proposed', 'approved', 'releasing')
OR p.state IN ('planned', 'reserved', 'sending', 'unknown', 'waiting-for-funds', 'sent')
"""
_PAYABLE_OF_DIRECTED = """
SELECT COUNT(*) FROM (SELECT p.maintainer_id FROM posting p JOIN destination d ON d.maintainer_id = p.maintainer_id
WHERE d.state = 'confirmed' AND p.account = 'liabilities:payables'
GROUP BY p.maintainer_id HAVING SUM(p.amount_minor) <> 0) AS payable
"""
_OPEN = """
SELECT id, payee_name, state, reason FROM payout
WHERE state IN ('planned', 'reserved', 'sending', 'unknown', 'waiting-for-funds', 'sent') ORDER BY id
"""
_IN_TRANSIT = """
SELECT maintainer_id, SUM(amount_minor) AS held FROM posting WHERE account = 'liabilities:payouts-in-transit'
GROUP BY maintainer_id HAVING SUM(amount_minor) <> 0 ORDER BY maintainer_id
"""
_SENT = """
SELECT p.id, p.reference, p.amount_minor, p.currency, p.payee_name,
COALESCE((SELECT SUM(v.amount_minor) FROM payout_reversal v WHERE v.payout_id = p.id), 0) AS reversed
FROM payout p WHERE p.rail = 'stripe' AND p.state IN ('sent', 'settled', 'returned') ORDER BY p.id
"""
_AT_STRIPE = """
SELECT e.source, SUM(p.amount_minor) AS amount FROM posting p JOIN journal_entry e ON e.id = p.entry_id
WHERE p.account = 'assets:stripe' AND e.source LIKE 'payout-%' GROUP BY e.source
"""
_UNREAD = """
SELECT (SELECT COUNT(*) FROM provider_event WHERE state NOT IN ('applied', 'ignored'))
+ (SELECT COUNT(*) FROM notice WHERE state = 'queued' AND template = 'news')
"""
_UNWRITTEN = """
SELECT (SELECT COUNT(*) FROM maintainer) - (SELECT COUNT(*) FROM statement)
+ (SELECT COUNT(*) FROM payout p WHERE p.state IN ('sent', 'settled')
AND NOT EXISTS (SELECT 1 FROM remittance_advice a WHERE a.payout_id = p.id))
"""
_NOTICES = "SELECT id, state FROM notice WHERE template = 'news' ORDER BY id"
_EVENTS = "SELECT event_id, state, reason FROM provider_event ORDER BY id"
_ATTEMPTS = "SELECT key, payout_id FROM payout_attempt"
_FILES = """
SELECT r.number, f.rail FROM rail_file f JOIN payout_run r ON r.id = f.run_id ORDER BY f.id
"""
