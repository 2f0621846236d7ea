"""Taking a transfer back, whole or in part."""

from __future__ import annotations

from firm.errors import Busy, Refused
from firm.money import Money
from payouts.rails import rail
from payouts.rails.rail import Absent, Outcome, Sent, Unknown
from payouts.rails.stripe import payloads, readings
from payouts.rails.stripe.amounts import UnpayableAmount, to_stripe
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.errors import StripeOutOfFunds, outcome_of
from payouts.rails.stripe.payloads import read
from payouts.rails.stripe.values import Reversal


def reverse(client: Client, transfer_id: str, amount: Money, *, key: str) -> Outcome:
    """Take an amount of a transfer back, once for each key. It needs that much in the payee's account.

    The key must be committed before the call, as an order's is. `Refused` says that the payee stays in our debt.
    """
    try:
        made = _create(client, transfer_id, to_stripe(amount), key)
    except UnpayableAmount as error:
        return rail.Refused(error.message)
    except StripeOutOfFunds as error:
        # It is the payee's balance that is too small: nothing of ours has to wait for money.
        return rail.Refused(error.message)
    except (Refused, Busy) as error:
        return outcome_of(error)
    return Sent(made.id) if made.amount == amount else Unknown(_differs(made))


def find_reversal(client: Client, transfer_id: str, amount: Money, *, key: str) -> Outcome | Absent:
    """What became of a reversal whose outcome nobody stored."""
    try:
        ours = [one for one in readings.reversals(client, transfer_id) if one.metadata.get("reversal") == key]
    except (Refused, Busy) as error:
        return Unknown(error.message)
    if not ours:
        return Absent()
    if len(ours) > 1:
        return Unknown(f"This is an incident: the transfer {transfer_id} was taken back {len(ours)} times for {key}.")
    return Sent(ours[0].id) if ours[0].amount == amount else Unknown(_differs(ours[0]))


def _create(client: Client, transfer_id: str, amount: int, key: str) -> Reversal:
    environment = client.environment
    answer = client.call(
        lambda sdk: sdk.v1.transfers.reversals.create(
            transfer_id,
            {"amount": amount, "metadata": {"reversal": key, "env": environment}},
            {"idempotency_key": f"{environment}-reversal-{key}"},
        )
    )
    return read(payloads.ReversalPayload, answer)


def _differs(found: Reversal) -> str:
    return f"This is an incident: the reversal {found.id} at Stripe took back {found.amount}, not what was asked for."
