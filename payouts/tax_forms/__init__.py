"""Tax forms on file: what the United States ask a payer to hold before it pays somebody.

A form is a W-9 (a US person's name and taxpayer number), a W-8BEN (another country's individual) or a W-8BEN-E (an
entity), recorded as it was signed. It is on file until its day of expiry, that day included, in the firm's own time
zone; expired after it; superseded when a newer one is recorded; withdrawn when it turns out to be wrong. A person has
at most one form that is neither superseded nor withdrawn, and a row changes only in these two ends.

Whether a missing or expired form holds a payee is the firm's switch (`tax_forms_required`), off at first, because
only a US payer needs it. Employees are paid by a payroll and are never held. `rules.py` holds what the law sets as
dated rows with their sources: a rule changes by a new row.

The taxpayer number is sealed and shown by its last four characters; so is the paper itself, where it is kept. Both
are opened for the office only, and every opening is on record. Filing papers (1099-NEC, 1042-S) are made elsewhere;
they stand on `payouts.runs.cash.paid_in_year`, what was paid to whom in a year on the cash basis.
"""
