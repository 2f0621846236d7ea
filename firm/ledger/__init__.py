"""The books: chart of accounts, journal entries, postings, periods, balances.

A journal entry is a balanced, immutable record with a unique `source`, the natural key of what caused it
("recognition:eng_…:2026-10"), so that nothing is booked twice. Its postings are debit (positive) and credit
(negative) lines of at least two accounts, summing to zero per currency, each with the dimensions it concerns:
client, engagement, package, maintainer. A correction is a new entry; a reversal is the exact negation, once.
A period is a month; a closed one takes no entry, and what comes late says which month it adjusts.

Balances are kept beside the postings and always equal their sum. All of this is guarded by the database on
both engines (`migrations/versions`), also against raw SQL.

The lines of an entry are written first and the entry seals them: from then on the pair (entry, number of
lines) is fixed by a foreign key, so no line can be added, on any isolation level.

This package is the only door to the ledger tables.
"""
