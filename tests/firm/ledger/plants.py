"""A breach of every invariant, by subject: what is planted in the paid month, and what else breaks with it."""

from __future__ import annotations

from tests.firm.ledger import book_plants, paper_plants, payout_plants
from tests.firm.ledger.planting import MorePlants, Plants

PLANTS: Plants = {
    **book_plants.BOOKS,
    **book_plants.BILLING,
    **book_plants.ALLOCATION,
    **book_plants.EARNINGS,
    **book_plants.ADJUSTMENTS,
    **payout_plants.DESTINATIONS,
    **payout_plants.PROVIDER,
    **payout_plants.RUNS,
    **payout_plants.BANK,
    **paper_plants.STATEMENTS,
    **paper_plants.REMITTANCE,
    **paper_plants.TAX_FORMS,
    **paper_plants.SELF_BILLING,
}

MORE: MorePlants = [*payout_plants.MORE_PAYOUTS, *paper_plants.MORE_PAPERS]

FOLLOWS = {
    # Whatever does not balance as a whole does not balance somewhere.
    "trial-balance-zero": {"entries-balance"},
    # What is planted has no record beside it.
    "earnings-booked": {"statements-account-for-all"},
    "payables-never-negative": {"payables-explained"},
    "withholding-booked": {"adjusting-entries-known"},
    "adjustments-reversed-exactly": {"adjustments-booked"},
    # What may have been paid twice says so twice.
    "one-key-one-request": {"sent-has-attempt"},
}
