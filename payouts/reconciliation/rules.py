"""Holding two sides against each other: pure functions on what was read from both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from firm.money import Money
from payouts.differences import rules as differences
from payouts.differences.model import DOUBLE, UNASKED
from payouts.rails.stripe.values import Transfer

NOTHING = "nothing"
LEFT = ("sent", "settled", "returned")
"""The states of a payout that says of itself that its money left."""
UNDER_WAY = "sending"


@dataclass(frozen=True, slots=True)
class OurPayout:
    """A payout as our books have it, with every account at the provider that the payee has or had."""

    id: str
    state: str
    amount: Money
    reversed: Money
    reference: str | None
    accounts: frozenset[str]

    def __str__(self) -> str:
        return f"{self.state}, {self.amount}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference as a comparison found it: about what, and what each side says."""

    rail: str
    kind: str
    subject: str
    what: str
    our_side: str
    their_side: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared on a rail, by kinds of difference, and what was found: what is not in it is no more."""

    rail: str
    kinds: Collection[str]
    findings: Sequence[Finding]


def of_transfers(rail: str, transfers: Collection[Transfer], payouts: Mapping[str, OurPayout]) -> Iterator[Finding]:
    """From the provider's side: every transfer has one payout, which says the same of it."""
    by_payout: dict[str, list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        by_payout[transfer.payout_id or ""].append(transfer)
    for payout_id, found in sorted(by_payout.items()):
        payout = payouts.get(payout_id)
        for transfer in found:
            yield from _of_transfer(rail, transfer, payout)
        standing = [one for one in found if not one.came_back]
        if payout is not None and (len(standing) > 1 or _besides(payout, standing)):
            yield _paid_twice(rail, payout, standing)


def of_payouts(rail: str, payouts: Collection[OurPayout], transfers: Mapping[str, Transfer]) -> Iterator[Finding]:
    """From our side: every payout that left has the transfer it names, and that one names it."""
    for payout in sorted(payouts, key=lambda one: one.id):
        found = transfers.get(payout.reference or "")
        if payout.state in LEFT and (found is None or found.payout_id != payout.id):
            theirs = NOTHING if found is None else f"for {found.payout_id or 'no payout'}"
            what = f"A payout left here as {payout.reference}, and the provider has no such transfer for it."
            yield Finding(rail, "payout-without-transfer", payout.id, what, str(payout), theirs)


def of_balances(rail: str, ours: Mapping[str, Money], theirs: Mapping[str, Money]) -> Iterator[Finding]:
    """What the books hold at the provider is what the provider holds for us, in each currency."""
    for currency in sorted({*ours, *theirs}):
        none = Money(0, currency)
        our_side, their_side = ours.get(currency, none), theirs.get(currency, none)
        if our_side != their_side:
            what = f"The balance in {currency} differs by {our_side - their_side}."
            yield Finding(rail, "balance-differs", currency, what, str(our_side), str(their_side))


def _of_transfer(rail: str, transfer: Transfer, payout: OurPayout | None) -> Iterator[Finding]:
    if payout is None or payout.state not in LEFT:
        yield from _unasked_for(rail, transfer, payout)
        return
    if transfer.amount != payout.amount:
        what = f"The transfer {transfer.id} is of another amount than its payout {payout.id}."
        yield Finding(rail, "amount-differs", transfer.id, what, str(payout.amount), str(transfer.amount))
    if transfer.destination not in payout.accounts:
        what = f"The transfer {transfer.id} went to an account that is none of its payee's."
        ours = ", ".join(sorted(payout.accounts)) or NOTHING
        yield Finding(rail, "destination-differs", transfer.id, what, ours[:200], transfer.destination[:200])
    if transfer.id == payout.reference and transfer.reversed != payout.reversed:
        what = f"Of the transfer {transfer.id} another part came back than is booked."
        yield Finding(rail, "reversal-differs", transfer.id, what, str(payout.reversed), str(transfer.reversed))


def _unasked_for(rail: str, transfer: Transfer, payout: OurPayout | None) -> Iterator[Finding]:
    """A transfer that stands while no payout left here. What is being sent this moment is no difference yet."""
    if transfer.came_back or (payout is not None and payout.state == UNDER_WAY):
        return
    asked = "which no payout here asked for" if payout is None else "for a payout that has not left here"
    what = f"The provider made the transfer {transfer.id}, {asked}."
    ours = NOTHING if payout is None else differences.payout_side(str(payout), payout.id)
    theirs = differences.transfer_side(transfer.amount, transfer.destination)
    yield Finding(rail, UNASKED, transfer.id, what, ours, theirs)


def _besides(payout: OurPayout, standing: Sequence[Transfer]) -> list[Transfer]:
    """Those that stand beside the one by which the payout left, also when that one came back and is payable again."""
    return [one for one in standing if payout.state in LEFT and one.id != payout.reference]


def _paid_twice(rail: str, payout: OurPayout, standing: Sequence[Transfer]) -> Finding:
    names = ", ".join(sorted(one.id for one in standing))
    besides = ", ".join(sorted(one.id for one in _besides(payout, standing)))
    if not besides:
        what = f"The payout {payout.id} was paid by {len(standing)} transfers: take all but one back."
    elif len(standing) > 1:
        what = f"The payout {payout.id} left as {payout.reference}, and was paid once more: take {besides} back."
    else:
        what = (
            f"The payout {payout.id} left as {payout.reference}, which was taken back, and {besides} still stands for"
            " it: take that back too before anything more is paid, or leave it as the payment."
        )
    return Finding(rail, DOUBLE, payout.id, what, str(payout), names[:200])
