"""Every column of sealed values: the only place that knows them all."""

from __future__ import annotations

import firm.access.presence
import firm.profile.changes
import firm.webhooks.endpoints
import payouts.bank_files.operations
import payouts.destinations.opening
import payouts.proofs.operations
import payouts.runs.files
import payouts.tax_forms.operations
from firm.secrets import SealedColumn

SEALED: tuple[SealedColumn, ...] = (
    firm.profile.changes.SEALED,
    firm.access.presence.SEALED,
    *firm.webhooks.endpoints.SEALED,
    payouts.destinations.opening.SEALED,
    payouts.runs.files.SEALED,
    payouts.bank_files.operations.SEALED,
    payouts.proofs.operations.SEALED,
    *payouts.tax_forms.operations.SEALED,
)
"""Each subject's sealed columns; a new one is declared beside the code that seals it."""
