"""The Stripe rail: a payout is a transfer from the firm's balance to the payee's account at Stripe."""

from __future__ import annotations

from datetime import timedelta

from firm.errors import Busy, Refused
from firm.ledger import accounts
from payouts.rails import rail
from payouts.rails.rail import Absent, Batch, Description, Found, NoAnswer, Order, Outcome, Payer, Sent, Unknown
from payouts.rails.stripe import payloads, readings
from payouts.rails.stripe.amounts import STEPS, UnpayableAmount, to_stripe
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.errors import outcome_of
from payouts.rails.stripe.payloads import read
from payouts.rails.stripe.values import Transfer

NAME = "stripe"
KEEPS_KEYS_FOR = timedelta(hours=20)
"""Stripe may forget a key after 24 hours, and would then pay again."""

_EEA_WEST = ("AT", "BE", "DE", "DK", "ES", "FI", "FR", "IE", "IS", "IT", "LI", "LU", "NL", "NO", "PT", "SE")
_EEA_EAST = ("BG", "CY", "CZ", "EE", "GR", "HR", "HU", "LT", "LV", "MT", "PL", "RO", "SI", "SK")
COUNTRIES = frozenset((*_EEA_WEST, *_EEA_EAST, "US", "GB", "CA", "CH"))
"""Among these Stripe moves money between accounts; whether from the firm's own country too, see docs/stripe.md."""


class StripeRail:
    """Sending is a transfer; what became of one is found among the transfers of its run.

    Stripe repeats a refusal under the same key, also when the money has come meanwhile: after `Refused` and
    `OutOfFunds` only another key can pay. After `Later` it is the same key that is to be used.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def describe(self) -> Description:
        return Description(
            NAME,
            "Stripe Connect",
            needs_iban=False,
            countries=COUNTRIES,
            needs_account=True,
            pays_from=accounts.STRIPE,
            settles_when_sent=True,
            steps=STEPS,
            keeps_keys_for=KEEPS_KEYS_FOR,
        )

    def send(self, order: Order) -> Outcome:
        if not order.payee.account:
            return rail.Refused(f"{order.payee.name} has no account at Stripe; open one and finish its onboarding.")
        try:
            sent = self._transfer(order, to_stripe(order.amount), order.payee.account)
        except UnpayableAmount as error:
            return rail.Refused(error.message)
        except (Refused, Busy) as error:
            return outcome_of(error)
        return Sent(sent.id, sent.created_at) if self._is_of(sent, order) else Unknown(_differs(sent))

    def find(self, order: Order) -> Found:
        try:
            listed = list(readings.transfers(self._client, group=order.group))
        except (Refused, Busy) as error:
            # That it could not be looked up, for whatever reason, says nothing about the transfer.
            return NoAnswer(error.message)
        ours = [one for one in listed if one.payout_id == order.payout_id]
        if not ours:
            nameless = [one for one in listed if one.payout_id is None and one.destination == order.payee.account]
            return Unknown(_nameless(nameless[0])) if nameless else Absent()
        standing = [one for one in ours if not one.came_back]
        if len(standing) > 1:
            return Unknown(_several(order, standing))
        # Where all were taken back it is one of them that paid, and the money is payable again by its reversal.
        found = (standing or ours)[0]
        return Sent(found.id, found.created_at) if self._is_of(found, order) else Unknown(_differs(found))

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        return None

    def _transfer(self, order: Order, amount: int, account: str) -> Transfer:
        environment = self._client.environment
        answer = self._client.call(
            lambda sdk: sdk.v1.transfers.create(
                {
                    "amount": amount,
                    "currency": order.amount.currency.lower(),
                    "destination": account,
                    "transfer_group": order.group,
                    "metadata": {"payout": order.payout_id, "run": order.group, "env": environment},
                },
                {"idempotency_key": f"{environment}-transfer-{order.key}"},
            )
        )
        return read(payloads.TransferPayload, answer)

    def _is_of(self, found: Transfer, order: Order) -> bool:
        """Whether a transfer moved what the order says to whom it says, with real money or without as we do.

        What came back whole moved nothing in the end, whomever it went to.
        """
        there = found.came_back or found.destination == order.payee.account
        return there and (found.amount, found.live) == (order.amount, self._client.live)


def _several(order: Order, found: list[Transfer]) -> str:
    names = ", ".join(one.id for one in found[:5])
    return (
        f"This is an incident: {len(found)} transfers at Stripe pay the payout {order.payout_id} ({names}). Pay nothing"
        " more to this payee until somebody has looked at them."
    )


def _nameless(found: Transfer) -> str:
    return (
        f"The transfer {found.id} of this run at Stripe goes to the same account and names no payout: somebody may have"
        " changed its metadata. Look at it, and put the payout's id back, before anything more is paid."
    )


def _differs(found: Transfer) -> str:
    return (
        f"This is an incident: the transfer {found.id} at Stripe names this payout, but moved {found.amount} to"
        f" {found.destination}. Pay nothing more to this payee until somebody has looked at it."
    )
