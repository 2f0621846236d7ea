"""What a provider's words mean for paying somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from payouts.provider_accounts.model import PAYOUT_STATUSES
from payouts.rails.provider import ProviderAccount, Requirement

MOST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands, in our words."""

    status: str
    payouts_status: str
    requirements: str


def standing(account: ProviderAccount) -> Standing:
    """The provider's description in our words. What it says that we do not know counts as restricted."""
    asked = [_asked(one) for one in account.requirements]
    asked += [_strange(word) for word in (account.receives, account.pays_out) if word not in PAYOUT_STATUSES]
    status = "closed" if account.closed else _known(account.receives)
    return Standing(status, _known(account.pays_out), _joined(asked))


def obstacle(status: str, payouts_status: str, requirements: str) -> str:
    """What is in the way of paying into an account, as the end of a sentence about the payee; empty when nothing is."""
    if status == "active" and payouts_status == "active":
        return ""
    asked = f", which asks for: {requirements}" if requirements else ""
    match status:
        case "opening":
            return "has an account at the payment provider that is still being opened; open it again to finish"
        case "pending":
            return f"has not finished onboarding at the payment provider{asked}; send a new onboarding link"
        case "active" | "restricted":
            return f"cannot be paid yet by the payment provider{asked}; send a new onboarding link"
        case "rejected":
            return "was rejected by the payment provider; pay over another rail"
        case "unsupported":
            return "is somewhere that the payment provider does not pay to; pay over another rail"
    return "has no account at the payment provider; open one with `chambers maintainer stripe-account`"


def _known(word: str) -> str:
    return word if word in PAYOUT_STATUSES else "restricted"


def _asked(one: Requirement) -> str:
    waiting = "" if one.by_payee else " (the provider is looking at it)"
    overdue = " (overdue)" if one.due == "past_due" else ""
    return f"{one.what}{overdue}{waiting}"


def _strange(word: str) -> str:
    return f"the provider says {word[:40]!r}, which this version does not know"


def _joined(asked: Sequence[str]) -> str:
    """All that is asked for, cut at what the table holds; control characters are no part of a sentence."""
    text = "; ".join(dict.fromkeys(one for one in asked if one))
    return "".join(char for char in text if char.isprintable())[:MOST_TEXT]
