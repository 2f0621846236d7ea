"""Statements: a maintainer's frozen, numbered account of a month.

Opening balance, earnings with their explanations, payouts, closing balance. Its totals are the books' at the end of
the month: opening + earned - paid = closing. Figures are stored as canonical JSON with the template's version and
never change; papers are rendered from them on demand, the same bytes each time. A corrected statement is a new one
that refers to the first.
"""
