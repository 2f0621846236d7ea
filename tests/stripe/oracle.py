"""The judge: looks at the tests' Stripe alone, and at facts that a test took from the product's books.

It shares no code with the product and none with the ledger that the tests' Stripe answers from: it adds up the objects
(top-ups, transfers, reversals, payouts, charges, refunds, disputes) and holds the balances against the sum.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.stripe.state import Object, State
from tests.stripe.world import World


@dataclass(frozen=True, slots=True)
class Fact:
    """A transfer as the product's books have it. `payout` is what the product wrote into the metadata."""

    payout: str
    transfer: str
    amount: int
    currency: str
    destination: str
    reversed: int = 0


def judge(world: World, facts: Iterable[Fact] | None = None, *, name: str = "payout") -> list[str]:
    """Everything that is wrong; a test asserts that there is nothing. `name` is the payout's name in the metadata."""
    with world.state.lock:
        wrong = [
            *world.complaints,
            *unconserved(world.state),
            *paid_twice(world.state, name),
            *several_keys(world, name),
        ]
        return wrong if facts is None else wrong + differences(world.state, facts, name)


def unconserved(state: State) -> list[str]:
    """Currencies and accounts whose balance is not what came in less what went out."""
    expected: Counter[tuple[str | None, str]] = Counter()
    for topup in state.of("topup"):
        expected[None, topup["currency"]] += topup["amount"]
    for transfer in state.of("transfer"):
        moved = transfer["amount"] - transfer["amount_reversed"]
        expected[None, transfer["currency"]] -= moved
        expected[transfer["destination"], transfer["currency"]] += moved
    for id, payout in state.objects["payout"].items():
        if payout["status"] not in ("failed", "canceled"):
            expected[state.owners[id], payout["currency"]] -= payout["amount"]
    for charge in state.of("charge"):
        expected[None, charge["currency"]] += charge["amount"] - charge["amount_refunded"]
    for dispute in state.of("dispute"):
        if dispute["status"] != "won":
            expected[None, dispute["currency"]] -= dispute["amount"]
    for account, transactions in state.ledger.transactions.items():
        for each in transactions.values():
            expected[account, each["currency"]] -= each["fee"]
    return [
        f"{account or 'the platform'} holds {held} {currency} at Stripe, and {due} came in"
        for (account, currency), due in expected.items()
        if (held := state.ledger.available(account, currency) + state.ledger.pending(account, currency)) != due
    ]


def paid_twice(state: State, name: str = "payout") -> list[str]:
    """Payouts for which more than one transfer stands."""
    standing: dict[str, list[str]] = defaultdict(list)
    for transfer in state.of("transfer"):
        if name in transfer["metadata"] and not transfer["reversed"]:
            standing[transfer["metadata"][name]].append(transfer["id"])
    return [f"{payout} was paid by {', '.join(ids)}" for payout, ids in standing.items() if len(ids) > 1]


def several_keys(world: World, name: str = "payout") -> list[str]:
    """Keys that were used for more than one payout; one key may not stand for two things."""
    users: dict[str, set[str]] = defaultdict(set)
    for call in world.log:
        request = call.request
        if request.operation == "POST /v1/transfers" and request.key is not None:
            users[request.key].add(str(request.parameters.get("metadata", {}).get(name)))
    return [f"the key {key} was used for {', '.join(sorted(of))}" for key, of in users.items() if len(of) > 1]


def differences(state: State, facts: Iterable[Fact], name: str = "payout") -> list[str]:
    """What the product's books have and Stripe has not, and the reverse."""
    books = list(facts)
    booked = Counter(each.transfer for each in books)
    there = {each["id"]: each for each in state.of("transfer")}
    wrong = [f"{id} is in the books {count} times" for id, count in booked.items() if count > 1]
    wrong += [
        f"{id} is at Stripe and not in the books: {_said(each, name)}" for id, each in there.items() if id not in booked
    ]
    for fact in books:
        if fact.transfer not in there:
            wrong.append(f"{fact.transfer} of {fact.payout} is in the books and not at Stripe")
        elif (seen := _seen(there[fact.transfer], name)) != fact:
            wrong.append(f"{fact.transfer}: the books say {fact}, Stripe says {seen}")
    return wrong


def _seen(transfer: Object, name: str) -> Fact:
    return Fact(
        transfer["metadata"].get(name, ""),
        transfer["id"],
        transfer["amount"],
        transfer["currency"],
        transfer["destination"],
        transfer["amount_reversed"],
    )


def _said(transfer: Object, name: str) -> str:
    return f"{transfer['amount']} {transfer['currency']} for {transfer['metadata'].get(name)}"
