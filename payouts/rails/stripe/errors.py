"""What went wrong at Stripe, in four kinds; which one it is says whether the call can have had an effect.

Nothing that Stripe wrote is quoted: its messages are for programmers and name accounts and keys. What helps its
support to find the call, the code and the request's id, goes into our own sentence.
"""

from __future__ import annotations

import re

import requests
import stripe
import urllib3.exceptions

from firm.errors import Busy, ChambersError, Refused
from payouts.rails import rail

_WORD = re.compile(r"[A-Za-z0-9_]{1,80}", re.ASCII)

OF_THE_ACCOUNT = frozenset({"account_invalid"})
"""What is forbidden because of the account that was named, and not because of our key: another time is no better."""
OUT_OF_FUNDS = frozenset({"balance_insufficient", "insufficient_funds"})
EXPLANATIONS = {
    "account_closed": "the payee's account is closed",
    "account_invalid": "the payee's account cannot be used by this firm",
    "amount_too_large": "the amount is larger than one transfer may be",
    "amount_too_small": "the amount is smaller than one transfer may be",
    "balance_insufficient": "too little of the currency is available in the balance that pays",
    "insufficient_capabilities_for_transfer": "the payee's account may not receive transfers",
    "insufficient_funds": "too little of the currency is available in the balance that pays",
    "resource_missing": "what it refers to does not exist at Stripe",
    "transfers_not_allowed": "transfers to the payee's account are not allowed",
}
"""What a code means, in the firm's words; a code that is missing here is only named."""


class StripeRefused(Refused):
    """Stripe will not do it, and has not: only another request can help. `code` is Stripe's, or empty."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class StripeOutOfFunds(StripeRefused):
    """The same, because the balance that pays holds too little that is available now."""


class StripeLater(Busy):
    """Stripe has not done it, and nothing is wrong with the request: the same may succeed another time."""


class StripeUnclear(Busy):
    """Nobody knows whether Stripe has done it: look it up."""


def translated(error: stripe.StripeError, *, doubtful: bool) -> ChambersError:
    """The error in our terms. `doubtful` says that an earlier try of the same call may have had an effect."""
    code = code_of(error)
    of_the_account = isinstance(error, stripe.PermissionError) and code in OF_THE_ACCOUNT
    if (code == "lock_timeout" or isinstance(error, _NOT_TAKEN)) and not of_the_account:
        return _unclear(error) if doubtful else _later(error)
    if isinstance(error, stripe.InvalidRequestError) or (of_the_account and not doubtful):
        kind = StripeOutOfFunds if code in OUT_OF_FUNDS else StripeRefused
        return kind(
            f"Stripe refused this: {EXPLANATIONS.get(code, 'the request is not valid')}{_trace(error)}.", code=code
        )
    if isinstance(error, stripe.APIConnectionError) and never_left(error) and not doubtful:
        return StripeLater("Stripe cannot be reached from here; try again later.")
    return _unclear(error)


def outcome_of(error: ChambersError) -> rail.Outcome:
    """The outcome of an order of which the sending raised this. What is none of the four is raised again."""
    match error:
        case StripeOutOfFunds():
            return rail.OutOfFunds(error.message)
        case StripeRefused():
            return rail.Refused(error.message)
        case StripeLater():
            return rail.Later(error.message)
        case StripeUnclear():
            return rail.Unknown(error.message)
    raise error


def code_of(error: stripe.StripeError) -> str:
    """Stripe's code for what went wrong. The library leaves `error.code` empty on several of its classes."""
    for found in (error.code, getattr(error.error, "code", None)):
        if isinstance(found, str) and _WORD.fullmatch(found):
            return found
    return ""


def never_left(error: stripe.APIConnectionError) -> bool:
    """Whether the request cannot have reached Stripe: there was no connection to send it over."""
    cause = error.__cause__
    if isinstance(cause, requests.exceptions.ConnectTimeout):
        return True
    if not isinstance(cause, requests.exceptions.ConnectionError) or not cause.args:
        return False
    reason = getattr(cause.args[0], "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


_NOT_TAKEN = (stripe.RateLimitError, stripe.AuthenticationError, stripe.PermissionError)
"""Answers that Stripe gives before it looks at what is asked."""


def _later(error: stripe.StripeError) -> StripeLater:
    if isinstance(error, stripe.AuthenticationError):
        return StripeLater(f"Stripe does not accept the key in STRIPE_API_KEY{_trace(error)}; nothing was done.")
    if isinstance(error, stripe.PermissionError):
        return StripeLater(f"The key in STRIPE_API_KEY may not do this at Stripe{_trace(error)}; nothing was done.")
    return StripeLater(f"Stripe is too busy to take this now{_trace(error)}; nothing was done.")


def _unclear(error: stripe.StripeError) -> StripeUnclear:
    if isinstance(error, stripe.IdempotencyError):
        return StripeUnclear(
            f"Stripe knows this key for another request{_trace(error)}; look at what it was used for before going on."
        )
    return StripeUnclear(f"Stripe gave no clear answer{_trace(error)}; what became of it has to be looked up.")


def _trace(error: stripe.StripeError) -> str:
    """The code and the request's id in parentheses, when they are of a form that gives nothing else away."""
    request_id = error.request_id or ""
    words = [f"code {code_of(error)}"] if code_of(error) else []
    words += [f"request {request_id}"] if _WORD.fullmatch(request_id) else []
    return f" ({', '.join(words)})" if words else ""
