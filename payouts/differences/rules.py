"""What the two sides of an incident say, written and read back in one place."""

from __future__ import annotations

from firm.money import Money

_TO = " to "


def payout_side(standing: str, payout_id: str) -> str:
    """Our side of a transfer for a payout that has not left here: how the payout stands, and which it is."""
    return f"{standing} ({payout_id})"


def payout_of(side: str) -> str:
    """The payout that our side names; nothing where no payout of ours is named."""
    return side[side.rfind("(") + 1 : -1] if side.endswith(")") else ""


def transfer_side(amount: Money, destination: str) -> str:
    """The provider's side of a transfer that no payout of ours accounts for."""
    return f"{amount}{_TO}{destination}"[:200]


def destination_of(side: str) -> str:
    """The account that such a transfer went to."""
    return side.partition(_TO)[2]
