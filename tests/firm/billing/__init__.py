"""Examples of billing: invoices, receipts, recognition."""
