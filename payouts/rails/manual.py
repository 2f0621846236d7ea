"""The manual rail: a person makes the transfer and enters its proof afterwards."""

from __future__ import annotations

from payouts.rails.rail import Absent, Batch, Description, Found, Order, Outcome, Payer, Sent


class ManualRail:
    """Sending is telling a person to pay; the payout settles when the bank's reference is entered."""

    def describe(self) -> Description:
        return Description("manual", "Manual bank transfer", needs_iban=False)

    def send(self, order: Order) -> Outcome:
        return Sent(reference=order.key)

    def find(self, order: Order) -> Found:
        return Absent()

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        return None
